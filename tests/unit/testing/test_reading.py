"""A run read for assertions."""

from __future__ import annotations

from pathlib import Path

import pytest

import squall.testing
from squall.errors import StoreError
from squall.store.writer import RunWriter
from squall.testing import read_run
from squall.testing.reading import Run
from unit.reports import reported


def written(folder: Path, *, killed: bool = False) -> Path:
    record, _ = reported.passed()
    folder.mkdir()
    with RunWriter(folder, record.header) as writer:
        for phase in record.phases:
            writer.begin_phase(phase)
        for interval in record.intervals:
            writer.accept(interval)
        if not killed:
            assert record.verdict is not None
            writer.finish(record.verdict)
    return folder


def test_a_run_is_its_record_its_summary_and_its_sentences(tmp_path: Path) -> None:
    run = read_run(written(tmp_path / "run"))
    assert isinstance(run, Run)
    assert run.record.complete
    assert run.record.verdict is not None
    assert run.summary.delivery.delivered == run.summary.delivery.intended == 30
    assert run.sentences[0].startswith("PASSED: ")
    assert read_run(str(run.folder)).summary == run.summary


def test_a_run_that_was_killed_can_be_read(tmp_path: Path) -> None:
    run = read_run(written(tmp_path / "run", killed=True))
    assert run.record.verdict is None
    assert run.sentences[0].startswith("NO VERDICT: ")


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        read_run(tmp_path)


def test_the_public_names_are_there() -> None:
    assert all(getattr(squall.testing, name) is not None for name in squall.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = squall.testing.nothing
