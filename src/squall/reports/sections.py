"""The sections of the HTML report, each as a fragment: what the live page replaces while a run goes on.

The rule: a section shows figures of the summary and of the history, and computes none. Its fragment is the same
in the report and on the live page; the order of the sections is that of the page.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from squall.charts.chart import Chart
from squall.charts.figure import figure
from squall.metrics.history import History
from squall.metrics.moments import moments
from squall.metrics.summary_document import Connections, Delivery, Percentiles, Summary
from squall.record.run import RunRecord
from squall.reports import pictures
from squall.reports.advice_section import advised
from squall.reports.backdrop import Backdrop, backdrop, legend
from squall.reports.checks import stability_checks
from squall.reports.delivery_section import acknowledged, ordered, sending_troubles, worst_streams
from squall.reports.delivery_words import delivery_sentences
from squall.reports.drops import outages
from squall.reports.events_section import noted_events
from squall.reports.fault_words import fault_lines, not_sent_by
from squall.reports.figures import (
    NOT_MEASURED,
    count,
    duration,
    megabytes,
    milliseconds,
    percent,
    rate,
)
from squall.reports.glance import glance
from squall.reports.judged_section import judged_bounds
from squall.reports.machine_pictures import resources
from squall.reports.machines import machine_rows
from squall.reports.markup import bullets, section, series_data, table, text
from squall.reports.measured import measured
from squall.reports.remarks import remark, when
from squall.reports.wording import (
    delivered_share,
    misfits,
    notes,
    pushed,
    trouble,
    verdict_sentence,
)

__all__ = ["SECTIONS", "Story", "fragments"]

_QUANTILES: Final = ("p50", "p90", "p95", "p99", "p999", "max", "mean")
_TYPES_MAX: Final = 12
_MACHINE_ROWS_OPEN: Final = 30
"""More rows of averages and peaks stand folded away."""
_TALL_PX: Final = 200
_SMALL_PX: Final = 130


@dataclass(frozen=True, kw_only=True)
class Story:
    """All that is told of a run. The intervals of the record are not looked at: the history has them.

    `running` is for the live page: there is no verdict yet, and that is no fault.
    """

    record: RunRecord
    summary: Summary
    history: History
    running: bool = False
    columns: int = 1000
    """How many points of a line a chart tells apart."""

    @cached_property
    def behind(self) -> Backdrop:
        """What all charts over time share."""
        return backdrop(self.history, self.summary.outages)

    @cached_property
    def charts(self) -> dict[str, list[Chart]]:
        """The charts of each section."""
        behind = self.behind
        return {
            "connections": pictures.connections(self.history, behind),
            "latency": pictures.latency(self.history, behind, self.summary.verdict.judgements or ()),
            "distribution": pictures.distribution(self.history),
            "throughput": pictures.throughput(self.history, behind),
            "delivery": sending_troubles(self.summary, behind),
            "errors": pictures.errors(self.history, behind),
            "places": pictures.places(self.history, behind),
            "resources": resources(self.history, behind),
            "generator": pictures.generator(self.history, behind),
        }


def fragments(story: Story, only: Collection[str] | None = None) -> dict[str, str]:
    """Every section by its id, in the order of the page; and `data`, the series for the page's script.

    `only` those, for the live page: the ones without a chart cost little.
    """
    found: dict[str, str] = {}
    if only is None or "verdict" in only:
        found["verdict"] = _verdict(story)
    for ident, (title, write) in SECTIONS.items():
        if only is None or ident in only:
            found[ident] = section(ident, title, write(story))
    if only is None or "data" in only:
        found["data"] = series_data(chart for charts in story.charts.values() for chart in charts)
    return found


def _verdict(story: Story) -> str:
    """The outcome in one sentence, the run at a glance, and what must be known to read on."""
    summary, record = story.summary, story.record
    outcome = summary.verdict.outcome or "none"
    sentence = "RUNNING: there is no verdict yet." if story.running else verdict_sentence(record, summary)
    word, _, rest = sentence.partition(": ")
    said = notes(record, summary)
    noted = f'<div class="notes">{bullets(said)}</div>' if said else ""
    return (
        f'<p class="verdict {outcome}" id="verdict-sentence"><strong>{text(word)}</strong>: {text(rest)}</p>'
        f'{_killed(story)}<p class="glance">{text(glance(summary))}</p>{noted}'
    )


def _killed(story: Story) -> str:
    if story.running or story.record.complete:
        return ""
    lasted = duration(story.summary.duration_s) if story.summary.duration_s else "no second"
    return (
        f'<p class="notes killed">This run was killed or is still going on, or its record was cut short:'
        f" {text(lasted)} of it {'are' if story.summary.duration_s else 'was'} recorded, and all below covers"
        " these alone.</p>"
    )


def _stands_out(story: Story) -> str:
    found = moments(story.history)
    if not found:
        return f"<p>{text('No silence, no spike of latency, no drops, no slow place and no growth stood out.')}</p>"
    items = "".join(
        f'<li data-from="{each.start_s:.3f}" data-to="{each.end_s:.3f}">'
        f'<span class="time">{text(when(each.start_s, each.end_s))}</span> {text(remark(each))}</li>'
        for each in found
    )
    return f'<ul class="moments">{items}</ul>'


def _connections(story: Story) -> str:
    summary, unmarked = story.summary, story.behind.unmarked
    more = (
        f"<p>{unmarked:,} more events are not marked in the charts; all are in the record.</p>"
        if unmarked
        else ""
    )
    away = _percentiles([("without a connection, from a drop", summary.reconnect)], "Until connected again")
    accounts = _accounts("Connections", _connection_rows(summary.connections))
    meaning = f'<p class="key">{text(words)}</p>' if (words := legend(story.behind)) else ""
    return meaning + _figures(story, "connections") + more + accounts + away + outages(summary)


def _connection_rows(held: Connections) -> list[tuple[str, str, str]]:
    return [
        ("attempted", count(held.attempted), "= established + failed + pending"),
        ("established", count(held.established), "= closed + dropped + open"),
        ("failed", count(held.failed), ""),
        ("pending", count(held.pending), ""),
        ("closed", count(held.closed), f"as planned; {count(held.graceful)} answered by a close frame"),
        (
            "dropped",
            count(held.dropped),
            f"ended by anyone but squall; {percent(held.drop_rate)} of established",
        ),
        ("open", count(held.open), "at the end"),
        ("reconnected", count(held.reconnected), "came back under their old stream; among the established"),
        ("abandoned", count(held.abandoned), "dropped, and nothing connected again for them"),
        ("peak", count(held.peak), "held at once"),
    ]


def _latency(story: Story) -> str:
    summary = story.summary
    rows = [
        ("response, from when it was due", summary.latency.response),
        ("service, from when it was sent", summary.latency.service),
        ("send lag, their difference", summary.latency.lag),
        ("connect", summary.connect.total),
        ("ping", summary.ping),
        ("delay of pushes, by their time stamp", summary.push.delay),
        *(
            (f"response in {name.replace('_', ' ')}", each.response)
            for name, each in summary.latency_by_phase.items()
        ),
        *(
            (f"response of {name}", each.response)
            for name, each in list(summary.latency_by_type.items())[:_TYPES_MAX]
            if len(summary.latency_by_type) > 1
        ),
    ]
    measured = _percentiles(rows, "Percentiles")
    if not measured:
        return _figures(story, "latency") + f"<p>Latency: {NOT_MEASURED}.</p>"
    covers = ", ".join(dict.fromkeys(name.replace("_", " ") for name in summary.latency_phases))
    peak = f"Peak latency, the highest p99 of a window: {milliseconds(summary.peak_latency_ms)}."
    after = f"<p>The first rows cover {text(covers)}. {peak}</p>"
    return _figures(story, "latency") + measured + _more_types(len(summary.latency_by_type)) + after


def _percentiles(rows: Iterable[tuple[str, Percentiles]], caption: str) -> str:
    """A table of distributions; those of nothing are left out, and "" where none is left."""
    head = ("", *(name.replace("p999", "p99.9") for name in _QUANTILES), "count")
    shown = [
        (words, *(milliseconds(getattr(times, name)) for name in _QUANTILES), count(times.count))
        for words, times in rows
        if times.count
    ]
    return table(head, shown, caption=caption) if shown else ""


def _more_types(there: int) -> str:
    more = there - _TYPES_MAX
    return f"<p>{more:,} more message types are in summary.json.</p>" if more > 0 else ""


def _throughput(story: Story) -> str:
    throughput = story.summary.throughput
    rows = [
        ("sent", rate(throughput.sent_per_s, "msg"), f"over {duration(throughput.sending_s)} of sending"),
        (
            "delivered",
            rate(throughput.delivered_per_s, "msg"),
            delivered_share(story.summary.delivery_success),
        ),
        ("messages received", count(throughput.messages_received), ""),
        ("bytes sent", megabytes(throughput.bytes_sent), ""),
        ("bytes received", megabytes(throughput.bytes_received), ""),
    ]
    return _figures(story, "throughput") + _accounts("Throughput", rows)


def _messages(story: Story) -> str:
    """The account of the messages: columns that add up, one for all and one for each type."""
    whole, types = story.summary.delivery, list(story.summary.delivery_by_type.items())
    if whole.intended is None:
        return f"<p>{NOT_MEASURED}</p>"
    if len(types) < 2:
        types = []
    columns: list[tuple[str, Delivery]] = [("all", whole), *types[:_TYPES_MAX]]
    lines = (
        ("intended", "intended", "="), ("not_sent", "− not sent", ""), ("sent", "= sent", "="),
        ("delivered", "delivered", ""), ("lost", "+ lost", ""), ("unknown", "+ unknown", ""), ("sent", "= sent", "="),
    )  # fmt: skip
    beside = (
        "duplicated",
        "reordered",
        "late",
        "recovered",
        "corrupted_body",
        "corrupted_header",
        "unexpected",
        "confirmed",
    )
    rows = [(words, *(count(getattr(each, key)) for _, each in columns)) for key, words, _ in lines]
    marks = ["sum" if kind else "" for _, _, kind in lines]
    also = [(key.replace("_", " "), *(count(getattr(each, key)) for _, each in columns)) for key in beside]
    head = ("", *(name for name, _ in columns))
    not_sent = story.summary.not_sent
    return (
        table(head, rows, caption="What became of every message", marks=marks)
        + _more_types(len(types))
        + f"<p>Delivery: {text(delivered_share(story.summary.delivery_success))}. Not sent by"
        f" {not_sent_by(story.summary)}: {count(not_sent.target)}, by squall's: {count(not_sent.squall)}.</p>"
        + table(head, also, caption="What was seen beside that")
        + _pushed(story.summary)
    )


def _delivery(story: Story) -> str:
    """What went wrong with messages, when and on which streams; their order; what was acknowledged."""
    summary = story.summary
    said = delivery_sentences(summary, story.behind.faults)
    return (
        (bullets(said) if said and not story.running else "")
        + _figures(story, "delivery")
        + (f"<h3>What the faults did</h3>{bullets(faulted)}" if (faulted := fault_lines(summary)) else "")
        + worst_streams(summary)
        + ordered(summary)
        + acknowledged(summary, _percentiles)
    )


def _pushed(summary: Summary) -> str:
    """What came unasked, and why messages were not what was waited for; nothing where neither was."""
    found = ""
    if summary.push.received is not None:
        found += f"<p>Pushed: {text('; '.join(pushed(summary)))}.</p>"
    if summary.misfits:
        found += f"<p>Not what was waited for, by why: {text(misfits(summary))}.</p>"
    return found


def _errors(story: Story) -> str:
    summary = story.summary
    rows = [(trouble(each), count(each.count)) for each in summary.errors]
    rows += [(f"close code {code}", count(times)) for code, times in summary.close_codes.items()]
    if not rows:
        none = (
            NOT_MEASURED if summary.connections.attempted is None else "No error, and no close code was seen."
        )
        return _figures(story, "errors") + f"<p>{none}</p>"
    return _figures(story, "errors") + table(("what", "count"), rows, caption="Errors and close codes")


def _places(story: Story) -> str:
    found = story.summary.places
    if len(found) < 2:
        return ""
    rows = [
        (
            f"{each.node} at {each.entry_point}" if each.node else each.entry_point,
            count(each.established),
            count(each.failed),
            count(each.dropped),
            count(each.delivered),
            count(each.lost),
            milliseconds(each.response_p99_ms),
        )
        for each in found
    ]
    head = ("place", "established", "failed", "dropped", "delivered", "lost", "p99 of response")
    return _figures(story, "places") + table(head, rows, caption="By entry point and node")


def _populations(story: Story) -> str:
    found = story.summary.populations
    if len(found) < 2:
        return ""
    rows = [
        (
            name,
            count(each.connections.established),
            count(each.connections.dropped),
            count(each.delivery.sent),
            count(each.delivery.delivered),
            milliseconds(each.latency.response.p50),
            milliseconds(each.latency.response.p99),
        )
        for name, each in found.items()
    ]
    head = ("population", "established", "dropped", "sent", "delivered", "p50", "p99")
    return table(head, rows, caption="By population")


def _resources(story: Story) -> str:
    sources = list(story.history.sources.values())
    said = [
        f"{words}: {NOT_MEASURED} (nothing was configured to watch it)."
        for role, words in (("target", "The target"),)
        if not any(each.role == role for each in sources)
    ]
    said += [
        f"{each.name}: {problem} ({times:,} times)"
        for each in sources
        for problem, times in each.problems.items()
    ]
    noted = f'<div class="notes">{bullets(said)}</div>' if said else ""
    return noted + _figures(story, "resources") + _machines(story.summary)


def _machines(summary: Summary) -> str:
    """What each machine used on average and at most; "" where none was watched."""
    if not summary.resources:
        return ""
    rows = machine_rows(summary)
    head = ("source", "figure", "average", "peak", "looks")
    made = table(head, rows, caption="Averages and peaks")
    words = "Averages and peaks of the sustained phases, or of the whole run where there was none"
    if len(rows) > _MACHINE_ROWS_OPEN:
        return f"<details><summary>{words}</summary>{made}</details>"
    return f"<p>{words}:</p>{made}"


def _generator(story: Story) -> str:
    workers = story.summary.workers
    rows = [
        (
            "workers",
            count(workers.count),
            f"lost: {', '.join(map(str, workers.lost))}" if workers.lost else "",
        ),
        ("processor", duration(workers.cpu_s), "of all workers"),
        ("memory", megabytes(workers.rss_max_bytes), "highest sum of all workers"),
        ("lag of a loop", milliseconds(workers.loop_lag_max_ms), "longest"),
        ("silence", milliseconds(workers.silence_max_ms), _silence(workers.silence_start_s)),
    ]
    return _figures(story, "generator") + _accounts("The load generator", rows)


def _silence(start_s: float | None) -> str:
    return "" if start_s is None else f"longest in which nothing arrived at a worker, from {when(start_s)}"


def _phases(story: Story) -> str:
    rows = [
        (
            each.name.replace("_", " "),
            when(each.start_s, each.end_s),
            each.words,
            count(None if each.held_mean is None else round(each.held_mean)),
            count(each.held_min),
            count(each.held_max),
            count(each.delivery.sent),
            count(each.delivery.delivered),
            milliseconds(each.peak_latency_ms),
        )
        for each in story.summary.phases
    ]
    head = ("phase", "when", "plan", "held", "least", "most", "sent", "delivered", "peak latency")
    return table(head, rows, caption="Phases") + (
        bullets(story.record.header.plan) if story.record.header.plan else ""
    )


def _environment(story: Story) -> str:
    header = story.record.header
    label = story.summary.test_environment or "no label"
    return measured(header, [("run", header.run_id), ("environment", label)])


def _accounts(caption: str, rows: Iterable[Sequence[str]]) -> str:
    return table(("", "figure", ""), rows, caption=caption)


def _figures(story: Story, name: str) -> str:
    return "".join(
        figure(chart, f"{name}-{number}", height=_SMALL_PX if number else _TALL_PX, columns=story.columns)
        for number, chart in enumerate(story.charts[name])
    )


def _only_charts(name: str) -> Callable[[Story], str]:
    return lambda story: _figures(story, name)


SECTIONS: Final[dict[str, tuple[str, Callable[[Story], str]]]] = {
    "happened": ("What stands out", _stands_out),
    "judged": ("Thresholds and checks", lambda story: judged_bounds(story.summary, running=story.running)),
    "advice": ("What to do", lambda story: advised(story.record, story.summary)),
    "connections": ("Connections", _connections),
    "latency": ("Latency", _latency),
    "distribution": ("Distribution", _only_charts("distribution")),
    "throughput": ("Throughput", _throughput),
    "messages": ("Messages", _messages),
    "delivery": ("Delivery", _delivery),
    "errors": ("Errors and close codes", _errors),
    "places": ("Entry points and nodes", _places),
    "populations": ("Populations", _populations),
    "resources": ("Resources", _resources),
    "generator": ("The load generator", _generator),
    "stability": ("Stability", lambda story: stability_checks(story.history)),
    "events": ("Alerts and events", lambda story: noted_events(story.history)),
    "phases": ("Phases and plan", _phases),
    "environment": ("How it was measured", _environment),
}
"""Each section's id, title and writer, in the order of the page; the verdict stands above them all."""
