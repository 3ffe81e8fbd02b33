"""Pushes: counted always, followed and clocked where they say how."""

from __future__ import annotations

from typing import Any

import pytest

from squall.protocols.base import Foreign, Pushed
from squall.protocols.push import KEYS_MAX
from unit.protocols.talks import frame, talk

WALL_NS = 1_700_000_000_000_000_000


def read(settings: dict[str, Any], *messages: Any, at_ns: int = 0) -> list[Pushed | Foreign]:
    push = talk({"kind": "push", **settings}, started_wall_ns=WALL_NS)
    push.begin()
    return [push.read(frame(message, at_ns)) for message in messages]  # type: ignore[misc]  # no other comes


def test_without_a_field_everything_is_counted_and_nothing_is_judged() -> None:
    assert read({}, b"\x00\xff", "text", {"seq": 5}) == [Pushed()] * 3


def test_a_sequence_is_followed_for_each_key() -> None:
    told = [{"s": key, "n": n} for key, n in (("a", 1), ("b", 7), ("a", 2), ("b", 9), ("a", 2), ("b", 8))]
    found = read({"sequence": "n", "key": "s"}, *told)
    assert [(each.missing, each.gaps, each.duplicated, each.reordered) for each in found] == [  # type: ignore[union-attr]  # pushes all
        (0, 0, False, False),
        (0, 0, False, False),
        (0, 0, False, False),
        (1, 1, False, False),
        (0, 0, True, False),
        (-1, -1, False, True),
    ]


def test_a_new_connection_begins_its_sequences_anew() -> None:
    push = talk({"kind": "push", "sequence": "n"})
    push.begin()
    push.read(frame({"n": 1}))
    push.begin()
    assert push.read(frame({"n": 9})) == Pushed(sequenced=True)


@pytest.mark.parametrize(
    ("message", "misfit"),
    [
        ("no json", "not_json"),
        ({"n": 1}, "key_missing"),
        ({"s": "a"}, "sequence_missing"),
        ({"s": "a", "n": 1.5}, "sequence_missing"),
        ({"s": "a", "n": True}, "sequence_missing"),
        ({"s": "a", "n": "x"}, "sequence_missing"),
    ],
)
def test_what_says_no_number_is_counted_without_and_named(message: Any, misfit: str) -> None:
    assert read({"sequence": "n", "key": "s"}, message) == [Pushed(misfits=(misfit,))]


def test_numbers_may_be_text() -> None:
    assert read({"sequence": "n"}, {"n": "5"}, {"n": "7"})[1] == Pushed(sequenced=True, missing=1, gaps=1)


def test_no_more_sequences_are_followed_than_are_bounded() -> None:
    told = [{"s": key, "n": 1} for key in range(KEYS_MAX + 1)]
    found = read({"sequence": "n", "key": "s"}, *told)
    assert found[-2] == Pushed(sequenced=True)
    assert found[-1] == Pushed(misfits=("too_many_keys",))


@pytest.mark.parametrize(
    ("unit", "stamp", "delay_ns"),
    [
        ("s", 1_699_999_999, 1_500_000_000),
        ("s", 1_699_999_999.5, 1_000_000_000),
        ("ms", 1_700_000_000_250, 250_000_000),
        ("us", 1_700_000_000_499_999, 1_000),
        ("ns", WALL_NS + 499_999_999, 1),
        ("ms", "1700000000250", 250_000_000),
        ("ms", 1_700_000_001_000, -500_000_000),
    ],
)
def test_a_delay_is_from_the_stamp_to_the_arrival_and_may_be_negative(
    unit: str, stamp: Any, delay_ns: int
) -> None:
    found = read({"stamp": {"field": "t", "unit": unit}}, {"t": stamp}, at_ns=500_000_000)
    assert found == [Pushed(delay_ns=delay_ns)]


@pytest.mark.parametrize(
    ("stamp", "misfit"),
    [
        ("noon", "stamp_missing"),
        (None, "stamp_missing"),
        (True, "stamp_missing"),
        (10**40, "stamp_unreadable"),
    ],
)
def test_a_stamp_that_says_no_time_is_named(stamp: Any, misfit: str) -> None:
    assert read({"stamp": {"field": "t"}}, {"t": stamp}) == [Pushed(misfits=(misfit,))]


def test_what_is_declared_foreign_is_not_counted() -> None:
    found = read({"foreign": [{"field": "op", "equals": "beat"}], "sequence": "n"}, {"op": "beat"}, {"n": 1})
    assert found == [Foreign(), Pushed(sequenced=True)]
