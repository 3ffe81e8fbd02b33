"""The shared counters: what one process writes, another reads."""

from __future__ import annotations

import os
from dataclasses import asdict

from hypothesis import given
from hypothesis import strategies as st

from squall.reference.counters import NOT_MEASURED, CounterBoard, Tally

COUNTS = Tally.__slots__
big = st.integers(min_value=0, max_value=2**62)


def tally_of(values: list[int]) -> Tally:
    tally = Tally()
    for name, value in zip(COUNTS, values, strict=True):
        setattr(tally, name, value)
    return tally


@given(st.lists(st.lists(big, min_size=len(COUNTS), max_size=len(COUNTS)), min_size=1, max_size=5))
def test_each_row_reads_back_what_its_node_published(rows: list[list[int]]) -> None:
    board = CounterBoard(len(rows))
    for index, values in enumerate(rows):
        board.row(index).publish(tally_of(values))
        board.row(index).publish_pid(index + 1)
    for index, (figures, values) in enumerate(zip(board.figures(), rows, strict=True)):
        assert figures.pid == index + 1
        assert [getattr(figures, name) for name in COUNTS] == values


def test_a_fresh_board_counts_nothing_and_has_measured_nothing() -> None:
    (figures,) = CounterBoard(1).figures()
    counts = asdict(figures)
    for name in ("beat_ns", "lag_ns", "lag_max_ns"):
        assert counts.pop(name) is None
    assert set(counts.values()) == {0}


def test_a_beat_before_the_first_was_due_has_no_lag() -> None:
    board = CounterBoard(1)
    board.row(0).publish_beat(beat_ns=5, lag_ns=NOT_MEASURED, lag_max_ns=NOT_MEASURED)
    (figures,) = board.figures()
    assert (figures.beat_ns, figures.lag_ns, figures.lag_max_ns) == (5, None, None)


def test_a_lag_of_zero_is_a_measurement() -> None:
    board = CounterBoard(1)
    board.row(0).publish_beat(beat_ns=5, lag_ns=0, lag_max_ns=7)
    (figures,) = board.figures()
    assert (figures.lag_ns, figures.lag_max_ns) == (0, 7)


def test_a_forked_process_writes_what_its_parent_reads() -> None:
    board = CounterBoard(2)
    pid = os.fork()
    if pid == 0:
        try:
            board.row(1).publish(tally_of([11] * len(COUNTS)))
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    untouched, written = board.figures()
    assert untouched.connections == 0
    assert written.connections == written.bytes_sent == 11
