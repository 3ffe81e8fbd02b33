"""Random choices as pure functions of numbers, in both forms."""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from both_forms import FORMS, module_in

GOLDEN = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1
WORDS = st.integers(0, MASK)


@pytest.fixture(params=FORMS)
def seeds(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.seeds")


def test_the_mixer_is_splitmix64(seeds: ModuleType) -> None:
    """The published sequence of the generator with the state 1234567."""
    state, sequence = 1234567, []
    for _ in range(5):
        state = (state + GOLDEN) & MASK
        sequence.append(seeds.mix64(state))
    assert sequence == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(WORDS, WORDS, WORDS)
def test_both_forms_draw_the_same(seed: int, about: int, index: int) -> None:
    installed, source = (module_in(form, "squall.seeds") for form in FORMS)
    assert installed.word_draw(seed, about, index) == source.word_draw(seed, about, index)
    assert installed.unit_draw(seed, about, index) == source.unit_draw(seed, about, index)
    assert installed.derive(seed, "types") == source.derive(seed, "types")


@given(WORDS, WORDS)
def test_the_mixer_maps_different_words_to_different_words(one: int, other: int) -> None:
    mix64 = module_in("installed", "squall.seeds").mix64
    assert (mix64(one) == mix64(other)) == (one == other)


def test_draws_are_spread_evenly_and_unrelated_to_their_neighbours(seeds: ModuleType) -> None:
    draws = [seeds.unit_draw(7, about, index) for about in range(50) for index in range(200)]
    assert all(0 <= draw < 1 for draw in draws)
    counts = [sum(int(draw * 10) == tenth for draw in draws) for tenth in range(10)]
    # Chi-squared with nine degrees of freedom: above 40 for one seed in a hundred thousand, and this seed is fixed.
    assert sum((count - 1000) ** 2 / 1000 for count in counts) < 40
    mean = sum(draws) / len(draws)
    products = [(draws[at] - mean) * (draws[at + 1] - mean) for at in range(len(draws) - 1)]
    assert abs(sum(products) / len(products)) < 0.005  # their variance is 1/12


def test_each_purpose_has_a_seed_of_its_own(seeds: ModuleType) -> None:
    labels = ["a", "b", "ab", "ba", "types", "arrivals", "population 0", "population 1"]
    for seed in range(50):
        assert len({seeds.derive(seed, label) for label in labels}) == len(labels)
    for label in labels:
        assert len({seeds.derive(seed, label) for seed in range(50)}) == 50
    assert seeds.derive(1, "types") == seeds.derive(1 + (1 << 64), "types")


def test_one_more_of_the_seed_does_not_make_up_for_one_less_of_a_letter(seeds: ModuleType) -> None:
    for seed in range(50):
        assert seeds.derive(seed, "b types") != seeds.derive(seed + 1, "a types")
