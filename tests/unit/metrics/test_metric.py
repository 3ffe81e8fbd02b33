"""What a metric is: made from messages or connections, and measured only where that was kept account of."""

from __future__ import annotations

from made_runs import a_run, connections, messages, times
from squall.metrics.metric import (
    IN_CONNECTIONS,
    IN_MESSAGES,
    Share,
    connection_count,
    connection_share,
    connection_trend,
    count,
    trend,
)
from squall.metrics.totals import EVERYTHING, Selection
from squall.scenario.models import Tracking


def test_metrics_of_messages_are_read_by_type() -> None:
    totals = a_run(messages(4, type=1, lost=1, response_ms=[10.0]))
    lost = count("ws_msgs_lost", "lost")
    assert (lost.kind, lost.tags) == ("counter", IN_MESSAGES)
    assert [lost.read(totals, Selection(type=name)) for name in ("message", "critical")] == [0, 1]
    other = count("ws_retries_sent", "sent again")  # whose field has another name
    assert other.read(a_run(messages(0, retries_sent=3)), EVERYTHING) == 3
    slow = trend("ws_slow", "slow", lambda each: each.response)
    reading = slow.read(totals, Selection(type="critical"))
    assert getattr(reading, "count", None) == 1


def test_metrics_of_connections_have_no_type() -> None:
    totals = a_run(connections(0, dropped=2, ping=times(1, 2)))
    dropped = connection_count("ws_dropped", "connections", "dropped", "dropped")
    assert (dropped.tags, dropped.read(totals, EVERYTHING)) == (IN_CONNECTIONS, 2)
    pings = connection_trend("ws_ping", "pings", lambda each: each.ping).read(totals, EVERYTHING)
    assert getattr(pings, "count", None) == 2
    of = connection_share("ws_of", "of", lambda each: (each.dropped, each.established))
    assert of.read(totals, EVERYTHING) == Share(2, 2, 10)


def test_a_metric_is_measured_where_what_it_is_about_is_kept_account_of() -> None:
    order = count("ws_msgs_reordered", "reordered", tracked="sequence_numbers")
    assert order.is_tracked(Tracking())
    assert not order.is_tracked(Tracking(sequence_numbers=False))
    assert count("ws_msgs_lost", "lost").is_tracked(Tracking(sequence_numbers=False, checksums=False))
