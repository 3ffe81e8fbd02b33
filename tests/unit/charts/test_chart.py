from __future__ import annotations

import dataclasses

import pytest

from squall.charts.chart import Chart, Line


def test_a_chart_is_plain_data_that_does_not_change() -> None:
    chart = Chart(title="Held", unit="count", lines=[Line(name="held", x=[0, 1], y=[1, None])])
    assert (chart.x_unit, chart.x_kind, chart.y_kind, chart.x_range) == ("s", "linear", "linear", None)
    with pytest.raises(dataclasses.FrozenInstanceError):
        chart.title = "other"  # type: ignore[misc]  # what is tried
