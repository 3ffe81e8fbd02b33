from __future__ import annotations

import re
from html.parser import HTMLParser

from squall.charts.chart import Chart, Line
from squall.charts.figure import FIGURE_CSS, figure

HOSTILE = "</script><script>alert(1)</script>"


class Elements(HTMLParser):
    """Every element with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def chart(*lines: Line) -> Chart:
    return Chart(title="Response time", unit="ms", lines=lines, note="of each second")


def test_the_picture_is_named_by_its_title_and_described_by_its_figures() -> None:
    text = figure(
        chart(Line(name="p50", x=[0, 9], y=[1, 3.456]), Line(name="p99", x=[0, 9], y=[None, None])), "lat"
    )
    elements = Elements(text).found
    ids = {each["id"] for _, each in elements if each.get("id")}
    (picture,) = [each for tag, each in elements if tag == "svg" and each.get("role") == "img"]
    assert (picture["aria-labelledby"], picture["aria-describedby"]) == ("lat-title", "lat-figures")
    assert {"lat-title", "lat-figures", "lat"} <= ids
    assert re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", text)[5:] == [
        "p50", "1 ms", "3.46 ms", "0:09", "3.46 ms", "p99", "not measured",
    ]  # fmt: skip


def test_the_legend_names_every_line_in_its_colour() -> None:
    lines = [Line(name=f"p{number}", x=[0], y=[1]) for number in (50, 99)]
    text = figure(chart(*lines), "a")
    assert re.findall(r'<li class="(c\d)" data-line="(\d)"', text) == [("c1", "0"), ("c2", "1")]


def test_what_strangers_wrote_is_escaped() -> None:
    text = figure(chart(Line(name=HOSTILE, x=[0, 1], y=[1, 2])), "a")
    assert "<script>" not in text


def test_the_style_asks_for_nothing_from_elsewhere() -> None:
    assert not re.search(r"url\(|@import|http", FIGURE_CSS)
