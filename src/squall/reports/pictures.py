"""Which pictures a run has: its history as charts, all over one time axis. Draws nothing and computes nothing.

Each function makes the charts of one section; a chart of what never occurred is left out, unless its absence
says something (nothing was measured). The series of a chart carry the names that they have in the page's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from squall.charts.chart import Bound, Chart, Line, Mark, Span
from squall.charts.columns import Middle
from squall.charts.quantities import Unit
from squall.charts.scales import Kind
from squall.errors import ScenarioError
from squall.metrics.expressions import parse
from squall.metrics.history import History, Source
from squall.metrics.phases import settled
from squall.metrics.summary_document import Judged, Summary
from squall.metrics.timeline import Timeline
from squall.reports.wording import EVENT_URGENCY, printable

__all__ = ["Backdrop", "backdrop", "connections", "distribution", "errors", "generator", "latency", "places"]
__all__ += ["overview", "resources", "throughput"]

_NS: Final = 1_000_000_000
_LOGARITHMIC_FROM: Final = 40
"""Where the greatest is that many times the usual, a straight axis would show nothing but the greatest."""
_LINES_MAX: Final = 6
_PHASES_MAX: Final = 60
_MARKED: Final = {"alert": "alert", "alert_cleared": "cleared"}
_TOLD: Final = frozenset(
    {
        "fault",
        "fault_healed",
        "killed",
        "no_acknowledgement",
        "outage",
        "ramp_faster",
        "ramp_frozen",
        "ramp_slower",
        "store",
        "worker_lost",
    }
)
_MARKS_MAX: Final = 60

_RESOURCES: Final[tuple[tuple[str, str, Unit, tuple[str, ...]], ...]] = (
    ("Processor", "of the cores that each may use", "share", ("cpu_share",)),
    ("Cores in use", "the busiest process and thread beside the whole", "cores",
     ("cpu_cores", "cpu_process_max_cores", "cpu_thread_max_cores")),
    ("Held back by a quota", "share of its periods", "share", ("cpu_throttled_share",)),
    ("Memory", "resident", "bytes", ("memory_bytes",)),
    ("Memory share", "of the limit, or of the host's", "share", ("memory_share",)),
    ("Descriptors", "open files and sockets", "count", ("descriptors",)),
    ("Threads", "", "count", ("threads",)),
    ("Network", "received and sent", "bytes/s", ("received_bytes_hz", "sent_bytes_hz")),
    ("Waiting to be accepted", "and turned away by a full queue", "count", ("accept_queue", "accept_overflows")),
)  # fmt: skip
_WORDS: Final = {
    "cpu_process_max_cores": "busiest process",
    "cpu_thread_max_cores": "busiest thread",
    "received_bytes_hz": "received",
    "sent_bytes_hz": "sent",
    "accept_queue": "waiting",
    "accept_overflows": "turned away",
}


@dataclass(frozen=True, slots=True)
class Backdrop:
    """What all charts over time share: the axis, the phases behind it, what is marked on it."""

    x_range: tuple[float, float]
    spans: tuple[Span, ...]
    marks: tuple[Mark, ...]
    faults: tuple[Span, ...] = ()
    unmarked: int = 0
    """Events that would be marked, were there not so many."""

    def chart(self, title: str, unit: Unit, lines: Sequence[Line], **more: object) -> Chart:
        """A chart over the time of the run."""
        return Chart(
            title=title,
            unit=unit,
            lines=lines,
            x_range=self.x_range,
            spans=self.spans,
            marks=self.marks,
            faults=self.faults,
            **more,  # type: ignore[arg-type]  # the other fields of a chart
        )


def backdrop(history: History) -> Backdrop:
    """The axis of a run, up to its last second."""
    end_s = max(history.last_at_ns, *(source_end(each) for each in history.sources.values()), 1) / _NS
    spans = [
        Span(
            phase.start_ns / _NS,
            end_s if phase.end_ns is None else phase.end_ns / _NS,
            phase.name.replace("_", " "),
        )
        for phase in history.phases[:_PHASES_MAX]
    ]
    told = [event for event in history.events if event.kind in _MARKED or event.kind in _TOLD]
    chosen = sorted(told, key=lambda each: (EVENT_URGENCY.get(each.kind, 2), each.at_ns))[:_MARKS_MAX]
    marks = [
        Mark(event.at_ns / _NS, printable(event.text), _MARKED.get(event.kind, "event"))  # type: ignore[arg-type]  # from a table of kinds
        for event in sorted(chosen, key=lambda each: each.at_ns)
    ]
    seen = sum(history.events_by_kind[kind] for kind in {*_MARKED, *_TOLD})
    faults = tuple(_faults(history, end_s))
    return Backdrop((0.0, end_s), tuple(spans), tuple(marks), faults, max(0, seen - len(marks)))


def _faults(history: History, end_s: float) -> Iterator[Span]:
    """Each stretch in which a fault was on; one that was never healed lasts until the end of the record."""
    begun: dict[str, float] = {}
    for event in sorted(history.events, key=lambda each: each.at_ns):
        if event.kind == "fault":
            begun.setdefault(event.name, event.at_ns / _NS)
        elif event.kind == "fault_healed" and event.name in begun:
            yield Span(begun.pop(event.name), event.at_ns / _NS, printable(event.name))
    yield from (Span(start_s, end_s, printable(name)) for name, start_s in begun.items())


def source_end(source: Source) -> int:
    """When its last sample was taken, in nanoseconds of the run."""
    return source.timeline.points[-1].at_ns if source.timeline.points else 0


def connections(history: History, behind: Backdrop) -> list[Chart]:
    """How many were held, and how they came and went."""
    held = _line(history.run, "held", "held", colour=1)
    planned = _line(history.run, "planned", "planned", faint=True, look="step")
    moves = [("established", 3), ("failed", 2), ("dropped", 4), ("reconnected", 1), ("closed", 6)]
    came = [
        _line(history.run, name, name, colour=colour) for name, colour in moves if history.run.total(name)
    ]
    charts = [
        behind.chart(
            "Connections held", "count", [planned, held], note="At the end of each second, beside the plan."
        )
    ]
    if came:
        note = (
            "New connections, and those that ended: closed by squall as planned, or dropped by anyone else."
        )
        charts.append(behind.chart("Coming and going", "/s", came, note=note))
    connect = _fan(history.run, "connect", (("p50", 1), ("p99", 2), ("max", 6)))
    if connect:
        charts.append(
            behind.chart(
                "Time to connect",
                "ms",
                connect,
                y_kind=_kind(history.run, "connect"),
                note="From the start of the TCP connect to the accepted upgrade.",
            )
        )
    return charts


def latency(history: History, behind: Backdrop, judged: Iterable[Judged] = ()) -> list[Chart]:
    """Percentiles of each second, and the silences between."""
    fan = _fan(history.run, "response", (("p50", 1), ("p90", 3), ("p99", 2), ("p999", 4), ("max", 6)))
    charts = [
        behind.chart(
            "Response time",
            "ms",
            fan,
            y_kind=_kind(history.run, "response"),
            bounds=list(_bounds(judged)),
            note="From the moment a message was due to its reply: percentiles of each second.",
        )
    ]
    silences = [None if point.silence_ns is None else point.silence_ns / 1e6 for point in history.run.points]
    if any(silences) and history.run.total("sent"):
        line = Line(
            name="longest silence", x=history.run.at_s(), y=silences, look="bars", colour=4,
            middle="greatest", key="silence",
        )  # fmt: skip
        note = "The longest time in which nothing arrived on any connection of a worker: a stall shows here."
        charts.append(behind.chart("Silence", "ms", [line], note=note))
    ping = _fan(history.run, "ping", (("p50", 1), ("p99", 2), ("max", 6)))
    if ping:
        charts.append(
            behind.chart(
                "Ping", "ms", ping, note="From a ping to its pong.", y_kind=_kind(history.run, "ping")
            )
        )
    return charts


def distribution(history: History) -> list[Chart]:
    """The distribution of the times that the summary's latency covers, with as much room for each nine."""
    phases = settled(history.phases) or frozenset(phase.id for phase in history.phases)
    lines = []
    for name, words, colour in (
        ("response", "response, from when it was due", 1),
        ("service", "service, from when it was sent", 3),
    ):
        curve = history.answered(name, phases).curve_ns()
        lines.append(
            Line(
                name=words,
                x=[share for share, _ in curve],
                y=[value / 1e6 for _, value in curve],
                middle="greatest",
                colour=colour,
                key=f"curve:{name}",
            )
        )
    names = ", ".join(
        dict.fromkeys(phase.name.replace("_", " ") for phase in history.phases if phase.id in phases)
    )
    return [
        Chart(
            title="Distribution of latency",
            unit="ms",
            x_unit="quantile",
            x_kind="nines",
            lines=lines,
            note=f"That share of all answers was at least as quick; each nine has the same room. Of {names or 'the run'}.",
        )
    ]


def throughput(history: History, behind: Backdrop) -> list[Chart]:
    """Messages and bytes by second."""
    names = [("intended", "due", 6), ("sent", "sent", 3), ("delivered", "delivered", 1)]
    if not history.run.total("delivered") and history.run.total("messages_received"):
        names.append(("messages_received", "received", 1))
    lines = [
        _line(history.run, name, words, colour=colour, faint=name == "intended")
        for name, words, colour in names
        if history.run.total(name)
    ]
    charts = [
        behind.chart(
            "Messages", "/s", lines, note="By second: due by the schedule, sent, and seen to arrive."
        )
    ]
    moved = [
        _line(history.run, name, words, colour=colour)
        for name, words, colour in (("bytes_sent", "sent", 3), ("bytes_received", "received", 1))
        if history.run.total(name)
    ]
    if moved:
        charts.append(behind.chart("Bytes", "bytes/s", moved, note="Payload of messages, by second."))
    return charts


def errors(history: History, behind: Backdrop) -> list[Chart]:
    """What went wrong, by kind: with connections, with messages; and how connections were closed."""
    run = history.run
    wrong = (
        "not_sent",
        "lost",
        "unknown",
        "duplicated",
        "reordered",
        "late",
        "corrupted_body",
        "corrupted_header",
        "unexpected",
    )
    groups = (
        (
            "Errors of connections",
            [name for name in run.names() if name.startswith("trouble:")],
            "By what went wrong, where, and whose doing it was.",
        ),
        (
            "Close codes",
            [name for name in run.names() if name.startswith("close:")],
            "1000 and 1001 are ordinary ends.",
        ),
        (
            "Messages that went wrong",
            [name for name in wrong if run.total(name)],
            "Known when a connection ends or drains, so later than they were sent.",
        ),
    )
    charts = []
    for title, names, note in groups:
        lines = [_bars(run, name, _plain(name)) for name in _most(run, names)]
        if lines:
            charts.append(behind.chart(title, "/s", lines, note=note))
    return charts


def resources(history: History, behind: Backdrop) -> list[Chart]:
    """What was watched: target, generator and host, a chart for each figure."""
    sources = sorted(
        history.sources.values(), key=lambda each: ("target", "generator", "host").index(each.role)
    )
    charts = []
    for title, note, unit, names in _RESOURCES:
        lines = [
            _sampled(source, name, _words(source, name, names))
            for source in sources
            for name in names
            if _has(source, name)
        ]
        if lines:
            shown = lines[:_LINES_MAX]
            more = (
                f" {len(lines) - _LINES_MAX} more sources are not drawn." if len(lines) > _LINES_MAX else ""
            )
            words = f"{note[:1].upper()}{note[1:]}." if note else ""
            charts.append(behind.chart(title, unit, shown, note=f"{words}{more}".strip()))
    for source in sources:
        charts += _own(source, behind)
    return charts


def generator(history: History, behind: Backdrop) -> list[Chart]:
    """The load generator, as its workers saw themselves."""
    charts = []
    lag = _fan(history.run, "lag", (("p50", 1), ("p99", 2), ("max", 6)))
    if lag:
        note = "How much later than due messages were sent: squall's doing, or the target's backpressure."
        charts.append(behind.chart("Send lag", "ms", lag, note=note, y_kind=_kind(history.run, "lag")))
    for name, title, unit, note in (
        ("generator_cpu", "Processor of the generator", "cores", "Cores in use by all workers together."),
        ("generator_rss", "Memory of the generator", "bytes", "Resident memory of all workers together."),
        ("loop_lag_ms", "Lag of its loop", "ms", "The longest of any worker in each second."),
        ("blocked", "Blocked connections", "count", "Their peer did not read what was sent."),
    ):
        if any(history.run.mean(name)):
            line = _line(history.run, name, title, colour=1)
            charts.append(behind.chart(title, unit, [line], note=note))  # type: ignore[arg-type]  # a unit of the table above
    return charts


def places(history: History, behind: Backdrop) -> list[Chart]:
    """Each entry point and node by itself, where there are several."""
    if len(history.places) < 2:
        return []
    numbers = sorted(history.place_numbers, key=lambda each: -history.run.total(f"{each}:delivered"))[
        :_LINES_MAX
    ]
    named = [(number, printable(history.place_name(number))) for number in sorted(numbers)]
    held = [_line(history.run, f"{number}:held", name) for number, name in named]
    delivered = [_line(history.run, f"{number}:delivered", name) for number, name in named]
    charts = [
        behind.chart("Held by place", "count", held),
        behind.chart("Delivered by place", "/s", delivered),
    ]
    for what, title in (("p50", "Median response time by place"), ("p99", "p99 of response time by place")):
        lines = [_percentile(history.run, f"{number}:response", what, name) for number, name in named]
        charts.append(behind.chart(title, "ms", lines, y_kind=_kind(history.run, "response")))
    return charts


def overview(history: History, summary: Summary) -> dict[str, Chart]:
    """The pictures of a short report, each with a name for its file: only those of what was measured."""
    behind = backdrop(history)
    found = {
        "connections": connections(history, behind)[0],
        "response-time": latency(history, behind, summary.verdict.judgements or ())[0],
        "distribution": distribution(history)[0],
        "messages": throughput(history, behind)[0],
    }
    return {
        name: chart
        for name, chart in found.items()
        if any(any(map(_is_there, line.y)) for line in chart.lines)
    }


def _is_there(value: float | None) -> bool:
    return value is not None


def _own(source: Source, behind: Backdrop) -> Iterator[Chart]:
    """The states of a source's sockets, and the figures that the user chose."""
    for prefix, title in (("tcp:", "Sockets by state"), ("custom:", "Figures of its own")):
        names = [name for name in source.timeline.names() if name.startswith(prefix)]
        chosen = sorted(names, key=lambda name: -source.timeline.total(name))[:_LINES_MAX]
        lines = [_sampled(source, name, name.removeprefix(prefix).replace("_", " ")) for name in chosen]
        if lines:
            yield behind.chart(f"{title}: {printable(source.name)}", "count", lines)


def _words(source: Source, name: str, names: tuple[str, ...]) -> str:
    return printable(f"{source.name}: {_WORDS.get(name, 'all')}" if len(names) > 1 else source.name)


def _has(source: Source, name: str) -> bool:
    return any(value is not None for value in source.timeline.mean(name))


def _line(run: Timeline, name: str, words: str, **look: object) -> Line:
    return Line(
        name=words,
        x=run.at_s(),
        y=run.mean(name),
        low=run.least(name),
        high=run.most(name),
        gap=2.5 * run.grain_s,
        key=name,
        **look,  # type: ignore[arg-type]  # the other fields of a line
    )


def _bars(run: Timeline, name: str, words: str) -> Line:
    return Line(name=words, x=run.at_s(), y=run.mean(name), high=run.most(name), look="bars", key=name)


def _sampled(source: Source, name: str, words: str) -> Line:
    line = source.timeline
    return Line(
        name=words, x=line.at_s(), y=line.mean(name), low=line.least(name), high=line.most(name),
        gap=2.5 * line.grain_s, key=f"{source.name}:{name}",
    )  # fmt: skip


def _percentile(run: Timeline, name: str, what: str, words: str, **look: object) -> Line:
    greatest: Middle = "greatest"
    return Line(
        name=words,
        x=run.at_s(),
        y=run.milliseconds(name, what),
        middle=greatest,
        gap=2.5 * run.grain_s,
        key=f"{name}.{what}",
        **look,  # type: ignore[arg-type]  # the other fields of a line
    )


def _fan(run: Timeline, name: str, quantiles: tuple[tuple[str, int], ...]) -> list[Line]:
    """Percentiles as lines, each with a tint down to the one below; none where nothing was measured."""
    if not any(name in point.times for point in run.points):
        return []
    lines: list[Line] = []
    for what, colour in quantiles:
        floor = lines[-1].y if lines else None
        words = "p99.9" if what == "p999" else what
        lines.append(_percentile(run, name, what, words, colour=colour, floor=floor))
    return lines


def _kind(run: Timeline, name: str) -> Kind:
    medians = sorted(value for value in run.milliseconds(name, "p50") if value is not None)
    greatest = max((value for value in run.milliseconds(name, "max") if value is not None), default=0.0)
    return "log" if medians and 0 < _LOGARITHMIC_FROM * medians[len(medians) // 2] < greatest else "linear"


def _most(run: Timeline, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: -run.total(name))[:_LINES_MAX]


def _plain(name: str) -> str:
    kind, _, rest = name.partition(":")
    return printable(f"code {rest}" if kind == "close" else rest or kind.replace("_", " "))


def _bounds(judged: Iterable[Judged]) -> Iterator[Bound]:
    """The bounds on percentiles of all response times, as lines to hold the curves against."""
    for each in judged:
        if each.source != "threshold" or not each.name.startswith("ws_response_time"):
            continue
        try:
            bound = parse(each.name, each.bound)
        except ScenarioError:
            continue  # said in other words than a scenario's: it stands in the table
        if bound.operator in ("<", "<=") and bound.selection.type is None and bound.aggregation != "avg":
            yield Bound(bound.limit, f"bound {each.bound}")
