"""Pauses replay from the seed and stay within their bounds; turns add up to the cap over any number of workers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.profiles.backoff import Backoff, Turns

S = 10**9


def test_without_jitter_a_pause_doubles_up_to_the_longest() -> None:
    backoff = Backoff(0.5, 5.0, jitter=False, seed=1)
    assert [backoff.pause_ns(3, 0, tries) / S for tries in range(6)] == [0.5, 1, 2, 4, 5, 5]
    assert backoff.pause_ns(3, 0, 10_000) == 5 * S


@given(st.integers(0, 1 << 40), st.integers(0, 10**6), st.integers(-1, 1000), st.integers(0, 60))
def test_a_pause_is_drawn_below_its_ceiling_and_replays(
    seed: int, session: int, epoch: int, tries: int
) -> None:
    pause_ns = Backoff(0.5, 5.0, jitter=True, seed=seed).pause_ns(session, epoch, tries)
    assert 0 <= pause_ns < min(5.0, 0.5 * 2**tries) * S
    assert pause_ns == Backoff(0.5, 5.0, jitter=True, seed=seed).pause_ns(session, epoch, tries)


def test_full_jitter_spreads_a_herd_over_the_whole_pause() -> None:
    backoff = Backoff(1.0, 5.0, jitter=True, seed=7)
    pauses = sorted(backoff.pause_ns(session, 0, 0) for session in range(1000))
    tenths = [sum(low <= pause / S * 10 < low + 1 for pause in pauses) for low in range(10)]
    assert min(tenths) > 60
    assert max(tenths) < 140


def test_each_drop_of_a_session_draws_anew() -> None:
    backoff = Backoff(1.0, 5.0, jitter=True, seed=7)
    assert len({backoff.pause_ns(4, epoch, tries) for epoch in range(20) for tries in range(5)}) == 100


@given(st.integers(1, 7), st.floats(0.5, 500), st.integers(0, 3 * S))
def test_the_turns_of_all_workers_are_those_of_one(workers: int, rate_hz: float, until_ns: int) -> None:
    def used(worker: int, of: int) -> list[int]:
        turns, found = Turns(rate_hz, worker, of), []
        while turns.next_ns < until_ns:
            found.append(turns.next_ns)
            assert turns.take(turns.next_ns)
        return found

    together = sorted(at for worker in range(workers) for at in used(worker, workers))
    assert together == used(0, 1)
    assert len(together) == sum(round(turn * 1e9 / rate_hz) < until_ns for turn in range(len(together) + 2))


@given(st.integers(1, 5), st.lists(st.integers(0, S), min_size=1, max_size=200))
def test_however_late_it_is_asked_a_worker_does_not_make_up_for_missed_turns(
    workers: int, waits: list[int]
) -> None:
    turns, rate_hz, now, taken = Turns(20.0, workers - 1, workers), 20.0, 0, []
    for wait in waits:
        now += wait
        if turns.take(now):
            taken.append(now)
            assert turns.next_ns > now
    assert len(taken) <= now * rate_hz / workers / S + 1


def test_before_its_turn_there_is_none() -> None:
    turns = Turns(10.0, 1, 2)
    assert turns.next_ns == S // 10
    assert not turns.take(S // 10 - 1)
    assert turns.take(S // 10)
    assert not turns.take(S // 10 + 1)
    assert turns.next_ns == pytest.approx(3 * S // 10)
