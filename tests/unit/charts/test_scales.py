from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.charts.scales import nines, value_scale, x_scale


def test_nines_have_the_same_room_each() -> None:
    scale = x_scale(0.0, 0.9999, "quantile", "nines")
    assert [tick.text for tick in scale.ticks] == ["0 %", "50 %", "90 %", "99 %", "99.9 %", "99.99 %"]
    places = [tick.at for tick in scale.ticks]
    assert places[2:] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert nines(0.999) == pytest.approx(3)


def test_a_time_axis_is_marked_in_minutes_and_ends_where_the_run_does() -> None:
    scale = x_scale(0, 3600, "s")
    assert [tick.text for tick in scale.ticks] == [
        "0:00",
        "10:00",
        "20:00",
        "30:00",
        "40:00",
        "50:00",
        "1:00:00",
    ]
    assert scale.place(1800) == 0.5
    assert [tick.text for tick in x_scale(0, 3, "s").ticks][:2] == ["0:00.0", "0:00.5"]


def test_an_axis_of_figures_starts_at_zero_and_counts_in_whole_things() -> None:
    assert [tick.text for tick in value_scale(3, 4, "count").ticks] == ["0", "1", "2", "3", "4"]
    assert value_scale(9_000, 10_000, "count").end == 10_000
    assert value_scale(0, 0, "ms").end == 1
    assert value_scale(-3, 4, "ms").start <= -3


def test_a_logarithmic_axis_goes_from_decade_to_decade() -> None:
    scale = value_scale(1.2, 830, "ms", "log")
    assert (scale.start, scale.end) == (1, 1000)
    assert scale.places(np.array([1.0, 10.0, 100.0, 1000.0])) == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert scale.place(0) == 0


@given(
    st.floats(min_value=0, max_value=1e9, allow_subnormal=False),
    st.floats(min_value=1e-6, max_value=1e9),
    st.sampled_from(["linear", "log"]),
)
def test_what_was_measured_lies_on_its_axis_and_so_do_the_ticks(least: float, more: float, kind: str) -> None:
    greatest = least + more
    scale = value_scale(least, greatest, "ms", kind)  # type: ignore[arg-type]  # drawn from both kinds
    assert scale.place(greatest) <= 1 + 1e-9
    assert scale.place(least) >= -1e-9
    assert 1 < len(scale.ticks) <= 12
    assert all(-1e-9 <= tick.at <= 1 + 1e-9 for tick in scale.ticks)


@given(st.floats(min_value=0.001, max_value=1e7))
def test_a_time_axis_has_few_marks(span_s: float) -> None:
    assert 1 <= len(x_scale(0, span_s, "s").ticks) <= 8


@given(st.floats(min_value=-1e9, max_value=1e9, allow_subnormal=False))
def test_a_level_that_never_moves_lies_on_its_axis(level: float) -> None:
    scale = value_scale(level, level, "ms")
    assert scale.start <= level <= scale.end
    assert len(scale.ticks) > 1
