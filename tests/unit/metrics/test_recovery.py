"""fault_recovery_time by hand-made seconds: found to the second, and not measured where there is no before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.metrics.distribution import Distribution
from squall.metrics.recovery import Recoveries, Recovery
from squall.record.snapshots import Event

S = 10**9
MS = 10**6


def responses(count: int, response_ms: float = 10) -> Distribution:
    made = Distribution()
    for _ in range(count):
        made.record(int(response_ms * MS))
    return made


def fault(at_s: float, name: str = "hole", length_s: float | None = 3.0) -> Event:
    return Event(at_ns=int(at_s * S), kind="fault", text="", name=name, figure=length_s)


def healed(at_s: float, name: str = "hole") -> Event:
    return Event(at_ns=int(at_s * S), kind="fault_healed", text="", name=name)


def run(
    rates: list[int], *events: Event, latencies: dict[int, float] | None = None, held_until: int | None = None
) -> list[Recovery]:
    found = Recoveries()
    for event in events:
        found.happened(event)
    for place, rate in enumerate(rates):
        held = held_until is None or place < held_until
        times = responses(rate, (latencies or {}).get(place, 10))
        found.add(place * S, (place + 1) * S, rate, times, held=held)
    return found.all


def test_it_runs_from_the_end_of_the_window_to_the_first_second_that_is_as_before() -> None:
    (got,) = run([100] * 5 + [0, 0, 0, 60, 90, 95, 100], fault(5), healed(8))
    assert got == Recovery(
        name="hole",
        from_s=5.0,
        until_s=8.0,
        seconds=3.0,
        rate_before=100.0,
        p95_before_ms=pytest.approx(10, rel=0.01),
    )


def test_response_times_must_be_back_as_well() -> None:
    rates, slow = [100] * 12, {8: 30.0, 9: 12.0}
    (got,) = run(rates, fault(5), healed(8), latencies=slow)
    assert got.seconds == 3.0


def test_a_window_that_ends_within_a_second_counts_that_second_for_nothing() -> None:
    (got,) = run([100] * 5 + [0, 0, 100, 100], fault(5), healed(7.4))
    assert got.seconds == pytest.approx(1.6)


def test_what_never_comes_back_in_the_hold_has_no_time() -> None:
    (got,) = run([100] * 5 + [0] * 5 + [100], fault(5), healed(8), held_until=10)
    assert (got.seconds, got.why) == (None, "not within the hold")


def test_without_a_before_it_is_not_measured() -> None:
    (got,) = run([100] * 9, fault(2), healed(4))
    assert got.seconds is None
    assert "less than 3 s" in got.why


def test_where_nothing_was_acknowledged_before_there_is_no_rate_to_come_back_to() -> None:
    """The messages themselves come, so that there is a p95: that alone shows no recovery of acknowledgements."""
    found = Recoveries()
    for event in (fault(5), healed(8)):
        found.happened(event)
    for place in range(12):
        found.add(place * S, (place + 1) * S, 0, responses(100), held=True)
    (got,) = found.all
    assert (got.seconds, got.rate_before) == (None, None)
    assert "nothing was delivered or acknowledged before it" in got.why


def test_where_nothing_at_all_came_before_it_is_said_so() -> None:
    (got,) = run([0] * 5 + [100] * 7, fault(5), healed(8))
    assert "nothing was delivered or acknowledged before it" in got.why


def test_a_fault_of_the_whole_run_has_no_recovery_and_spoils_no_before() -> None:
    got = run([100] * 10, fault(0, "drop", None), fault(5), healed(7), healed(10, "drop"))
    assert [(each.name, each.seconds) for each in got] == [("hole", 1.0)]


def test_before_is_taken_where_no_other_window_was_on() -> None:
    rates = [100] * 4 + [10] * 4 + [100] * 6
    got = run(rates, fault(4, "one"), healed(8, "one"), fault(10, "other"), healed(12, "other"))
    assert {each.name: each.rate_before for each in got} == {"one": 100.0, "other": 100.0}


@given(st.integers(0, 6))
def test_events_may_be_known_at_once_or_as_they_happen(back_after: int) -> None:
    rates = [50] * 6 + [0] * 2 + [0] * back_after + [50] * 3
    events = [fault(6), healed(8)]
    live = Recoveries()
    for place, rate in enumerate(rates):
        for event in events:
            if place * S <= event.at_ns < (place + 1) * S:
                live.happened(event)
        live.add(place * S, (place + 1) * S, rate, responses(rate), held=True)
    assert live.all == run(rates, *events)
    assert live.all[0].seconds == back_after + 1
