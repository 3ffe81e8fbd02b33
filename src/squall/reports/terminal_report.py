"""The summary that a run prints at its end and `squall show` prints again: some forty lines, verdict first.

Passed judgements of integrity are counted, not listed; all others are listed, the failed ones first. Long
lists end with how many more there are: everything stands in summary.json. The text is the same with and
without colours.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from squall.metrics.summary_document import Judged, Percentiles, Summary
from squall.record.run import RunRecord
from squall.reports.fault_words import fault_lines, not_sent_by
from squall.reports.figures import NOT_MEASURED, count, duration, megabytes, milliseconds, percent, rate
from squall.reports.machines import machine_lines
from squall.reports.wording import (
    ACCOUNT_MISSING,
    alert,
    attempts,
    delivered_share,
    drops,
    endings,
    events_seen,
    misfits,
    notes,
    outages,
    outcomes,
    printable,
    pushed,
    ramps,
    sorted_judgements,
    spread,
    stability,
    trouble,
    verdict_sentence,
)

__all__ = ["WIDTH", "terminal_report"]

WIDTH = 100
LABEL_WIDTH = 13
LISTED_MAX = 8
"""Lines of one list before the rest is counted."""

_STYLES = {
    "PASSED": "bold green",
    "FAILED": "bold red",
    "WARNING": "bold yellow",
    "NO VERDICT": "bold yellow",
}
_TRUTH_STYLES = {"passed": "green", "failed": "red", "unknown": "yellow"}

Section = tuple[str, list[str]]


def terminal_report(record: RunRecord, summary: Summary, *, width: int = WIDTH) -> Text:
    """The report as Rich text; `.plain` of it is the same without colours.

    `width` is that of the terminal; nothing is written wider than `WIDTH`, nor in less than 60 columns.
    """
    columns = max(60, min(width, WIDTH))
    text = Text()
    sentence = printable(verdict_sentence(record, summary))
    word = sentence.partition(":")[0]
    for line in textwrap.wrap(sentence, columns):
        text.append(line + "\n", style=_STYLES.get(word, "bold"))
    for note in notes(record, summary):
        _append_lines(text, _wrapped([note], columns - 2), indent="  ", style="yellow")
    for label, lines in _sections(record, summary):
        _append_section(text, label, _wrapped(lines, columns - LABEL_WIDTH))
    return text


def _sections(record: RunRecord, summary: Summary) -> Iterator[Section]:
    yield "Run", _run(record, summary)
    yield "Messages", _messages(summary)
    if summary.push.received is not None:
        yield "Pushed", pushed(summary)
    if summary.misfits:
        yield "Misfits", [misfits(summary)]
    yield "Latency", _latency(summary)
    if summary.delivery.intended and len(summary.delivery_by_type) > 1:
        yield "By type", _types(summary)
    yield "Connections", _connections(summary)
    if summary.stability.checks:
        yield "Stability", [stability(summary.stability)]
    yield from _happened(summary)
    yield "Errors", _errors(summary)
    if summary.close_codes:
        codes = [f"{code}: {count(times)}" for code, times in summary.close_codes.items()]
        yield "Close codes", [", ".join(codes)]
    if summary.verdict.judgements:
        yield "Judged", _judged(summary)
    yield "Resources", machine_lines(summary)
    yield "Generator", _generator(summary)
    if record.header.command:
        yield "Repeat with", [record.header.command]


def _happened(summary: Summary) -> Iterator[Section]:
    """What happened in its course, where something did."""
    if summary.alerts:
        yield "Alerts", _listed([alert(each) for each in summary.alerts])
    if faults := fault_lines(summary):
        yield "Faults", _listed(faults)
    if summary.outages:
        yield "Outages", _listed(outages(summary))


def _run(record: RunRecord, summary: Summary) -> list[str]:
    code = summary.verdict.exit_code
    phases = [
        f"{phase.name} {duration(None if phase.end_s is None else phase.end_s - phase.start_s)}"
        for phase in summary.phases
    ]
    label = f", {summary.test_environment}" if summary.test_environment else ""
    return [
        f"{record.header.name}, {record.header.run_id}{label}",
        f"{duration(summary.duration_s)}, seed {summary.seed}, squall {summary.squall_version}"
        + ("" if code is None else f", exit code {code}"),
        *([", ".join(phases)] if phases else []),
        *ramps(summary),
    ]


def _messages(summary: Summary) -> list[str]:
    if summary.delivery.intended is None:
        return [ACCOUNT_MISSING]
    if not summary.delivery.intended and summary.evidence is None:
        return ["none were to be sent", events_seen(summary.delivery)[1]]
    lines = outcomes(summary.delivery)
    lines.append(f"delivered: {delivered_share(summary.delivery_success)}{_evidence(summary)}")
    if summary.delivery.not_sent:
        lines.append(
            f"not sent by {not_sent_by(summary)} {count(summary.not_sent.target)}, by squall's "
            f"{count(summary.not_sent.squall)}"
        )
    lines += events_seen(summary.delivery)
    throughput = summary.throughput
    if throughput.sent_per_s is not None:
        lines.append(
            f"{rate(throughput.sent_per_s, 'msg')} sent, {rate(throughput.delivered_per_s, 'msg')} delivered, "
            f"over {duration(throughput.sending_s)}; {megabytes(throughput.bytes_sent)} out, "
            f"{megabytes(throughput.bytes_received)} in"
        )
    return lines


def _evidence(summary: Summary) -> str:
    return f" (evidence: {summary.evidence})" if summary.evidence else ""


def _latency(summary: Summary) -> list[str]:
    latency = summary.latency
    if not latency.response.count:
        return [NOT_MEASURED]
    head = "".join(f"{name:>10}" for name in ("p50", "p90", "p95", "p99", "p99.9", "max", "mean"))
    covers = ", ".join(dict.fromkeys(summary.latency_phases))
    return [
        f"{'':<10}{head}",
        f"{'response':<10}{_row(latency.response)}",
        f"{'service':<10}{_row(latency.service)}",
        f"{'send lag':<10}{_row(latency.lag)}",
        f"of {covers}; peak latency {milliseconds(summary.peak_latency_ms)}, the highest p99 of a window",
    ]


def _row(values: Percentiles) -> str:
    cells = (values.p50, values.p90, values.p95, values.p99, values.p999, values.max, values.mean)
    return "".join(f"{milliseconds(cell) if cell is not None else '-':>10}" for cell in cells)


def _types(summary: Summary) -> list[str]:
    return _listed(
        [
            f"{name}: sent {count(delivery.sent)}, delivered {count(delivery.delivered)}, "
            f"lost {count(delivery.lost)}; {spread('response', summary.latency_by_type[name].response)}"
            for name, delivery in summary.delivery_by_type.items()
        ]
    )


def _connections(summary: Summary) -> list[str]:
    connections = summary.connections
    if connections.attempted is None:
        return [ACCOUNT_MISSING]
    held = percent(connections.stability)
    lines = [
        attempts(connections),
        endings(connections),
        f"peak {count(connections.peak)}; of the planned connection-seconds held: {held}",
        spread("connect time", summary.connect.total),
    ]
    if summary.connect.opening.count:
        lines.append(spread("opening", summary.connect.opening))
    lines += drops(summary)
    if connections.closed:
        graceful = (
            f"{count(connections.graceful)} of {count(connections.closed)} planned closes were answered"
        )
        lines.append(f"{graceful} ({percent(connections.graceful_rate)})")
    if summary.ping.count:
        lines.append(spread("ping", summary.ping))
    return lines


def _errors(summary: Summary) -> list[str]:
    if summary.connections.attempted is None:
        return [NOT_MEASURED]
    return _listed([f"{count(each.count):>9}  {trouble(each)}" for each in summary.errors]) or ["none"]


def _judged(summary: Summary) -> list[str]:
    judgements = sorted_judgements(summary)
    counted = [each for each in judgements if each.source == "integrity" and each.truth == "passed"]
    lines = [_judgement(each) for each in judgements if each not in counted]
    if counted:
        lines.append(f"passed   {len(counted)} of integrity: {', '.join(each.name for each in counted)}")
    return lines


def _judgement(judged: Judged) -> str:
    bound = judged.bound.partition(" (")[0] if judged.source == "readiness" else judged.bound
    optional = "" if judged.required else ", not required"
    return f"{judged.truth:<9}{judged.name} {bound}: {judged.evidence}{optional}"


def _generator(summary: Summary) -> list[str]:
    workers = summary.workers
    if workers.count is None:
        return [NOT_MEASURED]
    processes = "1 worker" if workers.count == 1 else f"{workers.count} workers"
    silence = f"longest silence {milliseconds(workers.silence_max_ms)} at {duration(workers.silence_start_s)}"
    return [
        f"{processes}, {megabytes(workers.rss_max_bytes)} at most, "
        f"{duration(workers.cpu_s)} of processor time",
        f"own lag p99 {milliseconds(summary.latency.pacer_lag.p99)}, "
        f"loop late by at most {milliseconds(workers.loop_lag_max_ms)}; {silence}",
    ]


def _listed(lines: Sequence[str]) -> list[str]:
    """Not more lines than are read, and how many more there are."""
    if len(lines) <= LISTED_MAX:
        return list(lines)
    kept = list(lines[: LISTED_MAX - 1])
    return [*kept, f"and {len(lines) - len(kept)} more: see summary.json"]


def _wrapped(lines: Iterable[str], columns: int) -> list[str]:
    found: list[str] = []
    for line in lines:
        safe = "".join(letter if letter.isprintable() else "\ufffd" for letter in line)
        found += textwrap.wrap(safe, columns, subsequent_indent="  ", break_on_hyphens=False)
    return found


def _append_section(text: Text, label: str, lines: Sequence[str]) -> None:
    text.append("\n")
    for place, line in enumerate(lines):
        text.append(f"{label if place == 0 else '':<{LABEL_WIDTH}}", style="bold")
        text.append(line.rstrip() + "\n", style=_TRUTH_STYLES.get(line.partition(" ")[0], ""))


def _append_lines(text: Text, lines: Iterable[str], *, indent: str, style: str) -> None:
    for line in lines:
        text.append(f"{indent}{line}\n", style=style)
