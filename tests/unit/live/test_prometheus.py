"""The endpoint's view: an answer each second at most, and nothing kept that grows."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

from exposition_reader import Family, read_exposition
from squall.live.prometheus import SOURCES_MAX, PrometheusView
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.verdicts import Verdict


@pytest.fixture
def totals() -> Totals:
    return Totals(["main"], [["message"]])


@pytest.fixture
def view(header: RunHeader, totals: Totals) -> PrometheusView:
    made = PrometheusView()
    made.begin_run(header, Path("run"), totals)
    return made


def read(view: PrometheusView) -> dict[str, Family]:
    answer = view.answer()
    assert answer.status == HTTPStatus.OK
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    return read_exposition(answer.body.decode())


def test_before_the_run_there_is_no_answer() -> None:
    assert PrometheusView().answer().status == HTTPStatus.SERVICE_UNAVAILABLE


def test_an_answer_is_made_once_for_each_second(
    view: PrometheusView, totals: Totals, make_interval: Callable[..., Interval]
) -> None:
    for index in range(2):
        totals.add(make_interval(index))
        view.accept(make_interval(index))
        first = view.answer()
        assert view.answer() is first
        assert read(view)["squall_ws_msgs_sent_total"].total() == 20 * (index + 1)


def test_alerts_are_raised_and_cleared_also_by_events_of_an_interval(
    view: PrometheusView, make_interval: Callable[..., Interval]
) -> None:
    view.happened(Event(at_ns=1, kind="alert", text="", name="cpu_usage", figure=0.9, bound=0.8))
    view.happened(Event(at_ns=1, kind="drop", text=""))
    assert read(view)["squall_alert"].total(name="cpu_usage") == 1
    cleared = Event(at_ns=2, kind="alert_cleared", text="", name="cpu_usage")
    view.accept(make_interval(0, events=[cleared]))
    assert read(view)["squall_alert"].total() == 0


def test_the_last_sample_of_each_source_counts_and_overflows_add_up(view: PrometheusView) -> None:
    for share, overflows in ((0.5, 2), (0.7, None), (0.6, 3)):
        view.sampled(
            ResourceSample(
                at_ns=1, source="target", role="target", cpu_share=share, accept_overflows=overflows
            )
        )
    found = read(view)
    assert found["squall_target_cpu_share"].total() == 0.6
    assert found["squall_target_accept_overflows_total"].total() == 5


def test_sources_and_alerts_are_bounded(view: PrometheusView) -> None:
    for number in range(SOURCES_MAX + 20):
        view.sampled(ResourceSample(at_ns=1, source=f"s{number}", role="target", cpu_share=1.0))
        view.happened(Event(at_ns=1, kind="alert", text="", name=f"a{number}"))
    found = read(view)
    assert len(found["squall_target_cpu_share"].samples) == SOURCES_MAX
    assert len(found["squall_alert"].samples) == SOURCES_MAX


def test_the_end_is_told(view: PrometheusView, verdict: Verdict) -> None:
    assert "squall_run_exit_code" not in read(view)
    view.concluded(verdict)
    assert read(view)["squall_run_exit_code"].total() == 99
