"""Figures as the views write them."""

from __future__ import annotations

import pytest

from squall.live.words import clock, event, milliseconds, per_second, trouble
from squall.record.outcomes import Trouble
from squall.record.snapshots import Event


@pytest.mark.parametrize(
    ("value_ms", "text"),
    [
        (None, "–"),
        (0.0, "0.00"),
        (0.414, "0.41"),
        (9.99, "9.99"),
        (9.996, "10.0"),
        (12.34, "12.3"),
        (99.96, "100"),
        (1234.5, "1,234"),
    ],
)
def test_milliseconds_have_three_digits_or_all_whole_ones(value_ms: float | None, text: str) -> None:
    assert milliseconds(value_ms) == text


@pytest.mark.parametrize(
    ("value_hz", "text"),
    [(None, "–"), (0.0, "0/s"), (0.24, "0.2/s"), (3.0, "3/s"), (9.97, "10/s"), (10_012.3, "10,012/s")],
)
def test_rates_are_whole_from_ten_on(value_hz: float | None, text: str) -> None:
    assert per_second(value_hz) == text


def test_a_time_of_the_run_has_hours_minutes_and_whole_seconds() -> None:
    assert clock(3_725_900_000_000) == "1:02:05"


def test_a_trouble_says_whose_doing_it_was() -> None:
    assert trouble(Trouble("upgrade", "status_403", "target")) == "upgrade status 403 (target)"


def test_an_event_is_one_line_whatever_it_says() -> None:
    text = event(Event(at_ns=7_000_000_000, kind="worker_lost", text="a\nb " + "x" * 500))
    assert text.startswith("0:00:07 worker lost: a b xxx")
    assert "\n" not in text
    assert text.endswith("…")
