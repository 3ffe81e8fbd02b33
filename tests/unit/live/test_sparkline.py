"""Rows of characters."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.live.sparkline import sparkline


@pytest.mark.parametrize(
    ("values", "width", "row"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8], 9, "▁▂▃▄▅▆▇██"),
        ([1, 1], 4, "  ██"),
        ([5, None, 10], 3, "▅ █"),
        ([0, 0], 2, "▁▁"),
        ([], 3, "   "),
        ([None], 1, " "),
        ([1], 0, ""),
        ([0, 0, 0, 9, 0, 0], 3, "▁█▁"),
        ([0, 0, 0, 0, 9], 2, "▁█"),
    ],
)
def test_the_newest_is_at_the_right_and_a_spike_survives(
    values: Sequence[float | None], width: int, row: str
) -> None:
    assert sparkline(values, width) == row


@given(st.lists(st.none() | st.floats(0, 1e9), max_size=200), st.integers(0, 50))
def test_it_is_as_wide_as_was_asked_for(values: list[float | None], width: int) -> None:
    row = sparkline(values, width)
    assert len(row) == width
    if width and any(value for value in values):
        assert "█" in row
