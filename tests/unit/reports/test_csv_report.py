from __future__ import annotations

import csv
import io

import pytest

from squall.record.outcomes import Trouble
from squall.record.run import RunRecord
from squall.record.snapshots import ConnectionCell, Interval, MessageCell, WorkerSample
from squall.reports.csv_report import (
    COLUMNS,
    RESOURCE_COLUMNS,
    TYPE_COLUMNS,
    write_resources,
    write_time_series,
    write_types,
)
from unit.reports import reported
from unit.store.samples import HEADER, PHASE, busy_interval, interval

SECOND = 1_000_000_000


def rows_of(*intervals: Interval) -> list[dict[str, str]]:
    record = RunRecord(
        header=HEADER, phases=(PHASE,), intervals=intervals, events=(), verdict=None, complete=True
    )
    file = io.StringIO()
    write_time_series(record, file)
    file.seek(0)
    return list(csv.DictReader(file))


def test_a_row_a_second_with_every_column() -> None:
    rows = rows_of(interval(0), interval(1))
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert [row["t_s"] for row in rows] == ["1.0", "2.0"]
    assert rows[0]["wall_time"] == "2026-01-31T14:25:31.000+00:00"
    assert rows[0]["phase"] == "hold"


def test_cells_are_added_up_over_types_and_places() -> None:
    cells = [
        MessageCell(
            population=0, phase=1, type=kind, place=0, intended=10, delivered=6, lost=1, not_sent_target=2
        )
        for kind in (0, 1)
    ]
    connections = [
        ConnectionCell(
            population=0,
            phase=1,
            place=place,
            attempted=5,
            established=4,
            failed=1,
            dropped=place,
            troubles=[(Trouble("connect", "refused", "target"), 1)],
            corrupted_header=1,
            bytes_sent=100,
        )
        for place in (0, 1)
    ]
    (row,) = rows_of(
        Interval(
            index=0, at_ns=SECOND, held=8, planned=9, messages=cells, connections=connections, complete=False
        )
    )
    expected = {
        "intended": 20,
        "sent": 16,
        "not_sent": 4,
        "delivered": 12,
        "lost": 2,
        "unknown": 0,
        "planned": 9,
        "held": 8,
        "connects_attempted": 10,
        "connected": 8,
        "connects_failed": 2,
        "dropped": 1,
        "errors": 2,
        "corrupted_header": 2,
        "bytes_sent": 200,
        "complete": 0,
    }
    assert {name: int(row[name]) for name in expected} == expected


def test_percentiles_are_those_of_the_merged_histograms() -> None:
    (row,) = rows_of(busy_interval(3, messages=4_000, places=2))
    p50, p99, greatest = (float(row[f"response_{name}_ms"]) for name in ("p50", "p99", "max"))
    # Log-normal around 1.5 ms, and lags around 0.4 ms on top.
    assert 1.7 < p50 < 2.4
    assert p50 < p99 <= greatest
    assert float(row["service_p99_ms"]) < p99
    assert 1 < float(row["lag_p99_ms"]) < 2.5


def test_what_was_not_measured_is_empty() -> None:
    first, second = rows_of(interval(0), busy_interval(1, messages=100))
    for name in ("response_p50_ms", "response_max_ms", "lag_p99_ms", "generator_rss_mb", "blocked"):
        assert first[name] == ""
        assert second[name] != ""
    assert second["generator_cpu_cores"] == ""


def test_processor_time_is_what_was_used_since_the_reading_before() -> None:
    def at(index: int, cpu_ns: dict[int, int]) -> Interval:
        workers = [
            WorkerSample(worker=worker, cpu_ns=used, rss_bytes=50_000_000, silence_ns=worker * SECOND)
            for worker, used in cpu_ns.items()
        ]
        return Interval(index=index, at_ns=(index + 1) * SECOND, held=0, planned=0, workers=workers)

    rows = rows_of(
        at(0, {0: 5 * SECOND, 1: 7 * SECOND}),
        at(1, {0: 5 * SECOND + SECOND // 2, 1: 7 * SECOND + SECOND // 4}),
        at(2, {1: 8 * SECOND}),
        at(3, {2: SECOND}),
    )
    assert [row["generator_cpu_cores"] for row in rows] == ["", "0.75", "0.75", ""]
    assert [row["generator_rss_mb"] for row in rows] == ["100.0", "100.0", "50.0", "50.0"]
    assert rows[1]["silence_max_ms"] == "1000.0"


@pytest.mark.parametrize("at_s", [0, 1])
def test_a_second_before_any_phase_has_none(at_s: int) -> None:
    phase_less = Interval(index=0, at_ns=at_s * SECOND, held=0, planned=0)
    (row,) = rows_of(phase_less)
    assert row["phase"] == ("hold" if at_s else "")


def test_a_row_a_type_with_what_became_of_it() -> None:
    record, summary = reported.troubled()
    file = io.StringIO()
    write_types(summary, file)
    file.seek(0)
    rows = {row["type"]: row for row in csv.DictReader(file)}
    assert record.header.types == [["message", "critical"]]
    assert list(rows["critical"]) == list(TYPE_COLUMNS)
    assert (rows["critical"]["intended"], rows["critical"]["lost"], rows["critical"]["unknown"]) == (
        "12",
        "3",
        "1",
    )
    assert float(rows["critical"]["response_max_ms"]) == 250.5
    assert float(rows["message"]["response_p50_ms"]) < 30


def test_a_type_without_a_response_has_no_latency() -> None:
    file = io.StringIO()
    write_types(reported.passed()[1], file)
    file.seek(0)
    (critical,) = [row for row in csv.DictReader(file) if row["type"] == "critical"]
    assert (critical["sent"], critical["response_p99_ms"]) == ("0", "")


def test_a_row_a_look_with_the_figures_that_there_are() -> None:
    record, _ = reported.troubled()
    file = io.StringIO()
    write_resources(record, file)
    file.seek(0)
    rows = list(csv.DictReader(file))
    assert list(rows[0]) == [*RESOURCE_COLUMNS, "queue", "tcp_close_wait", "tcp_established", "problem"]
    assert [(row["t_s"], row["source"], row["role"]) for row in rows[:3]] == [
        ("0.0", "target", "target"),
        ("0.0", "host", "host"),
        ("2.0", "target", "target"),
    ]
    assert (rows[2]["cpu_share"], rows[2]["queue"], rows[2]["tcp_close_wait"]) == ("0.55", "7.25", "2")
    assert (rows[0]["cpu_share"], rows[0]["queue"]) == ("", "")
    assert rows[5]["problem"] == "the connection was refused"


def test_without_looks_there_are_only_the_names_of_the_columns() -> None:
    record, _ = reported.passed()
    file = io.StringIO()
    write_resources(record, file)
    assert file.getvalue() == ",".join((*RESOURCE_COLUMNS, "problem")) + "\n"
