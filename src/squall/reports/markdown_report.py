"""summary.md: the run for people, to be read in a repository or a merge request.

The verdict stands first; every table is of figures in the summary, none is computed here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from squall.metrics.summary_document import Percentiles, Summary
from squall.record.run import RunRecord
from squall.reports.fault_words import drops_are_faults, fault_lines
from squall.reports.figures import NOT_MEASURED, count, duration, milliseconds, percent, plain, rate
from squall.reports.machines import machine_rows
from squall.reports.wording import (
    alert,
    delivered_share,
    drops,
    misfits,
    notes,
    outages,
    printable,
    pushed,
    ramps,
    sorted_judgements,
    stability,
    trouble,
    verdict_sentence,
)

__all__ = ["markdown_report"]

_QUANTILES = ("p50", "p90", "p95", "p99", "p999", "max", "mean")


def markdown_report(
    record: RunRecord,
    summary: Summary,
    pictures: Iterable[tuple[str, str]] = (),
    delivery: Iterable[str] = (),
) -> str:
    """The report as Markdown.

    Args:
        record: of the run.
        summary: of the same.
        pictures: titles and files, as paths from where the report lies.
        delivery: sentences on what became of the messages.
    """
    parts = [f"# {_cell(record.header.name)}", f"**{printable(verdict_sentence(record, summary))}**"]
    parts += [f"> {note}" for note in notes(record, summary)]
    parts += ["## What was judged", _judged(summary)]
    if shown := [f"![{_cell(title)}]({file})" for title, file in pictures]:
        parts += ["## At a glance", *shown]
    parts += ["## Messages", _messages(summary)]
    if said := list(delivery):
        parts.append(_lines(said))
    if summary.push.received is not None:
        parts += ["## Pushed", _lines(pushed(summary))]
    if summary.misfits:
        parts += ["## Misfits", f"What was not waited for, by why: {misfits(summary)}."]
    parts += ["## Latency", _latency(summary)]
    parts += ["## Connections", _connections(summary)]
    if summary.stability.checks:
        parts += ["## Stability", stability(summary.stability) + "."]
    if summary.alerts:
        parts += ["## Alerts", _lines(alert(each) for each in summary.alerts)]
    parts += ["## Resources", _table(("source", "figure", "average", "peak", "looks"), machine_rows(summary))]
    if faults := fault_lines(summary):
        parts += ["## Faults", _lines(faults)]
    if summary.outages:
        parts += ["## Outages", _lines(outages(summary))]
    parts += ["## Errors and close codes", _errors(summary)]
    parts += ["## The plan", _lines(record.header.plan)]
    parts += ["## How it was measured", _environment(record, summary)]
    if record.header.command:
        parts += ["## Repeat it", f"```sh\n{record.header.command}\n```"]
    return "\n\n".join(parts) + "\n"


def _judged(summary: Summary) -> str:
    rows = [
        (
            each.truth,
            each.name,
            each.bound,
            plain(each.figure),
            each.evidence,
            "yes" if each.required else "no",
        )
        for each in sorted_judgements(summary)
    ]
    return _table(("verdict", "what", "bound", "figure", "evidence", "required"), rows)


def _messages(summary: Summary) -> str:
    delivery = summary.delivery
    rows = [
        ("intended", count(delivery.intended), "not sent + delivered + lost + unknown"),
        ("not sent", count(delivery.not_sent), _not_sent(summary)),
        ("sent", count(delivery.sent), "intended − not sent"),
        ("delivered", count(delivery.delivered), delivered_share(summary.delivery_success)),
        ("lost", count(delivery.lost), ""),
        ("unknown", count(delivery.unknown), "the connection or a worker died first"),
        ("duplicated", count(delivery.duplicated), "further good copies"),
        ("reordered", count(delivery.reordered), ""),
        ("late", count(delivery.late), "after their type's maximum latency"),
        ("recovered", count(delivery.recovered), ""),
        ("corrupted body", count(delivery.corrupted_body), ""),
        ("corrupted header", count(delivery.corrupted_header), "belong to no message"),
        ("unexpected", count(delivery.unexpected), "of another run or stream, or no envelope"),
        ("confirmed", count(delivery.confirmed), "to their sender, by a reply or an acknowledgement"),
    ]
    lines = [_table(("", "count", ""), rows)]
    throughput = summary.throughput
    if throughput.delivered_per_s is not None:
        lines.append(
            f"{rate(throughput.delivered_per_s, 'msg')} delivered over {duration(throughput.sending_s)}."
        )
    return "\n\n".join(lines)


def _not_sent(summary: Summary) -> str:
    by = "fault or target" if drops_are_faults(summary) else "target"
    return f"{by} {count(summary.not_sent.target)}, squall {count(summary.not_sent.squall)}"


def _latency(summary: Summary) -> str:
    if not summary.latency.response.count:
        return NOT_MEASURED
    latency = summary.latency
    rows: list[tuple[str, ...]] = [
        ("response (from the intended send)", *_row(latency.response)),
        ("service (from the actual send)", *_row(latency.service)),
        ("send lag (their difference)", *_row(latency.lag)),
        ("connect", *_row(summary.connect.total)),
    ]
    covers = ", ".join(dict.fromkeys(summary.latency_phases))
    table = _table(("", *(name.replace("p999", "p99.9") for name in _QUANTILES)), rows)
    return f"{table}\n\nOf {covers}; peak latency {milliseconds(summary.peak_latency_ms)}."


def _row(values: Percentiles) -> list[str]:
    return [milliseconds(getattr(values, name)) for name in _QUANTILES]


def _connections(summary: Summary) -> str:
    held = summary.connections
    rows = [
        ("attempted", count(held.attempted), "established + failed + pending"),
        ("established", count(held.established), "closed + dropped + open"),
        ("failed", count(held.failed), ""),
        ("pending", count(held.pending), ""),
        ("closed", count(held.closed), f"{count(held.graceful)} answered by a close frame"),
        ("dropped", count(held.dropped), percent(held.drop_rate)),
        ("open", count(held.open), ""),
        ("peak", count(held.peak), "held at once"),
    ]
    table = _table(("", "count", ""), rows)
    return "\n\n".join([table, *(f"{printable(each)}." for each in (*ramps(summary), *drops(summary)))])


def _errors(summary: Summary) -> str:
    rows = [(trouble(each), count(each.count)) for each in summary.errors]
    rows += [(f"close code {code}", count(times)) for code, times in summary.close_codes.items()]
    if rows:
        return _table(("what", "count"), rows)
    return NOT_MEASURED if summary.connections.attempted is None else "None."


def _environment(record: RunRecord, summary: Summary) -> str:
    header = record.header
    rows = [
        ("squall", header.squall_version),
        ("seed", str(header.seed)),
        ("run", header.run_id),
        *([("test environment", summary.test_environment)] if summary.test_environment else []),
        ("phases", "; ".join(f"{phase.name}: {phase.words}" for phase in summary.phases)),
        *((name.replace("_", " "), _words(value)) for name, value in header.environment.items()),
    ]
    return _table(("", ""), rows)


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value)
    return NOT_MEASURED if value is None else str(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_line(head), _line(["---"] * len(head))]
    return "\n".join([*lines, *(_line([_cell(each) for each in row]) for row in rows)])


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")


def _lines(lines: Iterable[str]) -> str:
    return "\n".join(f"- {printable(line)}" for line in lines) or NOT_MEASURED
