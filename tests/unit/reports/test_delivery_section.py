from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from squall.metrics.history import History
from squall.metrics.summary_document import (
    Acknowledgements,
    Ordering,
    Percentiles,
    SentBadly,
    SentBadlySecond,
    Summary,
    WorstStream,
)
from squall.reports import delivery_section as of
from squall.reports.backdrop import backdrop
from unit.reports import reported


def told(streams: int = 0, seconds: tuple[SentBadlySecond, ...] = ()) -> Summary:
    _, summary = reported.passed()
    worst = [
        WorstStream(
            population="main", stream=number, worker=0, lost=2, unknown=1, duplicated=0, reordered=3,
            lost_ranges=[(4, 4), (9, 9)], unknown_ranges=[], first_sent_s=1, last_sent_s=61, why="drained",
        )
        for number in range(streams)
    ]  # fmt: skip
    badly = SentBadly(width_s=2, seconds=list(seconds), untimed=9)
    return msgspec.structs.replace(summary, worst_streams=worst, sent_badly=badly)


def counted(rows: Iterable[tuple[str, Percentiles]], caption: str) -> str:
    return f"{caption}: {[words for words, each in rows if each.count]}"


def test_troubles_are_drawn_by_the_second_of_sending() -> None:
    behind = backdrop(History())
    seconds = (
        SentBadlySecond(second=4, lost=6, unknown=0, retried=0),
        SentBadlySecond(second=6, lost=0, unknown=0, retried=1),
    )
    (chart,) = of.sending_troubles(told(seconds=seconds), behind)
    assert [(line.name, list(line.x), list(line.y)) for line in chart.lines] == [
        ("lost", [2, 4, 6, 8], [0, 0, 3, 0]), ("sent again", [2, 4, 6, 8], [0, 0, 0, 0.5]),
    ]  # fmt: skip
    assert of.sending_troubles(told(), behind) == []


def test_seconds_in_which_all_went_well_are_zeros_and_in_bounds() -> None:
    behind = replace(backdrop(History()), x_range=(0.0, 300_000.0))
    seconds = tuple(SentBadlySecond(second=at, lost=1, unknown=0, retried=0) for at in (7, 100_001))
    summary = told(seconds=seconds)
    summary = msgspec.structs.replace(summary, sent_badly=SentBadly(width_s=1, seconds=list(seconds)))
    (chart,) = of.sending_troubles(summary, behind)
    (line,) = chart.lines
    found = dict(zip(line.x, line.y, strict=True))
    assert [found[at] for at in (7, 8, 9)] == [0, 1, 0]
    assert [found[at] for at in (100_001, 100_002, 100_003)] == [0, 1, 0]
    assert sum(line.y) == 2
    assert len(line.x) < 3_700
    assert max(later - at for at, later in zip(line.x, line.x[1:], strict=False)) < 100


def test_the_worst_streams_have_their_numbers_their_time_and_their_end() -> None:
    summary = told(streams=of.STREAMS_SHOWN + 5)
    (row, *_) = of.worst_rows(summary.worst_streams)
    assert row == ("0", "main", "2: 4, 9", "1", "0", "3", "0:01–1:01", "drained")
    html = of.worst_streams(summary)
    assert html.count("<tr>") == of.STREAMS_SHOWN + 1
    assert "5 more are in summary.json" in html
    assert of.worst_streams(told()) == ""


def test_order_is_told_where_it_was_kept_account_of() -> None:
    _, summary = reported.passed()
    without = msgspec.structs.replace(summary, ordering=Ordering(), ordering_by_type={})
    assert of.ordered(without) == ""
    kept = msgspec.structs.replace(without, ordering=Ordering(accuracy=0.5, gaps=7))
    html = of.ordered(kept)
    assert "<td class=n>50 %</td>" in html
    assert "<td class=n>7</td>" in html
    assert "not measured" in html


def test_acknowledgements_are_told_where_any_are_waited_for() -> None:
    _, summary = reported.passed()
    assert of.acknowledged(summary, counted) == ""
    found = Acknowledgements(acknowledged=90, retried=12, ack_time=Percentiles(count=90))
    html = of.acknowledged(msgspec.structs.replace(summary, acknowledgements=found), counted)
    assert "<td class=n>90</td>" in html
    assert "['from the attempt that is acknowledged']" in html
