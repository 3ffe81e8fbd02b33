from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.reports.figures import (
    NOT_MEASURED,
    count,
    duration,
    megabytes,
    milliseconds,
    percent,
    plain,
    rate,
    significant,
)


def test_what_was_not_measured_says_so() -> None:
    for write in (count, milliseconds, duration, percent, rate, megabytes, plain):
        assert write(None) == NOT_MEASURED == "not measured"


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [
        (0, "0 ms"),
        (0.0512, "0.0512 ms"),
        (0.41239, "0.412 ms"),
        (12.349, "12.3 ms"),
        (40, "40 ms"),
        (999.4, "999 ms"),
        (999.6, "1 s"),
        (1234.5, "1.23 s"),
        (-0.5, "-0.5 ms"),
    ],
)
def test_a_latency_has_three_digits_and_a_unit(value_ms: float, text: str) -> None:
    assert milliseconds(value_ms) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (1.5, "150 %"),
        (0.125, "12.5 %"),
        (1 / 3, "33.3 %"),
        (0.9985, "99.8 %"),
        (0.999, "99.9 %"),
        (0.9994, "99.94 %"),
        (0.99951, "99.95 %"),
        (0.99996, "99.996 %"),
        (0.999999999999, "99.999999 %"),
        (1e-9, "0.0000001 %"),
    ],
)
def test_a_share_keeps_the_digits_that_matter(share: float, text: str) -> None:
    assert percent(share) == text


@given(st.floats(min_value=0, max_value=1))
def test_only_all_is_all_and_only_none_is_none(share: float) -> None:
    assert (percent(share) == "100 %") == (share == 1)
    assert (percent(share) == "0 %") == (share == 0)
    assert (plain(share) == "1") == (share == 1)
    assert (plain(share) == "0") == (share == 0)


@given(st.floats(min_value=1e-9, max_value=1e15))
def test_three_digits_are_within_half_a_percent(value: float) -> None:
    text = significant(value)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.005)
    assert len(text.replace(",", "").replace(".", "").strip("0")) <= 3


@pytest.mark.parametrize(
    ("value_s", "text"),
    [
        (0.35, "350 ms"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (125, "2 min 5 s"),
        (3599.6, "1 h 0 min"),
        (86_400, "24 h 0 min"),
    ],
)
def test_a_duration_reads_as_people_say_it(value_s: float, text: str) -> None:
    assert duration(value_s) == text


def test_counts_rates_and_sizes() -> None:
    assert count(1_234_567) == "1,234,567"
    assert rate(9871.2, "msg") == "9,870 msg/s"
    assert rate(0.333) == "0.333 /s"
    assert [megabytes(size) for size in (0, 999, 1_500, 128_400_000, 999_960_000)] == [
        "0 B",
        "999 B",
        "1.5 kB",
        "128 MB",
        "1 GB",
    ]


def test_a_figure_without_a_unit_is_whole_or_has_three_digits() -> None:
    assert [plain(value) for value in (12_345.0, 0.99996, 0.0123456, 12.3456, -1.0)] == [
        "12,345",
        "0.99996",
        "0.0123",
        "12.3",
        "-1",
    ]
