from __future__ import annotations

import pytest

from squall.charts.quantities import Unit, clock, quantity


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "ms", "0 ms"),
        (0.0512, "ms", "51.2 µs"),
        (12.349, "ms", "12.3 ms"),
        (1234.5, "ms", "1.23 s"),
        (300_000, "ms", "5 min"),
        (10_500, "count", "10,500"),
        (1_234_567, "count", "1.23 M"),
        (9_876.54, "/s", "9,880/s"),
        (1.234, "cores", "1.23 cores"),
        (48_200_000, "bytes", "48.2 MB"),
        (999_999, "bytes", "1 MB"),
        (512, "bytes/s", "512 B/s"),
        (0.125, "share", "12.5 %"),
        (0.9999, "quantile", "99.99 %"),
        (3_600, "s", "1:00:00"),
    ],
)
def test_a_figure_has_its_unit_and_three_digits(value: float, unit: Unit, text: str) -> None:
    assert quantity(value, unit) == text


@pytest.mark.parametrize(
    ("at_s", "grain_s", "text"),
    [
        (0, 1, "0:00"),
        (7, 1, "0:07"),
        (59.6, 1, "1:00"),
        (3599.99, 1, "1:00:00"),
        (61.25, 0.1, "1:01.2"),
        (3.5, 0.5, "0:03.5"),
        (0.125, 0.001, "0:00.125"),
        (-5, 1, "-0:05"),
        (90_061, 1, "25:01:01"),
    ],
)
def test_a_time_is_written_as_a_clock_writes_it(at_s: float, grain_s: float, text: str) -> None:
    assert clock(at_s, grain_s) == text
