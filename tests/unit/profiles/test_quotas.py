"""Exact quotas of message types, in shuffled order."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from itertools import permutations

import pytest

from squall.profiles.quotas import QuotaPlan, exact_quotas, exact_shares


def test_largest_remainders_are_rounded_up() -> None:
    assert exact_quotas((47, 16, 15.8, 12, 6.1, 3.1), 10) == (5, 2, 1, 1, 1, 0)
    assert exact_quotas((1, 1, 1), 10) == (4, 3, 3)
    assert exact_quotas((0.1, 0.2, 0.7), 10) == (1, 2, 7)
    assert exact_quotas((5,), 0) == (0,)


@pytest.mark.parametrize("weights", [(), (0,), (1, -1), (1, math.nan), (math.inf,)])
def test_weights_out_of_range_are_refused(weights: tuple[float, ...]) -> None:
    for make in (
        lambda: QuotaPlan(weights, 5, 1),
        lambda: exact_quotas(weights, 5),
        lambda: exact_shares(weights),
    ):
        with pytest.raises(ValueError, match="finite numbers above zero"):
            make()


def test_shares_are_those_of_the_decimals_that_were_written() -> None:
    assert exact_shares((0.1, 0.2, 0.7)) == [Fraction(1, 10), Fraction(1, 5), Fraction(7, 10)]
    assert exact_shares((3, 1)) == [Fraction(3, 4), Fraction(1, 4)]


def test_a_session_has_each_type_as_often_as_its_quota_says() -> None:
    plan = QuotaPlan((5, 3, 2), 1000, seed=1)
    assert plan.quotas == (500, 300, 200)
    for stream in range(5):
        drawn = Counter(plan.type_of(stream, sequence) for sequence in range(1000))
        assert drawn == {0: 500, 1: 300, 2: 200}


def test_sent_and_not_sent_messages_together_meet_the_quotas() -> None:
    plan = QuotaPlan((5, 3, 2), 10, seed=1)
    for sent in range(11):
        types = [plan.type_of(9, n) for n in range(sent)] + [
            plan.type_of_not_sent(9, n) for n in range(10 - sent)
        ]
        assert Counter(types) == {0: 5, 1: 3, 2: 2}


def test_streams_have_orders_of_their_own() -> None:
    plan = QuotaPlan((1, 1), 64, seed=1)
    orders = {tuple(plan.type_of(stream, n) for n in range(64)) for stream in range(50)}
    assert len(orders) == 50


@pytest.mark.parametrize("messages", [2, 3, 4])
def test_every_order_of_a_few_messages_is_about_as_likely(messages: int) -> None:
    plan = QuotaPlan((1,) * messages, messages, seed=1)
    streams = 6000
    orders = Counter(tuple(plan.type_of(stream, n) for n in range(messages)) for stream in range(streams))
    expected = streams / math.factorial(messages)
    assert set(orders) == set(permutations(range(messages)))
    assert all(abs(count - expected) < 5 * math.sqrt(expected) for count in orders.values())


def test_every_position_has_each_type_at_its_rate() -> None:
    plan = QuotaPlan((3, 1), 20, seed=4)
    for position in range(20):
        seconds = sum(plan.type_of(stream, position) for stream in range(2000))
        assert seconds == pytest.approx(500, abs=4.5 * math.sqrt(2000 * 0.25 * 0.75))


@pytest.mark.parametrize("number", [-1, 10])
def test_a_message_beyond_the_plan_is_refused(number: int) -> None:
    plan = QuotaPlan((1, 1), 10, seed=1)
    with pytest.raises(ValueError, match="of 10 messages does not exist"):
        plan.type_of(0, number)
    with pytest.raises(ValueError, match="of 10 messages does not exist"):
        plan.type_of_not_sent(0, number)


def test_no_messages_are_no_plan() -> None:
    with pytest.raises(ValueError, match="no quotas for 0 messages"):
        QuotaPlan((1,), 0, 1)
