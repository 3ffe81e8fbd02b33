from __future__ import annotations

import json

from squall.charts.chart import Chart, Line
from squall.reports.markup import bullets, section, series_data, table, text

HOSTILE = "</script><script>alert(1)</script>\x1b[31m\n&"


def test_what_strangers_wrote_is_text_and_nothing_else() -> None:
    assert text(HOSTILE) == "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;\ufffd[31m &amp;"
    for made in (
        bullets([HOSTILE]),
        section("a", HOSTILE, "<p></p>"),
        table([HOSTILE], [[HOSTILE, HOSTILE]], caption=HOSTILE),
    ):
        assert "<script>" not in made
        assert "\x1b" not in made


def test_a_table_names_its_rows_and_columns_and_sets_figures_apart() -> None:
    made = table(("", "count"), [("sent", "1,000"), ("words", "none")], caption="Messages", marks=["sum", ""])
    assert '<th scope="col">count</th>' in made
    assert '<tr class=sum><th scope="row">sent</th><td class=n>1,000</td></tr>' in made
    assert '<tr><th scope="row">words</th><td>none</td></tr>' in made
    assert "<caption>Messages</caption>" in made


def test_a_section_with_nothing_to_say_is_none() -> None:
    assert section("a", "A", "") == ""


def test_the_data_has_every_series_once_and_nothing_that_ends_its_element() -> None:
    x = [0, 1, 2]
    lines = [
        Line(name="a", x=x, y=[1, None, 1 / 3], key="a"),
        Line(name="b", x=x, y=[1, 2, 3], low=[0, 2, 3], high=[1, 2, 9], key="</script>"),
        Line(name="d", x=x, y=[1, 2, 3], low=[1, 2, 3], high=[1, 2, 3], key="d"),
        Line(name="without a key", x=x, y=x),
        Line(name="c", x=[0.5], y=[7], key="c"),
    ]
    encoded = series_data([Chart(title="t", unit="ms", lines=lines)])
    assert "<" not in encoded
    assert json.loads(encoded) == {
        "axes": [[0, 1, 2], [0.5]],
        "series": {
            "a": {"x": 0, "y": [1, None, 0.333333]},
            "</script>": {"x": 0, "y": [1, 2, 3], "l": [0, 2, 3], "h": [1, 2, 9]},
            "d": {"x": 0, "y": [1, 2, 3]},
            "c": {"x": 1, "y": [7]},
        },
    }
