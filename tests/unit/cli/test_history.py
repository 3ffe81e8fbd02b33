"""`squall report` from the command to the file: a whole run, a killed one, and what is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from squall.store.reader import open_run
from squall.store.writer import RunWriter
from unit.reports.test_scaling_report import RESULT
from unit.store.samples import HEADER, PHASE, VERDICT, interval

Squall = Callable[..., Any]

SECONDS = 3
EXIT_STORE = 111


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a whole run."""
    folder = tmp_path / "runs" / HEADER.run_id
    folder.mkdir(parents=True)
    with RunWriter(folder, HEADER) as writer:
        writer.begin_phase(PHASE)
        for index in range(SECONDS):
            writer.accept(interval(index))
        writer.end_phase(PHASE.id, SECONDS * 1_000_000_000)
        writer.finish(VERDICT)
    return folder


def test_a_whole_run_is_told_again_where_it_is_asked_for(squall: Squall, run: Path, tmp_path: Path) -> None:
    called = squall("report", "last", "--out", "again.html")
    assert (called.code, called.err) == (0, "")
    assert called.out == f"report: {tmp_path / 'again.html'}\n"
    page = (tmp_path / "again.html").read_text("utf-8")
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert "<strong>FAILED</strong>: " in page
    assert "was killed" not in page
    assert not (run / "report.html").exists()


def test_without_a_file_it_is_written_into_the_run_folder(squall: Squall, run: Path, tmp_path: Path) -> None:
    called = squall("report", str(run))
    assert (called.code, called.out) == (0, f"report: {run / 'report.html'}\n")
    squall("report", str(run), "--out", "again.html")
    assert (tmp_path / "again.html").read_bytes() == (run / "report.html").read_bytes()


def test_a_killed_run_is_told_as_far_as_it_was_recorded(squall: Squall, run: Path) -> None:
    log = run / "record.log"
    whole = log.read_bytes()
    cut = len(whole)
    while len(open_run(run).intervals) == SECONDS:
        cut -= 1
        log.write_bytes(whole[:cut])
    called = squall("report", str(run))
    assert (called.code, called.err) == (0, "")
    page = (run / "report.html").read_text("utf-8")
    assert "<strong>NO VERDICT</strong>: " in page
    assert "This run was killed or is still going on" in page
    assert "2 s of it are recorded" in page


def test_a_run_of_another_format_is_refused_by_name(squall: Squall, run: Path) -> None:
    log = run / "record.log"
    content = log.read_bytes()
    log.write_bytes(content[:8] + b"\x63\0\0\0" + content[12:])
    called = squall("report", str(run))
    assert (called.code, called.out) == (EXIT_STORE, "")
    assert "format version 99; this squall knows version 1" in called.err
    assert "install a newer squall" in called.err
    assert not (run / "report.html").exists()


def test_a_scaling_test_is_told_again_by_its_folder(squall: Squall, tmp_path: Path) -> None:
    series = tmp_path / "runs" / "20260131-142530-scaling-3f9a"
    series.mkdir(parents=True)
    (series / "scaling.json").write_bytes(msgspec.json.encode(RESULT))
    for asked in (str(series), series.name):
        called = squall("report", asked)
        assert (called.code, called.out) == (0, f"report: {series / 'scaling-report.html'}\n")
    assert squall("report", series.name, "--out", "again.html").code == 0
    assert "<strong>FAILED</strong>: at 5,000 connections" in (tmp_path / "again.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("made", "asked", "said"),
    [
        ("notes/todo.txt", "notes", "is not the folder of a run"),
        ("series/ordering.json", "series", "is the folder of an ordering test, which has no page of its own"),
        ("series/acks.json", "series", "is the folder of an acknowledgement test"),
        ("series/scaling.json", "series", "cannot be read"),
        (None, "last", "no run"),
        (None, "nowhere", "no run"),
    ],
)
def test_what_is_no_run_is_a_clear_error(
    squall: Squall, tmp_path: Path, made: str | None, asked: str, said: str
) -> None:
    if made is not None:
        (tmp_path / made).parent.mkdir()
        (tmp_path / made).write_text("milk")
    called = squall("report", asked)
    assert (called.code, called.out) == (EXIT_STORE, "")
    assert said in called.err
    assert "Traceback" not in called.err
