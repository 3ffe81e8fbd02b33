"""A run read back: its own summary where there is one, the same computed again where not."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from squall.reports.json_report import summary_json
from squall.runner.reporting import SUMMARY_FILE
from squall.runner.rereading import summary_of, totals_of
from unit.reports import reported


def test_the_summary_is_the_one_that_the_run_wrote(tmp_path: Path) -> None:
    record, summary = reported.passed()
    own = msgspec.structs.replace(summary, peak_latency_ms=123.0)
    (tmp_path / SUMMARY_FILE).write_bytes(summary_json(own))
    assert summary_of(record, tmp_path) == own


@pytest.mark.parametrize("content", [None, b"", b'{"format_version": 1}'])
def test_it_is_computed_again_where_that_cannot_be(tmp_path: Path, content: bytes | None) -> None:
    record, summary = reported.troubled()
    if content is not None:
        (tmp_path / SUMMARY_FILE).write_bytes(content)
    assert summary_of(record, tmp_path) == summary


def test_what_an_incomplete_run_says_of_itself_is_not_believed(tmp_path: Path) -> None:
    record, summary = reported.killed()
    (tmp_path / SUMMARY_FILE).write_bytes(summary_json(reported.passed()[1]))
    assert summary_of(record, tmp_path) == summary


def test_totals_know_the_types_that_became_known_late() -> None:
    record, _ = reported.passed()
    late = msgspec.structs.replace(record.phases[1], types=[["chat", "typing"]])
    changed = msgspec.structs.replace(record, phases=(record.phases[0], late))
    assert totals_of(changed).types == (("chat", "typing"),)


def test_totals_know_whose_messages_are_acknowledged() -> None:
    record, _ = reported.passed()
    exchanges = {
        "echo": {"kind": "echo"},
        "ack": {"kind": "ack", "evidence": "receiver"},
        "push": {"kind": "acked_push", "acknowledges": True},
        "mute": {"kind": "acked_push", "acknowledges": False},
    }
    populations = [{"name": name, "exchange": exchange} for name, exchange in exchanges.items()]
    header = msgspec.structs.replace(record.header, scenario={"populations": populations})
    totals = totals_of(msgspec.structs.replace(record, header=header))
    assert totals.acknowledged == {"ack": "service", "push": "client"}
