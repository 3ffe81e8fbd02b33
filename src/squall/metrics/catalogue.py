"""Every metric that a threshold can name: one entry each, and nowhere else.

To add a metric, add an entry: thresholds, their messages, the problems of a scenario and the table in
docs/reference/metrics.md follow from it. An entry says how its figure is read from the run's totals. What the
kinds are stands in `squall.metrics.metric`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

from squall.metrics.arrivals import checksum_success
from squall.metrics.cells import MessageTotals
from squall.metrics.confirmations import ack_success, confirmed, confirmed_count, retry_success
from squall.metrics.fault_handling import server_delay_handling
from squall.metrics.metric import (
    IN_CONNECTIONS,
    IN_MESSAGES,
    Between,
    Metric,
    PerSecond,
    Share,
    Tracked,
    connection_count,
    connection_share,
    connection_trend,
    count,
    resource,
    resource_count,
    trend,
)
from squall.metrics.ordering import CAUSAL_PAIRS_MIN
from squall.metrics.pushes import push_figure
from squall.metrics.totals import Selection, Totals

__all__ = ["CATALOGUE", "METRICS", "table"]


def _delivery_success(totals: Totals, selection: Selection) -> Share:
    messages = totals.messages(selection)
    return Share(messages.delivered, messages.sent - messages.lost, messages.sent)


def _arrived_share(
    name: str,
    about: str,
    part: Callable[[MessageTotals], int],
    *,
    tracked: Tracked = "sequence_numbers",
) -> Metric:
    """A rate of the messages that arrived, each counted once."""

    def read(totals: Totals, selection: Selection) -> Share:
        messages = totals.messages(selection)
        return Share(part(messages), part(messages), messages.delivered)

    return Metric(
        name=name,
        kind="rate",
        unit="share",
        about=about,
        tags=IN_MESSAGES,
        read=read,
        windowed=True,
        events=True,
        tracked=tracked,
        by_receiver=True,
    )


def _ordering_latency(totals: Totals, selection: Selection) -> Share:
    """Of waits that are not known in whole, nobody knows how long they were."""
    messages = totals.messages(selection)
    waited_ms = messages.order_wait_ns_sum / 1e6
    return Share(waited_ms, math.inf if messages.order_wait_unmeasured else waited_ms, messages.delivered)


def _gaps(name: str, unit: str, about: str, field: str) -> Metric:
    """A counter of what is lost in the middle of a stream: what is unknown may turn out to be such."""

    def read(totals: Totals, selection: Selection) -> Between:
        messages = totals.messages(selection)
        count: int = getattr(messages, field)
        return Between(count, count + messages.unknown + messages.unsettled)

    return Metric(
        name=name,
        kind="counter",
        unit=unit,
        about=about,
        tags=IN_MESSAGES,
        read=read,
        windowed=True,
        tracked="sequence_numbers",
        by_receiver=True,
    )


def _timestamp_success(totals: Totals, selection: Selection) -> Share:
    messages = totals.messages(selection)
    right = messages.timestamps_judged - messages.timestamps_wrong
    return Share(right, right, messages.timestamps_judged)


def _causality(totals: Totals, selection: Selection) -> int | None:
    """Violations; not measured over fewer pairs than can say anything."""
    messages = totals.messages(selection)
    return messages.causal_violations if messages.causal_pairs >= CAUSAL_PAIRS_MIN else None


def _server_delays(totals: Totals, _: Selection) -> Share | None:
    """At least those that no second answer can have been of; at most those that were not missing."""
    found, least = totals.reconciliation, server_delay_handling(totals)
    if found is None or least is None:
        return None
    return Share(least * found.delayed, found.delayed - found.delayed_lost, found.delayed)


def _system_throughput(totals: Totals, _: Selection) -> PerSecond | None:
    """When sending began and ended is known to the second: the time of it is up to two shorter than what is seen."""
    since, until = totals.sending_from_ns, totals.sending_to_ns
    if since is None or until is None:
        return None
    messages, seconds = totals.messages(), (until - since) / 1e9
    return PerSecond(messages.delivered, messages.sent - messages.lost, max(0.0, seconds - 2), seconds)


def _stability(totals: Totals, selection: Selection) -> Share:
    level = totals.level(selection)
    held_s, planned_s = level.held_of_planned_ns / 1e9, level.planned_ns / 1e9
    return Share(held_s, held_s, planned_s)


def _errors(totals: Totals, selection: Selection) -> int:
    return sum(
        count
        for trouble, count in totals.connections(selection).troubles.items()
        if selection.step in (None, trouble.step)
        and selection.kind in (None, trouble.kind)
        and selection.blame in (None, trouble.blame)
    )


def _misfits(totals: Totals, selection: Selection) -> int:
    misfits = totals.connections(selection).misfits
    return misfits.total() if selection.kind is None else misfits[selection.kind]


def _followed(name: str, figure: str, unit: str, about: str) -> Metric:
    """What is known of a pushed sequence; not measured where no message carried a number."""
    return Metric(
        name=name,
        kind="counter",
        unit=unit,
        about=f"pushed: {about}, on a connection and key",
        tags=IN_CONNECTIONS,
        read=lambda totals, selection: push_figure(totals.connections(selection), figure),
    )


def _close_codes(totals: Totals, selection: Selection) -> int:
    codes = totals.connections(selection).close_codes
    return codes.total() if selection.code is None else codes[selection.code]


METRICS: Final[tuple[Metric, ...]] = (
    trend(
        "ws_response_time",
        "from the intended send of a message to its delivery",
        lambda messages: messages.response,
        without_pacer_lag=lambda messages: messages.unlagged,
        latency=True,
    ),
    trend(
        "ws_service_time",
        "from handing a message to the transport to its delivery",
        lambda messages: messages.service,
        latency=True,
    ),
    trend(
        "ws_send_lag",
        "from the intended to the actual send: pacer_lag and blocked time",
        lambda messages: messages.lag,
    ),
    trend(
        "ws_pacer_lag", "the part of send_lag that is squall's own doing", lambda messages: messages.pacer_lag
    ),
    count("ws_msgs_intended", "messages that the schedule made due"),
    count("ws_msgs_sent", "intended messages that were handed to a transport"),
    count(
        "ws_msgs_not_sent",
        "intended and never sent: blocked past the limit, or no connection",
    ),
    count("ws_msgs_delivered", "messages of which a good copy arrived", windowed=True),
    count(
        "ws_msgs_lost", "messages without a good copy whose connection lived through its drain", windowed=True
    ),
    count(
        "ws_msgs_unknown", "messages without a good copy whose connection or worker died first", windowed=True
    ),
    count("ws_msgs_duplicated", "further good copies", windowed=True, events=True, by_receiver=True),
    count(
        "ws_msgs_reordered",
        "good copies that came behind a successor (RFC 4737)",
        windowed=True,
        events=True,
        tracked="sequence_numbers",
        by_receiver=True,
    ),
    count("ws_msgs_late", "messages delivered after the maximum latency of their type", events=True),
    count(
        "ws_msgs_recovered",
        "messages delivered only by a retry or after a reconnect",
        windowed=True,
        events=True,
    ),
    count(
        "ws_msgs_corrupted_body",
        "copies with a good header and a wrong length, opcode or body",
        events=True,
        tracked="checksums",
    ),
    connection_count(
        "ws_msgs_corrupted_header",
        "messages",
        "arrivals whose header is damaged",
        "corrupted_header",
        events=True,
    ),
    connection_count(
        "ws_msgs_unexpected",
        "messages",
        "good envelopes of another run, stream or receiver, and arrivals that are no envelope",
        "unexpected",
        events=True,
    ),
    Metric(
        name="ws_delivery_success",
        kind="rate",
        unit="share",
        about="delivered / sent to (delivered + unknown) / sent",
        tags=IN_MESSAGES,
        read=_delivery_success,
        windowed=True,
    ),
    Metric(
        name="ws_checksum_success",
        kind="rate",
        unit="share",
        about="good / all envelopes that came, acknowledgements too; a damaged header is of no type",
        tags=IN_MESSAGES,
        read=checksum_success,
        events=True,
        tracked="checksums",
    ),
    _arrived_share(
        "ws_ordering_accuracy",
        "messages that came before all their successors / messages that arrived",
        lambda each: each.delivered - each.reordered,
    ),
    _arrived_share(
        "ws_order_in_type",
        "messages that came before all their successors of their type / messages that arrived",
        lambda each: each.delivered - each.reordered_in_type,
    ),
    _arrived_share("ws_out_of_order_rate", "reordered / messages that arrived", lambda each: each.reordered),
    _arrived_share(
        "ws_duplicate_rate",
        "further good copies / messages that arrived",
        lambda each: each.duplicated,
        tracked="",
    ),
    Metric(
        name="ws_ordering_latency",
        kind="mean",
        unit="ms",
        about="how long a receiver that wants them in order would have held a message back, for those before it",
        tags=IN_MESSAGES,
        read=_ordering_latency,
        windowed=True,
        events=True,
        tracked="sequence_numbers",
        by_receiver=True,
    ),
    _gaps(
        "ws_msgs_in_gaps",
        "messages",
        "numbers that never came, with a later one behind them",
        "messages_in_gaps",
    ),
    _gaps(
        "ws_sequence_gaps", "gaps", "runs of numbers that never came, with a later one behind them", "gaps"
    ),
    Metric(
        name="ws_timestamp_success",
        kind="rate",
        unit="share",
        about="messages stamped no earlier than any of their stream that had come, and no later than they came",
        tags=IN_MESSAGES,
        read=_timestamp_success,
        events=True,
        tracked="timestamps",
    ),
    Metric(
        name="ws_causal_violations",
        kind="counter",
        unit="messages",
        about=f"messages seen before the one that they answer; not measured below {CAUSAL_PAIRS_MIN:,} pairs",
        tags=IN_MESSAGES,
        read=_causality,
        events=True,
        tracked="causality",
    ),
    Metric(
        name="ws_confirmation_success",
        kind="rate",
        unit="share",
        about="messages confirmed to their sender, by the reply or an acknowledgement / messages sent; not in rooms",
        tags=IN_MESSAGES,
        read=confirmed,
        windowed=True,
        tracked="confirmations",
    ),
    Metric(
        name="ws_msgs_confirmed",
        kind="counter",
        unit="messages",
        about="messages confirmed to their sender, by the reply or an acknowledgement; not in rooms",
        tags=IN_MESSAGES,
        read=confirmed_count,
        windowed=True,
        tracked="confirmations",
    ),
    Metric(
        name="ws_ack_success",
        kind="rate",
        unit="share",
        about="messages acknowledged within all their attempts / messages sent",
        tags=IN_MESSAGES,
        read=ack_success,
        windowed=True,
        tracked="confirmations",
    ),
    Metric(
        name="ws_retry_success",
        kind="rate",
        unit="share",
        about="messages that were acknowledged after a retry / messages that needed one",
        tags=IN_MESSAGES,
        read=retry_success,
        windowed=True,
        tracked="confirmations",
    ),
    Metric(
        name="ws_server_delay_handling",
        kind="rate",
        unit="share",
        about="messages that a fault held on their way and that ended acknowledged once / all such messages, at least",
        tags=(),
        read=_server_delays,
    ),
    Metric(
        name="ws_client_timeout_handling",
        kind="rate",
        unit="share",
        about="sessions that a fault made silent and of which nothing was missing / all such sessions that have ended",
        tags=(),
        read=lambda totals, _: Share(
            totals.connections().silence_handled,
            totals.connections().silence_handled,
            totals.connections().silenced,
        ),
    ),
    trend(
        "ws_ack_time",
        "from the attempt that an acknowledgement names to the acknowledgement",
        lambda messages: messages.ack,
        tracked="confirmations",
    ),
    trend(
        "ws_ack_time_first",
        "ws_ack_time of the messages that were acknowledged without a retry",
        lambda messages: messages.ack_first,
        tracked="confirmations",
    ),
    trend(
        "ws_ack_time_retried",
        "ws_ack_time of the messages that were acknowledged after a retry",
        lambda messages: messages.ack_retried,
        tracked="confirmations",
    ),
    trend(
        "ws_ack_time_total",
        "from the intended send of a message to its acknowledgement, retries included",
        lambda messages: messages.ack_total,
        tracked="confirmations",
    ),
    trend(
        "ws_retry_recovery",
        "from the first time-out of a message that needed a retry to its acknowledgement",
        lambda messages: messages.retry_recovery,
        tracked="confirmations",
    ),
    count("ws_msgs_acknowledged", "messages that were acknowledged", tracked="confirmations"),
    count("ws_msgs_retried", "messages that needed a retry or more", tracked="confirmations"),
    count("ws_msgs_gave_up", "messages not acknowledged within all their attempts", tracked="confirmations"),
    count(
        "ws_msgs_acknowledged_lost",
        "messages that were acknowledged and never came",
        windowed=True,
        by_receiver=True,
        tracked="confirmations",
    ),
    count(
        "ws_msgs_acknowledged_late",
        "messages acknowledged after they were given up",
        tracked="confirmations",
    ),
    count("ws_retries_sent", "times that a message was sent again", tracked="confirmations"),
    count("ws_ack_duplicates", "further acknowledgements of a message", events=True, tracked="confirmations"),
    count(
        "ws_duplicate_arrivals",
        "further copies before the receiver's own de-duplication",
        events=True,
        tracked="confirmations",
    ),
    connection_count(
        "ws_acks_unexpected",
        "acknowledgements",
        "acknowledgements of messages that were never sent",
        "ack_unexpected",
        events=True,
        tracked="confirmations",
    ),
    Metric(
        name="ws_system_throughput",
        kind="rate",
        unit="messages a second",
        about="delivered / seconds of sending, which are known to the second at either end",
        tags=(),
        read=_system_throughput,
        windowed=True,
        timed=True,
    ),
    connection_count(
        "ws_msgs_received", "messages", "messages that arrived, whatever they were", "messages_received"
    ),
    Metric(
        name="ws_misfits",
        kind="counter",
        unit="messages",
        about="messages that were not what was waited for, by why: wrong replies, replies to nothing, no JSON",
        tags=(*IN_CONNECTIONS, "kind"),
        read=_misfits,
    ),
    connection_count(
        "ws_pushes", "messages", "messages that came unasked, as a push exchange counts them", "pushed"
    ),
    _followed("ws_pushes_missing", "missing", "messages", "numbers skipped that have not come since"),
    _followed("ws_push_gaps", "gaps", "gaps", "runs of missing numbers"),
    _followed("ws_pushes_duplicated", "duplicated", "messages", "numbers that had come before"),
    _followed("ws_pushes_reordered", "reordered", "messages", "numbers that came behind a later one"),
    connection_trend(
        "ws_push_delay",
        "from the sender's time stamp to the arrival, by two clocks",
        lambda each: each.push_delay,
        over="settled",
    ),
    connection_count(
        "ws_pushes_early",
        "messages",
        "messages stamped later than they arrived: the clocks differ",
        "push_early",
    ),
    connection_count("data_sent", "bytes", "payload bytes sent", "bytes_sent"),
    connection_count("data_received", "bytes", "payload bytes received", "bytes_received"),
    connection_trend(
        "ws_connecting",
        "from the start of the TCP connect to the accepted upgrade",
        lambda each: each.connect,
    ),
    connection_trend("ws_connect_tcp", "the TCP connect", lambda each: each.tcp),
    connection_trend("ws_connect_tls", "the TLS handshake", lambda each: each.tls),
    connection_trend("ws_connect_upgrade", "the upgrade request and its answer", lambda each: each.upgrade),
    connection_trend(
        "ws_opening",
        "from the accepted upgrade until what goes before the traffic was done",
        lambda each: each.opening,
    ),
    connection_trend("ws_ping", "from a ping to its pong", lambda each: each.ping, over="settled"),
    connection_trend(
        "ws_session_duration", "from the accepted upgrade to the end", lambda each: each.session
    ),
    connection_count("ws_connect_attempts", "connections", "connects that were tried", "attempted"),
    connection_count("ws_sessions", "connections", "connects that were established", "established"),
    connection_share(
        "ws_connect_failed", "failed connects / connects tried", lambda each: (each.failed, each.attempted)
    ),
    connection_count("ws_closed", "connections", "connections that squall closed as planned", "closed"),
    connection_count("ws_dropped", "connections", "connections that anyone else ended", "dropped"),
    connection_share(
        "ws_connection_drop_rate", "dropped / established", lambda each: (each.dropped, each.established)
    ),
    connection_share(
        "ws_graceful_disconnections",
        "planned closes that were answered by a close frame / planned closes",
        lambda each: (each.graceful, each.closed),
    ),
    connection_trend(
        "ws_reconnect_time",
        "from a drop to the accepted upgrade that replaced it",
        lambda each: each.reconnect,
    ),
    connection_count("ws_reconnects", "connections", "drops that were replaced", "reconnected"),
    Metric(
        name="ws_connections",
        kind="gauge",
        unit="connections",
        about="connections held at a second's end",
        tags=("phase",),
        read=lambda totals, selection: totals.level(selection),
    ),
    Metric(
        name="ws_connection_stability",
        kind="rate",
        unit="share",
        about="connection-seconds held / planned",
        tags=("phase",),
        read=_stability,
        over="sustained",
    ),
    Metric(
        name="ws_close_code",
        kind="counter",
        unit="connections",
        about="connections that ended, by close code (1006: without a close frame)",
        tags=(*IN_CONNECTIONS, "code"),
        read=_close_codes,
    ),
    Metric(
        name="ws_errors",
        kind="counter",
        unit="errors",
        about="what went wrong on connections, by step, kind and whose doing it was",
        tags=(*IN_CONNECTIONS, "step", "kind", "blame"),
        read=_errors,
    ),
    resource("target_cpu_share", "share", "of the cores that the target may use, those in use"),
    resource("target_cpu_cores", "cores", "cores that the target uses"),
    resource("target_cpu_process_max_cores", "cores", "cores that the target's busiest process uses"),
    resource(
        "target_cpu_thread_max_cores", "cores", "that of its busiest thread: near 1 it is the bottleneck"
    ),
    resource("target_cpu_throttled_share", "share", "of its quota's periods, those in which it was used up"),
    resource("target_memory_share", "share", "resident memory / the cgroup's limit, else the host's memory"),
    resource("target_memory_bytes", "bytes", "resident memory"),
    resource("target_descriptors", "descriptors", "files and sockets that are open"),
    resource("target_threads", "threads", "threads of all its processes"),
    resource("target_accept_queue", "connections", "connections that wait to be accepted"),
    resource_count(
        "target_accept_overflows", "connections", "connections turned away by a full accept queue"
    ),
    Metric(
        name="target_figure",
        kind="gauge",
        unit="the figure's own",
        about="a figure under a name of your own, from a Prometheus endpoint or a command",
        tags=("phase", "source", "figure"),
        read=lambda totals, selection: totals.resources.highest(
            selection.figure or "", role="target", source=selection.source, phases=totals.phase_ids(selection)
        ),
        over="sustained",
        needs="figure",
    ),
    resource("generator_cpu_share", "share", "of the cores that squall may use, those in use"),
    resource("generator_cpu_process_max_cores", "cores", "cores that squall's busiest process uses"),
    resource("generator_memory_share", "share", "squall's resident memory / its limit"),
    resource("host_cpu_share", "share", "of this machine's cores, those in use by anybody"),
    resource("host_memory_share", "share", "of this machine's memory, that which is not available"),
    resource_count(
        "host_accept_overflows", "connections", "connections turned away by any full accept queue here"
    ),
)

CATALOGUE: Final[dict[str, Metric]] = {metric.name: metric for metric in METRICS}


def table() -> str:
    """The catalogue as a Markdown table."""
    heads = ("metric", "kind", "unit", "over", "tags", "what it is")
    rows = [
        (f"`{each.name}`", each.kind, each.unit, each.over, ", ".join(each.tags), each.about)
        for each in METRICS
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ("---",) * len(heads), *rows)) + "\n"
