"""Figures out of a page in Prometheus' text format."""

from __future__ import annotations

import pytest

from squall.sampling.exposition import sums
from squall.scenario.scraping import Series

PAGE = """\
# HELP http_requests_total of this service
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000
http_requests_total{method="get",code="200"} 5
http_requests_total_other 99
# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find file:\\n\\"FILE.TXT\\""} 1.458255915e9
metric_without_timestamp_and_labels 12.47
something_weird{problem="division by zero"} +Inf -3982045
not_a_number NaN
broken{a="b" 12
broken 1x
empty_labels{} 4
# OpenMetrics: an exemplar behind the value.
with_exemplar_total{a="b"} 5 # {trace_id="x"} 0.3
with_exemplar_total{a="c"} 6 1395066363.0 # {trace_id="y",span="}"} 0.4 1395066363.1
bare_exemplar_total 7 # {trace_id="z"} 0.5
braces_in_a_value{path="/{id}/\\"}{",code="200"} 8
"""


@pytest.mark.parametrize(
    ("series", "value"),
    [
        (Series("http_requests_total"), 1035),
        (Series("http_requests_total", frozenset({("method", "post")})), 1030),
        (Series("http_requests_total", frozenset({("method", "get"), ("code", "200")})), 5),
        (Series("metric_without_timestamp_and_labels"), 12.47),
        (Series("msdos_file_access_time_seconds", frozenset({("path", "C:\\DIR\\FILE.TXT")})), 1.458255915e9),
        (Series("empty_labels"), 4),
        (Series("http_requests_total", rate=True), 1035),
        (Series("with_exemplar_total"), 11),
        (Series("with_exemplar_total", frozenset({("a", "c")})), 6),
        (Series("bare_exemplar_total"), 7),
        (Series("braces_in_a_value", frozenset({("code", "200")})), 8),
    ],
)
def test_the_lines_of_a_series_are_summed(series: Series, value: float) -> None:
    assert sums(PAGE, [series]) == {series: value}


@pytest.mark.parametrize(
    "series",
    [
        Series("http_requests"),
        Series("http_requests_total", frozenset({("method", "put")})),
        Series("something_weird"),
        Series("not_a_number"),
        Series("broken"),
        Series("HELP"),
    ],
)
def test_what_is_not_there_or_no_number_is_left_out(series: Series) -> None:
    assert sums(PAGE, [series]) == {}


@pytest.mark.parametrize(
    "page",
    [
        "",
        "<html><body>a 12</body></html>",
        "\0\0\0",
        "a" * 100_000,
        "a{" * 10_000,
        "process_open_fds{" * 10_000,
        'process_open_fds{"' + '\\"' * 10_000,
        'process_open_fds{a="b"' * 10_000,
    ],
)
def test_a_page_that_is_none_has_no_figures(page: str) -> None:
    assert sums(page, [Series("process_open_fds")]) == {}


def test_several_series_are_read_at_once() -> None:
    wanted = [Series("empty_labels"), Series("http_requests_total", frozenset({("code", "400")}))]
    assert sums(PAGE, wanted) == {wanted[0]: 4, wanted[1]: 3}
