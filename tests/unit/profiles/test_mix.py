"""Types and sizes of messages, compiled and from the source, against draws worked out naively."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction
from types import ModuleType

import pytest

from both_forms import FORMS, module_in
from squall.profiles.quotas import QuotaPlan
from squall.seeds import derive, word_draw

WEIGHTS = ((1,), (1, 1), (0.7, 0.2, 0.1), (47, 16, 15.8, 12, 6.1, 3.1), (1e-9, 1), (1, 1e-9))


@pytest.fixture(scope="session", params=FORMS)
def mix(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.profiles.mix")


def naive_choice(weights: tuple[float, ...], seed: int, stream: int, number: int) -> int:
    """The first alternative whose exact cumulated share lies above the draw, taken as a fraction of 1."""
    draw = Fraction(word_draw(seed, stream, number), 1 << 64)
    total = sum(Fraction(str(weight)) for weight in weights)
    reached = Fraction(0)
    for index, weight in enumerate(weights):
        reached += Fraction(str(weight)) / total
        # Draws are whole 2^-64ths, and so are the bounds.
        if draw < Fraction(int(reached * (1 << 64)), 1 << 64):
            return index
    raise AssertionError("a draw is below 1")


@pytest.mark.parametrize("weights", WEIGHTS)
def test_choices_are_the_naive_ones(mix: ModuleType, weights: tuple[float, ...]) -> None:
    plan = mix.MessageMix(weights, weights[::-1], 0, 5)
    for stream in (0, 1, 77, 100_000):
        for number in range(60):
            assert plan.type_of(stream, number) == naive_choice(weights, derive(5, "types"), stream, number)
            assert plan.type_of_not_sent(stream, number) == naive_choice(
                weights, derive(5, "types not sent"), stream, number
            )
            assert plan.size_index_of(stream, number) == naive_choice(
                weights[::-1], derive(5, "sizes"), stream, number
            )


@pytest.mark.parametrize("weights", [(), (0,), (1, -1), (1, math.nan), (math.inf,)])
def test_weights_out_of_range_are_refused(mix: ModuleType, weights: tuple[float, ...]) -> None:
    for make in (
        lambda: mix.Shares(weights, 1),
        lambda: mix.MessageMix(weights, (1,), 0, 1),
        lambda: mix.MessageMix((1,), weights, 0, 1),
    ):
        with pytest.raises(ValueError, match="finite numbers above zero"):
            make()


def test_draws_follow_the_weights(mix: ModuleType) -> None:
    plan = mix.MessageMix((0.7, 0.2, 0.1), (1,), 0, 1)
    for draw in (plan.type_of, plan.type_of_not_sent):
        drawn = Counter(draw(stream, number) for stream in range(100) for number in range(100))
        for kind, weight in enumerate((0.7, 0.2, 0.1)):
            assert drawn[kind] / 10_000 == pytest.approx(
                weight, abs=4 * math.sqrt(weight * (1 - weight) / 10_000)
            )


def test_not_sent_messages_have_draws_of_their_own(mix: ModuleType) -> None:
    plan = mix.MessageMix((1, 1), (1,), 0, 1)
    assert [plan.type_of(1, n) for n in range(64)] != [plan.type_of_not_sent(1, n) for n in range(64)]


def test_sizes_follow_the_weights_and_not_the_types(mix: ModuleType) -> None:
    plan = mix.MessageMix((1, 1), (3, 1), 0, 1)
    pairs = Counter(
        (plan.type_of(stream, n), plan.size_index_of(stream, n)) for stream in range(100) for n in range(100)
    )
    for kind in (0, 1):
        assert pairs[kind, 0] / (pairs[kind, 0] + pairs[kind, 1]) == pytest.approx(0.75, abs=0.03)


def test_with_a_message_count_types_are_those_of_the_quotas(mix: ModuleType) -> None:
    plan, quotas = mix.MessageMix((5, 3, 2), (1,), 10, 9), QuotaPlan((5, 3, 2), 10, derive(9, "quotas"))
    for stream in range(20):
        for number in range(10):
            assert plan.type_of(stream, number) == quotas.type_of(stream, number)
            assert plan.type_of_not_sent(stream, number) == quotas.type_of_not_sent(stream, number)


def test_with_a_message_count_there_are_no_more_messages(mix: ModuleType) -> None:
    plan = mix.MessageMix((1, 1), (1,), 10, 1)
    for draw in (plan.type_of, plan.type_of_not_sent):
        with pytest.raises(ValueError, match="of 10 messages does not exist"):
            draw(0, 10)


def test_what_is_asked_is_told(mix: ModuleType) -> None:
    plan = mix.MessageMix((1, 2, 3), (1, 2), 7, 1)
    assert (plan.types, plan.sizes.count, plan.messages_per_session) == (3, 2, 7)
