"""The bounds and their figures."""

from __future__ import annotations

import pytest

from squall.metrics.summary_document import Judged
from squall.reports.judged_section import judged_bounds, judged_figure
from unit.reports import reported


def judged(name: str, bound: str, figure: float | None, source: str = "threshold") -> Judged:
    return Judged(
        name=name, source=source, bound=bound, figure=figure, truth="passed", required=True, evidence=""
    )


@pytest.mark.parametrize(
    ("name", "bound", "figure", "text"),
    [
        ("ws_response_time", "p(95)<200", 12.34, "12.3 ms"),
        ("ws_ordering_latency", "avg<50", 1.5, "1.5 ms"),
        ("ws_delivery_success", "rate>0.999", 0.99996, "99.996 %"),
        ("target_memory_share{source:a}", "max<0.9", 0.5, "50 %"),
        ("target_memory_bytes", "max<1GiB", 900_000_000, "900 MB"),
        ("target_cpu_cores", "max<2", 1.5, "1.5 cores"),
        ("ws_system_throughput", "rate>100", 123.4, "123 msg/s"),
        ("ws_msgs_sent", "rate>100", 123.4, "123 msg/s"),
        ("ws_msgs_sent", "count>100", 1234, "1,234"),
        ("ws_reconnects", "rate<1", 0.5, "0.5 connections/s"),
        ("data_sent", "count>1MB", 1_500_000, "1.5 MB"),
        ("data_sent", "rate>1", 1_500_000, "1.5 MB/s"),
        ("target_figure{figure:queue}", "max<9", 7.25, "7.25"),
        ("ws_delivery_success", "rate>0.999", None, "not measured"),
        ("ws_msgs_sent", "rate>100", None, "not measured"),
        ("data_sent", "rate>1", None, "not measured"),
        ("in words of its own", "below 3", 2.5, "2.5"),
    ],
)
def test_a_threshold_has_its_figure_in_the_unit_of_its_metric(
    name: str, bound: str, figure: float | None, text: str
) -> None:
    assert judged_figure(judged(name, bound, figure)) == text


@pytest.mark.parametrize(
    ("source", "bound", "figure", "text"),
    [
        ("readiness", "< 150 ms in each 5 s (average latency)", 12.34, "12.3 ms"),
        ("readiness", "> 95 % (ramp-up: success rate)", 0.999, "99.9 %"),
        ("readiness", "the planned level (100 % of it)", 1.0, "100 %"),
        ("readiness", "none fails (within 5 % and 200 ms)", 2, "2"),
        ("readiness", "> 0.98 (stability)", 0.99, "0.99"),
        ("integrity", "not sent < 0.1% of intended", 0.0005, "0.05 %"),
        ("integrity", "== 0", 3, "3"),
    ],
)
def test_other_bounds_have_theirs_in_the_unit_that_their_words_name(
    source: str, bound: str, figure: float, text: str
) -> None:
    assert judged_figure(judged("x", bound, figure, source)) == text


def test_without_bounds_it_says_why() -> None:
    _, summary = reported.killed()
    assert judged_bounds(summary, running=False) == "<p>not measured</p>"
    assert "when the run is over" in judged_bounds(summary, running=True)
