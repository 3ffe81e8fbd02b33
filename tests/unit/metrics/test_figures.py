"""From a figure and a bound to passed, failed or unknown."""

from __future__ import annotations

import math

import pytest

from squall.metrics.figures import Figure, judged, milliseconds, moment, number, percent, ratio, truth


@pytest.mark.parametrize(
    ("least", "most", "sign", "limit", "expected"),
    [
        (5, 5, "<", 6, "passed"),
        (5, 5, "<", 5, "failed"),
        (5, 5, "<=", 5, "passed"),
        (5, 5, "==", 5, "passed"),
        (5, 5, "!=", 5, "failed"),
        (0.9985, 0.9995, ">", 0.999, "unknown"),
        (0.9991, 0.9995, ">", 0.999, "passed"),
        (0.9, 0.95, ">", 0.999, "failed"),
        (0, math.inf, "==", 0, "unknown"),
        (1, math.inf, "==", 0, "failed"),
        (1, math.inf, "!=", 0, "passed"),
        (3, math.inf, "<", 3, "failed"),
    ],
)
def test_a_bound_holds_everywhere_nowhere_or_nobody_knows(
    least: float, most: float, sign: str, limit: float, expected: str
) -> None:
    assert truth(Figure(least, most, ""), sign, limit) == expected


def test_nothing_measured_is_unknown() -> None:
    judgement = judged(None, "<", 1, name="n", source="threshold", bound="<1")
    assert (judgement.truth, judgement.figure, judgement.evidence) == ("unknown", None, "not measured")


@pytest.mark.parametrize(
    ("sign", "most", "shown"), [("<", 0.4, 0.4), (">", 0.4, 0.2), ("<", math.inf, 0.2), ("==", 0.4, 0.2)]
)
def test_the_figure_shown_is_the_end_nearer_to_failing(sign: str, most: float, shown: float) -> None:
    judgement = judged(Figure(0.2, most, "e"), sign, 0.3, name="n", source="threshold", bound="")
    assert judgement.figure == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12_345, "12,345"),
        (12.0, "12"),
        (183.24, "183"),
        (250.5, "250"),
        (5.5401, "5.54"),
        (26.1, "26.1"),
        (12_345.6, "12,300"),
        (0.99876, "0.999"),
        (0.00012345, "0.000123"),
        (0.99951, "0.9995"),
        (0.99996, "0.99996"),
        (0.9999999999999, "0.99999999"),
    ],
)
def test_numbers_are_shown_as_people_read_them(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.2235, "22.4 %"),
        (0.9998, "99.98 %"),
        (0.99996, "99.996 %"),
        (1.5, "150 %"),
    ],
)
def test_only_all_is_100_percent(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("at_s", "text"), [(7.54, "7.5 s"), (10, "10 s"), (123.4, "123 s"), (4321.6, "4,322 s")]
)
def test_a_time_of_the_run_is_told_to_the_second_at_least(at_s: float, text: str) -> None:
    assert moment(at_s) == text


def test_a_share_of_nothing_and_a_time_that_was_not_measured_are_none() -> None:
    assert (ratio(1, 4), ratio(0, 4), ratio(0, 0)) == (0.25, 0, None)
    assert (milliseconds(1_500_000), milliseconds(0), milliseconds(None)) == (1.5, 0, None)
