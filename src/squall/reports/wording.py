"""The sentences that all reports for people share: the verdict, what became of messages and connections.

They name figures of the summary and compute none. Text that came from elsewhere (a node's name, an error) is
made safe to print: a service under test must not be able to write escape sequences to anyone's terminal.
"""

from __future__ import annotations

from typing import Final

from squall.metrics.alerts import Alert
from squall.metrics.outages import in_words
from squall.metrics.summary_document import (
    Connections,
    Delivery,
    DeliverySuccess,
    Judged,
    Percentiles,
    StabilitySummary,
    Summary,
    TroubleCount,
)
from squall.record.run import RunRecord
from squall.reports.figures import NOT_MEASURED, count, duration, milliseconds, percent, rate

__all__ = [
    "ACCOUNT_MISSING",
    "EVENT_URGENCY",
    "alert",
    "attempts",
    "delivered_share",
    "drops",
    "endings",
    "events_seen",
    "misfits",
    "notes",
    "outages",
    "outcomes",
    "printable",
    "pushed",
    "ramps",
    "sorted_judgements",
    "spread",
    "stability",
    "trouble",
    "verdict_sentence",
]

ACCOUNT_MISSING = "No second of the run was recorded."

EVENT_URGENCY: Final = {"outage": 0, "killed": 0, "worker_lost": 0, "store": 0, "alert": 1, "stability": 1}
"""Kinds of events that are told first where not all can be; all others come after them."""

_URGENCY = {"failed": 0, "unknown": 1, "passed": 2}


def verdict_sentence(record: RunRecord, summary: Summary) -> str:
    """What came of it, in one sentence; its first word is the outcome in capitals."""
    verdict = summary.verdict
    if verdict.outcome is None:
        lasted = (
            "before its first second"
            if summary.duration_s is None
            else f"after {duration(summary.duration_s)}"
        )
        return f"NO VERDICT: the run did not come to its end, its record ends {lasted}."
    word = verdict.outcome.upper()
    required = [each for each in verdict.judgements or () if each.required]
    if verdict.outcome == "passed":
        return f"{word}: {_all_held(len(required))}{_unless_complete(record)}."
    failed = [each for each in required if each.truth == "failed"]
    if failed:
        first = f"{failed[0].name} {failed[0].bound} does not hold ({failed[0].evidence})"
        return f"{word}: {first}{_and_more(len(failed) - 1, 'bound')}{_unless_complete(record)}."
    if record.verdict is not None and record.verdict.validity.reasons:
        undecided = sum(each.truth == "unknown" for each in required)
        first = record.verdict.validity.reasons[0]
        return f"{word}: {first}{_so_undecided(undecided, len(required))}{_unless_complete(record)}."
    reasons = verdict.reasons or ["no reason was recorded"]
    return f"{word}: {reasons[0]}{_and_more(len(reasons) - 1, 'reason')}{_unless_complete(record)}."


def notes(record: RunRecord, summary: Summary) -> list[str]:
    """What must be known to read the figures right: validity, an early end, what is missing."""
    verdict = summary.verdict
    said = [f"INVALID: {reason}" for reason in record.verdict.validity.reasons] if record.verdict else []
    said += [f"warning: {warning}" for warning in verdict.warnings or ()]
    if verdict.stopped_by:
        said.append(f"stopped by: {verdict.stopped_by}")
    said += [f"{event.kind}: {event.text}" for event in record.events if event.kind == "store"]
    if not summary.events_complete:
        said.append(
            "a worker died: what it saw after its last report is missing, so events are at least these"
        )
    if summary.window_exceeded:
        times = count(summary.window_exceeded)
        said.append(f"more messages of a stream were missing at once than are remembered, {times} times")
    if summary.service_unmeasured:
        said.append(f"the service time of {count(summary.service_unmeasured)} messages was not measured")
    if summary.invalid_utf8:
        many = count(summary.invalid_utf8)
        said.append(
            f"text messages that were no UTF-8: {many}; RFC 6455 would close such a connection with 1007, squall kept it"
        )
    return [printable(each) for each in said]


def outcomes(delivery: Delivery) -> list[str]:
    """The account of the messages: two identities that add up."""
    return [
        f"intended {count(delivery.intended)} = not sent {count(delivery.not_sent)}"
        f" + delivered {count(delivery.delivered)} + lost {count(delivery.lost)}"
        f" + unknown {count(delivery.unknown)}",
        f"sent {count(delivery.sent)} = intended {count(delivery.intended)}"
        f" - not sent {count(delivery.not_sent)}",
    ]


def events_seen(delivery: Delivery) -> list[str]:
    """What happened beside the outcomes."""
    return [
        f"duplicated {count(delivery.duplicated)}, reordered {count(delivery.reordered)},"
        f" late {count(delivery.late)}, recovered {count(delivery.recovered)}",
        f"corrupted: body {count(delivery.corrupted_body)}, header {count(delivery.corrupted_header)};"
        f" unexpected {count(delivery.unexpected)}",
    ]


def attempts(connections: Connections) -> str:
    """The first identity of the connections."""
    return (
        f"attempted {count(connections.attempted)} = established {count(connections.established)}"
        f" + failed {count(connections.failed)} + pending {count(connections.pending)}"
    )


def endings(connections: Connections) -> str:
    """The second identity of the connections."""
    return (
        f"established {count(connections.established)} = closed {count(connections.closed)}"
        f" + dropped {count(connections.dropped)} + open {count(connections.open)}"
    )


def drops(summary: Summary) -> list[str]:
    """What became of dropped connections, and how long it took; nothing where none was, or where it is not known."""
    connections = summary.connections
    if not connections.reconnected and not connections.abandoned:
        return []
    lines = [
        f"of {count(connections.dropped)} dropped {count(connections.reconnected)} connected again"
        f" and {count(connections.abandoned)} did not"
    ]
    if summary.reconnect.count:
        lines.append(spread("without a connection until then", summary.reconnect))
    return lines


def outages(summary: Summary) -> list[str]:
    """Each outage in a line, and how many more there were."""
    more = [f"{count(summary.outages_more)} more"] if summary.outages_more else []
    return [*(in_words(each) for each in summary.outages), *more]


def ramps(summary: Summary) -> list[str]:
    """How far each adaptive ramp came, and what it was stopped by."""
    found = []
    for phase in summary.phases:
        if not phase.adaptive:
            continue
        carried = f"{phase.name}: carried {count(phase.held_last)} of {count(phase.level_end)} connections"
        if phase.frozen_level is not None:
            carried += f"; stopped at {duration(phase.frozen_s)} because {phase.frozen_why}"
        found.append(carried)
    return found


def delivered_share(success: DeliverySuccess) -> str:
    """Delivery success: a share where it is known, else the two ends between which it lies."""
    if success.lower is None or success.upper is None:
        return NOT_MEASURED
    least, most = percent(success.lower), percent(success.upper)
    if success.lower == success.upper:
        return f"{least} of sent"
    return f"about {least} of sent" if least == most else f"between {least} and {most} of sent"


def spread(what: str, values: Percentiles) -> str:
    """A distribution in short."""
    if not values.count:
        return f"{what} {NOT_MEASURED}"
    p50, p99, greatest = milliseconds(values.p50), milliseconds(values.p99), milliseconds(values.max)
    return f"{what} p50 {p50}, p99 {p99}, max {greatest}"


def pushed(summary: Summary) -> list[str]:
    """What came unasked: how much, what is missing of it, how late it was."""
    push = summary.push
    covers = ", ".join(dict.fromkeys(summary.latency_phases))
    at = "" if push.per_s is None else f", {rate(push.per_s, 'msg')} in {covers}"
    lines = [f"received {count(push.received)}{at}"]
    if push.missing is None:
        lines.append("missing, duplicated, reordered: not measured, no message carried a number")
    else:
        lines.append(
            f"missing {count(push.missing)} in {count(push.gaps)} gaps, duplicated {count(push.duplicated)},"
            f" reordered {count(push.reordered)}; {count(push.sequenced)} carried a number"
        )
    if push.negative_delays is not None:
        early = f"; negative {count(push.negative_delays)}" if push.negative_delays else ""
        lines.append(f"{spread('delay by the time stamp', push.delay)}{early}")
    return lines


def misfits(summary: Summary) -> str:
    """Why messages were not what was waited for."""
    return ", ".join(f"{why.replace('_', ' ')} {count(times)}" for why, times in summary.misfits.items())


def alert(found: Alert) -> str:
    """An alert: what stood above which bound, from when to when."""
    in_ms = found.name == "connection_latency"
    figure, bound = (milliseconds(each) if in_ms else percent(each) for each in (found.figure, found.bound))
    until = "the end" if found.cleared_s is None else duration(found.cleared_s)
    return f"{found.name}: {figure}, above {bound}, from {duration(found.raised_s)} to {until}"


def stability(checks: StabilitySummary) -> str:
    """The stability checks, with the worst share that each of them found."""
    failed = f"{count(checks.failed)} of {count(checks.checks)} checks failed"
    shares = (
        ("drops", checks.drop_share_max),
        ("connections that spiked", checks.spike_share_max),
        ("messages not delivered", checks.failure_share_max),
    )
    return f"{failed}; at worst " + ", ".join(f"{name} {percent(share)}" for name, share in shares)


def sorted_judgements(summary: Summary) -> list[Judged]:
    """What was judged: failed first, then unknown, then passed; else in the order in which it was judged."""
    return sorted(summary.verdict.judgements or (), key=lambda each: _URGENCY.get(each.truth, 1))


def trouble(found: TroubleCount) -> str:
    """What went wrong, where, and whose doing it was: upgrade status 403 (target)."""
    return f"{found.step} {found.kind.replace('_', ' ')} ({_doers(found)})"


def _doers(found: TroubleCount) -> str:
    """Whose doing errors of one kind were: who is blamed, unless faults of squall's own were it."""
    least, most = found.by_faults, found.by_faults_most
    if least == found.count:
        return "squall's own faults"
    if least == most:
        return f"{found.blame}; {count(least)} of them squall's own faults" if most else found.blame
    some = f"{count(least)} to {count(most)}" if least else f"up to {count(most)}"
    return f"{found.blame}; {some} of them squall's own faults, the log does not settle it"


def printable(text: str) -> str:
    """The text on one line, without anything that a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in " ".join(text.split()))


def _all_held(required: int) -> str:
    if not required:
        return "nothing was required"
    return "the one required bound held" if required == 1 else f"all {required} required bounds held"


def _so_undecided(undecided: int, required: int) -> str:
    """What an invalid run leaves open, where nothing failed."""
    if not undecided:
        return f"; {_all_held(required)}" if required else ""
    rest = f"; the other {required - undecided} held" if required > undecided else ""
    return f", so {undecided} of {required} required bounds cannot be judged{rest}"


def _and_more(further: int, what: str) -> str:
    return "" if further < 1 else f", and {further} more {what}{'' if further == 1 else 's'}"


def _unless_complete(record: RunRecord) -> str:
    return "" if record.complete else "; the record is not complete"
