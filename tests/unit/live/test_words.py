"""Figures as the views write them."""

from __future__ import annotations

import pytest

from squall.live.words import check_words, clock, event, milliseconds, per_second, resource_words, trouble
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event
from squall.record.stability import StabilityCheck


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


def test_a_watched_machine_says_what_was_measured_of_it() -> None:
    sample = ResourceSample(
        at_ns=1,
        source="target",
        role="target",
        cpu_share=0.621,
        cpu_cores=1.24,
        cpu_thread_max_cores=0.97,
        cpu_throttled_share=0.05,
        memory_share=0.41,
        memory_bytes=1_230_000_000,
        descriptors=10_012,
        accept_queue=3,
        accept_overflows=2,
        custom={"queue": 7.0},
    )
    assert resource_words(sample) == (
        "cpu 62.1 % (1.24 cores)  busiest thread 97 %  throttled 5 %  memory 41 % 1.23 GB  descriptors 10,012"
        "  accept queue 3  accept overflows 2  queue 7"
    )


def test_a_machine_that_could_not_be_looked_at_says_why() -> None:
    gone = ResourceSample(at_ns=1, source="target", role="target", problem="pid 7 is gone")
    assert resource_words(gone) == "pid 7 is gone"
    assert resource_words(ResourceSample(at_ns=1, source="a", role="target")) == "not measured"
    only_cores = ResourceSample(at_ns=1, source="a", role="target", cpu_cores=0.5, memory_bytes=10**6)
    assert resource_words(only_cores) == "cpu 0.5 cores  memory 1 MB"


def test_a_check_says_which_tolerance_it_broke(check: StabilityCheck) -> None:
    assert check_words(check) == "0:00:00 to 0:00:30: drops 10 % (at most 0.5 %)"
