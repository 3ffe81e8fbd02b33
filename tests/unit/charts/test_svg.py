from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from squall.charts.chart import SIGNS, Bound, Chart, Line, Mark, Span
from squall.charts.svg import colour_of, describe, svg, svg_file, x_range

HOSTILE = "</title><script>alert(1)</script>&\"'"


def chart(*lines: Line, **more: object) -> Chart:
    return Chart(title="Response time", unit="ms", lines=lines, **more)  # type: ignore[arg-type]  # fields of a chart


def drawn(text: str, kind: str) -> list[str]:
    return re.findall(rf'<path class="{kind}" d="([^"]*)"', text)


def numbers(path: str) -> list[tuple[float, float]]:
    return [(float(x), float(y)) for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path)]


def test_coordinates_have_one_decimal_at_most_and_no_more_letters_than_they_need() -> None:
    text = svg(chart(Line(name="p99", x=[0, 1, 2, 3], y=[0, 10 / 3, 0.001, 10])), height=100)
    assert drawn(text, "stroke") == ["M0 100L333.3 66.7L666.7 100L1000 0"]


def test_a_line_goes_through_its_points() -> None:
    text = svg(chart(Line(name="p99", x=[0, 1, 2], y=[0, 5, 10])), height=100)
    assert [numbers(path) for path in drawn(text, "stroke")] == [[(0, 100), (500, 50), (1000, 0)]]
    assert drawn(text, "band") == []


def test_a_fault_is_a_band_with_its_name_escaped_and_never_too_thin_to_see() -> None:
    line = Line(name="held", x=[0, 100], y=[1, 1])
    text = svg(chart(line, faults=[Span(20, 40, HOSTILE), Span(50, 50, "short")]))
    found = re.findall(r'<rect class="fault" x="([\d.]+)" y="0" width="([\d.]+)"', text)
    assert found == [("200", "200"), ("500", "1")]
    assert HOSTILE not in text
    assert 'class="fault"' not in svg(chart(line))


def test_an_outage_is_a_band_with_a_bar_at_its_foot_named_where_there_is_room() -> None:
    line = Line(name="held", x=[0, 100], y=[1, 1])
    text = svg(chart(line, outages=[Span(20, 60, HOSTILE), Span(80, 81, "short")]), height=100)
    found = re.findall(
        r'<rect class="(outage|foot)" x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d+)"', text
    )
    assert found == [
        ("outage", "200", "0", "400", "100"), ("foot", "200", "95", "400", "5"),
        ("outage", "800", "0", "10", "100"), ("foot", "800", "95", "10", "5"),
    ]  # fmt: skip
    assert re.findall(r'<text class="at on-outage" data-at="([\d.]+)"[^>]*>outage<', text) == ["0.2"]
    assert text.count("<title>short</title>") == 1, "each is named once"
    assert HOSTILE not in text
    assert not re.search("outage|foot", svg(chart(line)))


def test_a_gap_is_a_gap_and_never_a_zero() -> None:
    text = svg(chart(Line(name="p99", x=[0, 1, 2, 3, 4], y=[10, 10, None, None, 10])), height=100)
    (path,) = drawn(text, "stroke")
    assert path.count("M") == 2
    assert {y for _, y in numbers(path)} == {0}


def test_points_farther_apart_than_the_gap_are_not_joined() -> None:
    joined = Line(name="cpu", x=[0, 5, 60, 65], y=[1, 1, 1, 1])
    apart = Line(name="cpu", x=[0, 5, 60, 65], y=[1, 1, 1, 1], gap=12)
    assert [drawn(svg(chart(each)), "stroke")[0].count("M") for each in (joined, apart)] == [1, 2]


def test_a_spike_of_one_second_is_as_high_at_any_width() -> None:
    y = np.ones(3600)
    y[1500] = 100
    line = Line(name="held", x=np.arange(3600.0), y=y)
    for count in (50, 1000):
        (band,) = drawn(svg(chart(line), height=200, columns=count), "band")
        x, least = min(numbers(band), key=lambda point: point[1])
        assert least == 0
        assert abs(x - 1000 * 1500 / 3599) <= 1000 / count
    greatest = Line(name="p99", x=np.arange(3600.0), y=y, middle="greatest")
    assert min(at for _, at in numbers(drawn(svg(chart(greatest), columns=50), "stroke")[0])) == 0


def test_what_stands_for_several_has_a_band() -> None:
    line = Line(name="held", x=[0, 10, 20], y=[5, 5, 5], low=[1, 5, 5], high=[10, 5, 5])
    (band,) = drawn(svg(chart(line), height=100), "band")
    assert (0, 0) in numbers(band)
    assert (0, 90) in numbers(band)


def test_a_fan_lies_between_two_percentiles() -> None:
    text = svg(chart(Line(name="p99", x=[0, 1], y=[10, 10], floor=[5, 5])), height=100)
    assert numbers(drawn(text, "fan")[0]) == [(0, 0), (1000, 0), (1000, 50), (0, 50)]


def test_bars_and_dots_show_what_is_there() -> None:
    bars = svg(chart(Line(name="drops", x=[0, 1, 2], y=[0, 3, None], look="bars")), height=100)
    assert drawn(bars, "bars") == ["M500 100V25"]
    dots = svg(chart(Line(name="levels", x=[0, 1], y=[2, 1], look="dots")), height=100)
    assert drawn(dots, "dots") == ["M0 0h0M1000 50h0"]
    steps = svg(chart(Line(name="planned", x=[0, 1], y=[2, 1], look="step")), height=100)
    assert drawn(steps, "stroke") == ["M0 0H1000V50"]


def test_nothing_measured_says_so_and_draws_nothing() -> None:
    text = svg(chart(Line(name="cpu", x=[0, 1], y=[None, None])))
    assert "not measured" in text
    assert not re.search(r'class="(stroke|grid)"', text)
    assert "not measured" in svg(chart())
    assert describe(chart()) == "Nothing was measured."


def test_phases_marks_and_bounds_stand_where_they_are() -> None:
    text = svg(
        chart(
            Line(name="p99", x=[0, 100], y=[10, 10]),
            spans=[Span(0, 50, "ramp up"), Span(50, 100, "hold")],
            marks=[
                Mark(25, "latency 812 ms", "alert"),
                Mark(30, "well again", "cleared"),
                Mark(40, "a fault"),
            ],
            bounds=[Bound(20, "p(95) < 20 ms"), Bound(500, "far away")],
        ),
        height=100,
    )
    assert re.search(r'<rect class="span1" x="500" y="0" width="500"', text)
    assert "M250 0V100" in text
    assert "latency 812 ms" in text
    assert re.findall(r'y="10">(.)<title>([^<]*)<', text) == [
        (SIGNS["alert"], "latency 812 ms"), (SIGNS["cleared"], "well again"), (SIGNS["event"], "a fault"),
    ]  # fmt: skip
    assert "p(95) &lt; 20 ms" in text
    assert "far away" not in text


@pytest.mark.parametrize("kind", ["linear", "log"])
def test_both_forms_are_well_formed_and_escape_what_strangers_wrote(kind: str) -> None:
    hostile = chart(
        Line(name=HOSTILE, x=[0, 1], y=[1, 200], key=HOSTILE),
        spans=[Span(0, 1, HOSTILE)],
        marks=[Mark(0.5, HOSTILE)],
        bounds=[Bound(1, HOSTILE)],
        y_kind=kind,
        y_label=HOSTILE,
        x_label=HOSTILE,
    )
    for text in (svg(hostile), svg_file(hostile)):
        ET.fromstring(text)
        assert "<script>" not in text


def test_a_file_has_its_colours_title_description_and_legend() -> None:
    lines = [Line(name=f"a rather long name {number}", x=[0, 1], y=[number, 1]) for number in range(9)]
    root = ET.fromstring(svg_file(chart(*lines), width=400, height=400))
    names = {child.tag.rpartition("}")[2] for child in root}
    assert {"title", "desc", "style"} <= names
    legend = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {line.name for line in lines} <= set(legend)


def test_the_description_has_the_figures() -> None:
    line = Line(name="p99", x=[0, 61], y=[1.5, 800])
    assert describe(chart(line)) == "p99: from 1.5 ms to 800 ms, greatest at 1:01."


def test_the_range_is_that_of_all_lines_or_the_given_one() -> None:
    lines = Line(name="a", x=[1, 5], y=[1, 1]), Line(name="b", x=[0, 2], y=[1, 1])
    assert x_range(chart(*lines)) == (0, 5)
    assert x_range(chart(*lines, x_range=(2, 9))) == (2, 9)
    assert x_range(chart()) == (0, 1)
    assert [colour_of(chart(*lines), number) for number in (0, 1)] == [1, 2]
