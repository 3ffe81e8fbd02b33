"""Quantities as people write them: every accepted form, every refusal, and the way back."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.units import (
    format_count,
    format_duration,
    format_rate,
    format_size,
    parse_count,
    parse_duration_s,
    parse_rate_hz,
    parse_size,
)

PARSERS = [parse_duration_s, parse_size, parse_count, parse_rate_hz]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30.0),
        ("5m", 300.0),
        ("5 min", 300.0),
        ("1h30m", 5400.0),
        (" 1 h 30 min ", 5400.0),
        ("1.5h", 5400.0),
        ("2d", 172_800.0),
        ("1d2h3m4s5ms6us7ns", 93_784.005006007),
        ("250ms", 0.25),
        ("100us", 0.0001),
        ("100µs", 0.0001),
        ("100μs", 0.0001),
        ("7ns", 7e-9),
        ("0", 0.0),
        ("0.1", 0.1),
        ("1e-05", 1e-05),
        ("1_000s", 1000.0),
        (12, 12.0),
        (0.3, 0.3),
    ],
)
def test_a_duration_is_read_to_the_nearest_float(text: object, seconds: float) -> None:
    assert parse_duration_s(text) == seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("128", 128),
        (128, 128),
        (128.0, 128),
        ("100B", 100),
        ("1KiB", 1024),
        ("1 kib", 1024),
        ("8kB", 8000),
        ("1KB", 1000),
        ("1.5KiB", 1536),
        ("1MiB", 1 << 20),
        ("1GiB", 1 << 30),
        ("1TiB", 1 << 40),
        ("2MB", 2_000_000),
        ("3GB", 3 * 10**9),
        ("1TB", 10**12),
    ],
)
def test_a_size_is_read_in_bytes(text: object, size: int) -> None:
    read = parse_size(text)
    assert read == size
    assert type(read) is int


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("100", 100),
        ("10k", 10_000),
        ("10K", 10_000),
        ("1.5k", 1500),
        ("2M", 2_000_000),
        ("1G", 10**9),
        ("10_000", 10_000),
        ("10,000", 10_000),
        ("1e4", 10_000),
        (7, 7),
        (7.0, 7),
        ("0", 0),
    ],
)
def test_a_count_is_read_whole(text: object, count: int) -> None:
    assert parse_count(text) == count


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("1/s", 1.0),
        ("2k/s", 2000.0),
        ("30/min", 0.5),
        ("30/m", 0.5),
        ("0.1/s", 0.1),
        ("5/h", 5 / 3600),
        ("86400/d", 1.0),
        ("1.5 k / s", 1500.0),
        ("2k", 2000.0),
        ("1", 1.0),
        (0.2, 0.2),
        (3, 3.0),
    ],
)
def test_a_rate_is_read_per_second(text: object, rate: float) -> None:
    assert parse_rate_hz(text) == rate


@pytest.mark.parametrize("parse", PARSERS)
@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "-1",
        -1,
        -0.5,
        "nan",
        "inf",
        math.nan,
        math.inf,
        -math.inf,
        True,
        False,
        None,
        [1],
        b"1",
        "x",
        "1x",
        "1 1",
        "1.",
        ".",
        "1..5",
        "1__0",
        "1,00",
        "++1",
        "٣",
        "1" * 65,
        "1/",
        "/s",
        "1/0s",
        "k",
    ],
)
def test_what_is_no_quantity_is_refused_in_words(parse: object, value: object) -> None:
    assert callable(parse)
    with pytest.raises(ValueError, match=r"is not a (duration|size|count|rate): "):
        parse(value)


@pytest.mark.parametrize(
    ("parse", "text", "says"),
    [
        (parse_duration_s, "30m1h", "largest to the smallest"),
        (parse_duration_s, "1s1s", "largest to the smallest"),
        (parse_duration_s, "5x", "'5x' is not a duration: \"30s\""),
        (parse_duration_s, "1h30", "'1h30' is not a duration"),
        (parse_duration_s, 10**400, "too large"),
        (parse_size, "1.3B", "'1.3B': it is not whole"),
        (parse_size, 1.5, "not whole"),
        (parse_size, "9e99", "too large"),
        (parse_size, "8K", "1KiB"),
        (parse_count, "1.2345k", "not whole"),
        (parse_count, "2m", "'2m' is not a count"),
        (parse_count, "10GG", "not a count"),
        (parse_rate_hz, "1/week", "30/min"),
    ],
)
def test_a_refusal_names_the_text_and_the_reason(parse: object, text: object, says: str) -> None:
    assert callable(parse)
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - the message is what is looked at
        parse(text)
    assert says in str(refusal.value)


def test_a_long_text_is_cut_in_the_refusal() -> None:
    with pytest.raises(ValueError, match="…") as refusal:
        parse_count("9" * 10_000)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (90, "1 min 30 s"),
        (5400, "1 h 30 min"),
        (86_400, "1 d"),
        (90_061.5, "1 d 1 h 1 min 1.5 s"),
        (30.1, "30.1 s"),
        (59.9996, "1 min"),
        (0.9999999, "1 s"),
        (0.25, "250 ms"),
        (0.0001, "100 µs"),
        (1e-9, "1 ns"),
        (1e-10, "0 s"),
    ],
)
def test_a_duration_is_shown_for_people(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (128, "128 B"),
        (1023, "1,023 B"),
        (1024, "1 KiB"),
        (1536, "1.5 KiB"),
        (8000, "7.81 KiB"),
        (1_048_575, "1 MiB"),
        (1 << 20, "1 MiB"),
        (5 << 30, "5 GiB"),
        (1 << 52, "4,096 TiB"),
    ],
)
def test_a_size_is_shown_in_the_largest_unit_that_fits(size: int, text: str) -> None:
    assert format_size(size) == text


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (0, "0/s"),
        (1, "1/s"),
        (0.1, "0.1/s"),
        (2000, "2,000/s"),
        (2000.5, "2,000.5/s"),
        (7 / 60, "7/min"),
        (5 / 3600, "5/h"),
        (1000 / 3, "333.3/s"),
        (12_345.6789, "12,346/s"),
        (0.99996, "1/s"),
        (1e-7, "0.00036/h"),
    ],
)
def test_a_rate_is_shown_in_the_unit_that_fits(rate: float, text: str) -> None:
    assert format_rate(rate) == text


def test_a_count_is_shown_with_thousands() -> None:
    assert format_count(12_345) == "12,345"


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
def test_what_is_no_quantity_is_not_shown(value: float) -> None:
    with pytest.raises(ValueError, match="cannot show"):
        format_duration(value)
    with pytest.raises(ValueError, match="cannot show"):
        format_rate(value)


def test_a_negative_size_is_not_shown() -> None:
    with pytest.raises(ValueError, match="cannot show"):
        format_size(-1)


@given(st.integers(0, 10**15))
def test_whole_milliseconds_come_back_exactly(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_duration_s(format_duration(seconds)) == seconds


@given(st.integers(0, 999_999))
def test_whole_microseconds_below_a_second_come_back_exactly(microseconds: int) -> None:
    assert parse_duration_s(format_duration(microseconds / 10**6)) == microseconds / 10**6


@given(st.floats(0, 1e12))
def test_any_duration_comes_back_within_its_rounding(seconds: float) -> None:
    grain = 1e-3 if seconds >= 1 else 1e-6 if seconds >= 1e-3 else 1e-9
    error = abs(Fraction(parse_duration_s(format_duration(seconds))) - Fraction(seconds))
    assert error <= Fraction(grain) / 2 + Fraction(math.ulp(seconds))


@given(st.integers(0, 1023), st.sampled_from([1 << 0, 1 << 10, 1 << 20, 1 << 30, 1 << 40]), st.integers(0, 3))
def test_sizes_in_quarters_of_a_unit_come_back_exactly(count: int, unit: int, quarters: int) -> None:
    size = count * unit + (quarters * unit // 4 if count else 0)
    assert parse_size(format_size(size)) == size


@given(st.integers(0, 1 << 62))
def test_any_size_comes_back_within_its_rounding(size: int) -> None:
    text = format_size(size)
    unit = parse_size(f"1 {text.split()[1]}")
    digits = text.split()[0].replace(",", "")
    assert abs(Fraction(digits) * unit - size) <= Fraction(unit, 200)


@given(st.integers(0, 1 << 62))
def test_counts_come_back_exactly(count: int) -> None:
    assert parse_count(format_count(count)) == count


@given(st.integers(1, 10**6), st.sampled_from(["s", "min", "h"]))
def test_rates_in_whole_numbers_of_a_fitting_unit_come_back_exactly(count: int, unit: str) -> None:
    rate = parse_rate_hz(f"{count}/{unit}")
    shown = format_rate(rate)
    limit = {"s": math.inf, "min": 60, "h": 60}[unit]
    if count < limit:
        assert parse_rate_hz(shown) == rate
    assert parse_rate_hz(shown) == pytest.approx(rate, rel=5e-4)


@given(st.floats(1e-6, 1e12))
def test_any_rate_comes_back_within_four_digits(rate: float) -> None:
    assert parse_rate_hz(format_rate(rate)) == pytest.approx(rate, rel=5e-4)
