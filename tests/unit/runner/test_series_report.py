"""The page of a series: written beside its levels, and again from its folder, wherever that has been moved to."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from squall.errors import StoreError
from squall.runner.acks import ACKS_FILE
from squall.runner.ordering import ORDERING_FILE
from squall.runner.series_report import is_series, report_series, write_scaling_html
from squall.store.writer import RunWriter
from unit.reports.test_scaling_report import RESULT
from unit.store.samples import HEADER


@pytest.fixture
def series(tmp_path: Path) -> Path:
    """The folder of a scaling test: one level has a record, another a report, the third is gone."""
    folder = tmp_path / "runs" / "series"
    recorded, reported, _ = (folder / each.folder for each in RESULT.levels)
    recorded.mkdir(parents=True)
    RunWriter(recorded, HEADER).close()
    reported.mkdir()
    (reported / "report.html").write_text("its own")
    (folder / "scaling.json").write_bytes(msgspec.json.encode(RESULT))
    return folder


def test_the_page_lies_beside_the_levels_and_links_those_that_have_one(series: Path) -> None:
    file = write_scaling_html(RESULT, series)
    assert file == series / "scaling-report.html"
    page = file.read_text("utf-8")
    assert '<a href="level-2500/report.html">' in page
    assert page.count("/report.html") == 1
    assert HEADER.command in page.replace("&#x27;", "'")
    assert report_series(series).read_text("utf-8") == page


def test_elsewhere_its_links_lead_there_all_the_same(series: Path, tmp_path: Path) -> None:
    file = report_series(series, tmp_path / "page.html")
    assert '<a href="runs/series/level-2500/report.html">' in file.read_text("utf-8")
    assert not (series / "scaling-report.html").exists()


def test_a_series_that_was_moved_is_told_from_where_it_is(series: Path, tmp_path: Path) -> None:
    moved = series.rename(tmp_path / "moved")
    assert report_series(moved) == moved / "scaling-report.html"
    assert '<a href="level-2500/report.html">' in (moved / "scaling-report.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "said"),
    [(ORDERING_FILE, "an ordering test, which has no page"), (ACKS_FILE, "an acknowledgement test")],
)
def test_a_series_without_a_page_is_refused_by_what_it_is(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_text("{}")
    assert is_series(tmp_path)
    with pytest.raises(StoreError, match=said):
        report_series(tmp_path)


def test_a_result_of_another_form_is_refused(tmp_path: Path) -> None:
    assert not is_series(tmp_path)
    (tmp_path / "scaling.json").write_text('{"levels": 3}')
    with pytest.raises(StoreError, match="cannot be read"):
        report_series(tmp_path)
