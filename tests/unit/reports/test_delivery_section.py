from __future__ import annotations

from collections.abc import Iterable

import msgspec

from made_runs import S, second
from squall.metrics.history import History
from squall.metrics.summary_document import Acknowledgements, Ordering, Percentiles
from squall.record.streams import SentSecond, StreamTrouble
from squall.reports import delivery_section as of
from squall.reports.pictures import backdrop
from unit.reports import reported


def told(streams: int = 0, seconds: tuple[SentSecond, ...] = ()) -> History:
    history = History()
    worst = [
        StreamTrouble(
            population=0, stream=number, worker=0, lost=2, lost_ranges=[(4, 4), (9, 9)], unknown=1, reordered=3,
            first_sent_ns=S, last_sent_ns=61 * S, why="drained",
        )
        for number in range(streams)
    ]  # fmt: skip
    history.accept(msgspec.structs.replace(second(0), streams=worst, seconds=list(seconds)))
    return history


def counted(rows: Iterable[tuple[str, Percentiles]], caption: str) -> str:
    return f"{caption}: {[words for words, each in rows if each.count]}"


def test_troubles_are_drawn_by_the_second_of_sending_the_untimed_left_out() -> None:
    history = told(seconds=(SentSecond(-1, 1, lost=9), SentSecond(4, 2, lost=6), SentSecond(6, 2, retried=1)))
    (chart,) = of.sending_troubles(history, backdrop(history))
    assert [(line.name, list(line.x), list(line.y)) for line in chart.lines] == [
        ("lost", [6, 8], [3, 0]), ("sent again", [6, 8], [0, 0.5]),
    ]  # fmt: skip
    assert of.sending_troubles(told(), backdrop(told())) == []


def test_the_worst_streams_have_their_numbers_their_time_and_their_end() -> None:
    history = told(streams=of.STREAMS_SHOWN + 5)
    (row, *_) = of.worst_rows(history.worst.all, lambda _: "main")
    assert row == ("0", "main", "2: 4, 9", "1", "0", "3", "0:01–1:01", "drained")
    html = of.worst_streams(history, lambda _: "<b>")
    assert html.count("<tr>") == of.STREAMS_SHOWN + 1
    assert "5 more streams" in html
    assert "<b>" not in html
    assert of.worst_streams(told(), str) == ""


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
