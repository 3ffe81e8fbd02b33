"""The files that a run leaves, and where."""

from __future__ import annotations

import json
import re
from pathlib import Path

import msgspec
import pytest

from squall.errors import StoreError
from squall.reports.html_report import html_report
from squall.reports.junit_report import junit_xml
from squall.reports.terminal_report import terminal_report
from squall.runner.reporting import HTML_FILE, SUMMARY_FILE, write_all
from unit.reports import reported


def test_junit_is_written_where_it_is_asked_for(tmp_path: Path) -> None:
    record, summary = reported.passed()
    file = tmp_path / "artifacts" / "deep" / "junit.xml"
    write_all(record, summary, tmp_path, csv=False, markdown=False, html=False, junit=str(file))
    assert file.read_bytes() == junit_xml(record, summary)
    assert json.loads((tmp_path / SUMMARY_FILE).read_bytes())["run_id"] == summary.run_id


@pytest.mark.parametrize("place", ["taken", "file/junit.xml"])
def test_a_place_that_cannot_be_written_is_named_and_the_summary_is_there(tmp_path: Path, place: str) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=place.partition("/")[0]):
        write_all(
            *reported.passed(), tmp_path, csv=False, markdown=False, html=False, junit=str(tmp_path / place)
        )
    assert (tmp_path / SUMMARY_FILE).exists()


def test_the_label_of_the_environment_reaches_every_report(tmp_path: Path) -> None:
    record, summary = reported.passed()
    labelled = msgspec.structs.replace(summary, test_environment="production-like")
    write_all(record, labelled, tmp_path, junit=str(tmp_path / "junit.xml"))
    for name in ("summary.json", "summary.md", "junit.xml"):
        assert "production-like" in (tmp_path / name).read_text(), name
    assert "production-like" in terminal_report(record, labelled).plain


def test_the_summary_for_people_has_its_pictures_beside_it(tmp_path: Path) -> None:
    write_all(*reported.passed(), tmp_path, csv=False, html=False)
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", (tmp_path / "summary.md").read_text())
    assert len(pictures) == 4
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.svg")} == set(pictures)
    assert not (tmp_path / HTML_FILE).exists()


def test_the_html_report_is_written_unless_it_is_not_wanted(tmp_path: Path) -> None:
    write_all(*reported.passed(), tmp_path, csv=False, markdown=False)
    assert (tmp_path / HTML_FILE).read_text() == html_report(*reported.passed())
    assert not (tmp_path / "charts").exists()
