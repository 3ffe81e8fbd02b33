"""Which figure of a page is meant."""

from __future__ import annotations

import pytest

from squall.scenario.scraping import Expression, Series, parse_expression


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("process_open_fds", Expression(Series("process_open_fds"))),
        ("rate( cpu_total )", Expression(Series("cpu_total", rate=True))),
        ('a{x="1", y="b/c*d"}', Expression(Series("a", frozenset({("x", "1"), ("y", "b/c*d")})))),
        ("a / 100", Expression(Series("a"), (("/", 100.0),))),
        ("a*2 / rate(b)", Expression(Series("a"), (("*", 2.0), ("/", Series("b", rate=True))))),
        ('rate(a:b{c=""}) * 1e-3', Expression(Series("a:b", frozenset({("c", "")}), True), (("*", 0.001),))),
    ],
)
def test_an_expression_is_read(text: str, expected: Expression) -> None:
    assert parse_expression(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "12", "a b", "a{", "a{x}", 'a{x="1"', "rate(a", "a / ", "/ a", "sum(a)", "a + b", "rate(rate(a))"],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"series|labels"):
        parse_expression(text)


def test_a_value_is_computed_from_left_to_right_and_only_from_what_there_is() -> None:
    values = {Series("a"): 6.0, Series("zero"): 0.0}
    assert parse_expression("a / 3 * 2").value(values.get) == 4.0
    assert parse_expression("a / missing").value(values.get) is None
    assert parse_expression("missing / a").value(values.get) is None
    assert parse_expression("a / zero").value(values.get) is None
    assert parse_expression("100 * a").value(values.get) == 600.0


def test_the_series_of_an_expression_are_told() -> None:
    assert list(parse_expression("rate(a) / 3 / b").series()) == [Series("a", rate=True), Series("b")]
