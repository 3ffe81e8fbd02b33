"""How long sessions are missing, to the nanosecond."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squall.engine.absences import Absences


def test_an_outage_between_two_readings_counts_with_its_length() -> None:
    absences = Absences()
    absences.begin(1, 100)
    absences.begin(2, 150)
    absences.end(1, 200)
    assert absences.count == 1
    assert absences.take(300) == 100 + 150
    absences.end(2, 310)
    assert (absences.take(400), absences.count) == (10, 0)


def test_who_is_missing_already_or_not_at_all_changes_nothing() -> None:
    absences = Absences()
    absences.end(1, 5)
    absences.begin(1, 10)
    absences.begin(1, 20)
    absences.clear(40)
    assert absences.take(50) == 30


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.integers(0, 5)), max_size=40))
def test_the_sum_is_that_of_every_instant(steps: list[tuple[int, bool, int]]) -> None:
    absences, missing, now, expected = Absences(), set[int](), 0, 0
    for session, begins, pause in steps:
        (absences.begin if begins else absences.end)(session, now)
        (missing.add if begins else missing.discard)(session)
        now += pause
        expected += pause * len(missing)
    assert absences.take(now) == expected
    assert absences.count == len(missing)
