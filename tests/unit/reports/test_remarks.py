from __future__ import annotations

import pytest

from squall.metrics.moments import UNENDED, Moment
from squall.reports.remarks import remark, when


@pytest.mark.parametrize(
    ("start_s", "end_s", "text"), [(90, None, "1:30"), (90, 90.2, "1:30"), (90, 102, "1:30–1:42")]
)
def test_a_time_is_a_moment_or_a_stretch(start_s: float, end_s: float | None, text: str) -> None:
    assert when(start_s, end_s) == text


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (
            Moment(kind="silence", start_s=300.3, end_s=302.7, figure=2400, usual=33.5),
            "Silence: for 2.4 s, from 5:00.300, nothing arrived on any connection of a worker"
            " (usually at most 33.5 ms).",
        ),
        (
            Moment(kind="silence", start_s=300, end_s=312, figure=12000, usual=33.5, what=UNENDED),
            "Silence: from 5:00 on nothing arrived on any connection until the load ended, 12 s later"
            " (usually at most 33.5 ms).",
        ),
        (
            Moment(kind="slow", start_s=302, end_s=303, figure=2360, usual=20.5),
            "Slow answers: p99 of the response time rose to 2.36 s, from the usual 20.5 ms.",
        ),
        (
            Moment(kind="slow_place", start_s=0, end_s=9, figure=9.27, usual=2.24, what="b at ws://lb/"),
            "A slow place: b at ws://lb/ has a median response time of 9.27 ms, all other places together 2.24 ms.",
        ),
        (
            Moment(
                kind="slow_spells", start_s=10, end_s=43, figure=80, usual=5, what="b", times=2, lasted_s=7
            ),
            "A place that was slow at times: the p99 of b rose to 80 ms, while that of the other places was 5 ms;"
            " 2 times, for 7 s in all.",
        ),
        (
            Moment(kind="slow_spells", start_s=10, end_s=14, figure=80, usual=5, what="b", lasted_s=4),
            "A place that was slow at times: the p99 of b rose to 80 ms, while that of the other places was 5 ms;"
            " for 4 s.",
        ),
        (
            Moment(kind="drops", start_s=600, end_s=601, figure=1000, usual=1000, back_s=605, again=1000),
            "Drops: 1,000 of the 1,000 held connections ended that squall did not end; 1,000 came back;"
            " as many as before were held again after 5 s.",
        ),
        (
            Moment(kind="drops", start_s=0, end_s=1, figure=3, usual=None),
            "Drops: 3 connections ended that squall did not end.",
        ),
        (
            Moment(kind="growth", start_s=0, end_s=600, figure=200e6, usual=100e6, what="a:b:memory_bytes"),
            "Growth: memory of a:b went up in a straight line, from 100 MB to 200 MB (by 100 %),"
            " 10 MB a minute, while the load was held.",
        ),
        (
            Moment(kind="growth", start_s=0, end_s=60, figure=150, usual=100, what="node:descriptors"),
            "Growth: open descriptors of node went up in a straight line, from 100 to 150 (by 50 %),"
            " 50 a minute, while the load was held.",
        ),
    ],
)
def test_each_moment_is_one_sentence(moment: Moment, text: str) -> None:
    assert remark(moment) == text
