"""The watched machines in words and rows."""

from __future__ import annotations

from squall.reports.machines import machine_lines, machine_rows
from unit.reports import reported


def test_a_target_that_nobody_watched_is_said_to_be_not_measured() -> None:
    _, summary = reported.passed()
    assert machine_lines(summary) == ["target: not measured; nothing was configured to watch it"]
    assert machine_rows(summary) == [("target", "–", "not measured", "not measured", "0")]


def test_what_was_measured_is_told_by_source_the_target_first() -> None:
    _, summary = reported.troubled()
    assert machine_lines(summary) == [
        "target: processor 55 % on average, 55 % at most; busiest thread 0.998 cores at most; held back in 25 % "
        "of its quota's periods; memory 12 % on average, 12 % at most, 960 MB; accept queue overflowed",
        "target: 1 of 3 looks failed, the last: process 9 | has \ufffd[31mended",
        "page: not measured",
        "page: 1 of 1 looks failed, the last: the connection was refused",
        "host: processor 90 % on average, 90 % at most; memory 50 % on average, 50 % at most",
    ]
    rows = machine_rows(summary)
    assert ("target", "cpu cores", "1.1 cores", "1.1 cores", "1") in rows
    assert ("target", "received bytes", "12.3 MB/s", "12.3 MB/s", "1") in rows
    assert ("target", "queue", "7.25", "7.25", "1") in rows
    assert ("target", "tcp close wait", "2", "2", "1") in rows
    assert ("page", "–", "not measured", "not measured", "0") in rows
