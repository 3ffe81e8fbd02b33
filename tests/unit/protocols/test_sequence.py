"""The account of a pushed sequence, against one that keeps every number."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from squall.protocols.sequence import GAPS_KEPT, Change, Track


def changes(*numbers: int) -> list[Change]:
    track = Track()
    return [track.arrive(number) for number in numbers]


def test_a_sequence_in_order_misses_nothing_wherever_it_starts() -> None:
    assert changes(17, 18, 19) == [Change()] * 3


def test_a_gap_is_one_however_many_it_swallows() -> None:
    assert changes(0, 5, 6)[1] == Change(missing=4, gaps=1)


def test_a_late_number_takes_its_gap_away_or_cuts_it_in_two() -> None:
    assert changes(0, 2, 1)[2] == Change(missing=-1, gaps=-1, reordered=True)
    assert changes(0, 4, 1)[2] == Change(missing=-1, gaps=0, reordered=True)
    assert changes(0, 4, 2)[2] == Change(missing=-1, gaps=1, reordered=True)


def test_a_number_that_came_before_is_a_duplicate() -> None:
    assert changes(0, 1, 1, 0)[2:] == [Change(duplicated=True)] * 2
    assert changes(0, 3, 1, 1)[3] == Change(duplicated=True)


def test_of_what_was_before_the_first_nobody_can_tell() -> None:
    assert changes(5, 4)[1] == Change(unknown=True)


def test_the_oldest_gap_is_given_up_and_stays_missing() -> None:
    track = Track()
    found = [track.arrive(2 * number) for number in range(GAPS_KEPT + 2)]
    assert sum(change.missing for change in found) == GAPS_KEPT + 1
    assert track.arrive(1) == Change(unknown=True)
    assert track.arrive(3) == Change(missing=-1, gaps=-1, reordered=True)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60))
def test_figures_are_those_of_an_account_that_keeps_every_number(numbers: list[int]) -> None:
    found = changes(*numbers)
    first, seen, highest = numbers[0], set[int](), numbers[0]
    duplicated = reordered = unknown = 0
    for number in numbers:
        if number < first:
            unknown += 1
        elif number in seen:
            duplicated += 1
        else:
            reordered += number < highest
            seen.add(number)
            highest = max(highest, number)
    missing = [number for number in range(first, highest) if number not in seen]
    runs = sum(number - 1 not in missing for number in missing)
    assert sum(change.missing for change in found) == len(missing)
    assert sum(change.gaps for change in found) == runs
    assert sum(change.duplicated for change in found) == duplicated
    assert sum(change.reordered for change in found) == reordered
    assert sum(change.unknown for change in found) == unknown
