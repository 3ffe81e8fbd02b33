"""Which pictures a run has: its history as charts, all over one time axis. Draws nothing and computes nothing.

Each function makes the charts of one section; a chart of what never occurred is left out, unless its absence
says something (nothing was measured). The series of a chart carry the names that they have in the page's data.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from squall.charts.chart import Bound, Chart, Line
from squall.charts.columns import Floats, Middle, as_array
from squall.charts.scales import Kind
from squall.errors import ScenarioError
from squall.metrics.expressions import parse
from squall.metrics.history import History
from squall.metrics.phases import settled
from squall.metrics.summary_document import Judged, Summary
from squall.metrics.timeline import Timeline
from squall.reports.backdrop import Backdrop, backdrop
from squall.reports.left_out import LINES_MAX, left_out, sentences
from squall.reports.wording import printable

__all__ = [
    "connections",
    "distribution",
    "errors",
    "generator",
    "latency",
    "overview",
    "places",
    "throughput",
]

_LOGARITHMIC_FROM: Final = 40
"""Where the greatest is that many times the usual, a straight axis would show nothing but the greatest."""


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
    charts += _silence(history, behind)
    delay = _fan(history.run, "push_delay", (("p50", 1), ("p90", 3), ("p99", 2), ("max", 6)))
    if delay:
        note = "From the sender's time stamp to the arrival, by two clocks: percentiles of each second."
        kind = _kind(history.run, "push_delay")
        charts.append(behind.chart("Delay of pushes", "ms", delay, note=note, y_kind=kind))
    ping = _fan(history.run, "ping", (("p50", 1), ("p99", 2), ("max", 6)))
    if ping:
        charts.append(
            behind.chart(
                "Ping", "ms", ping, note="From a ping to its pong.", y_kind=_kind(history.run, "ping")
            )
        )
    return charts


def _silence(history: History, behind: Backdrop) -> Iterator[Chart]:
    """The silences, where anything was to be heard at all."""
    run = history.run
    silences = run.silence_ms
    if not _is_ever(silences) or not (run.total("sent") or run.total("pushed")):
        return
    line = Line(
        name="longest silence",
        x=run.at_s(),
        y=silences,
        look="bars",
        colour=4,
        middle="greatest",
        key="silence",
    )
    note = (
        "The longest time in which nothing arrived on any connection of a worker, at the second in which something"
        " came again: a stall shows here."
    )
    yield behind.chart("Silence", "ms", [line], note=note)


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
    names = [
        ("intended", "due", 6),
        ("sent", "sent", 3),
        ("delivered", "delivered", 1),
        ("pushed", "pushed", 4),
    ]
    if not history.run.total("delivered") and history.run.total("messages_received"):
        names.append(("messages_received", "received", 1))
    lines = [
        _line(history.run, name, words, colour=colour, faint=name == "intended")
        for name, words, colour in names
        if history.run.total(name)
    ]
    came = ", and pushed without being asked for" if history.run.total("pushed") else ""
    note = f"By second: due by the schedule, sent, and seen to arrive{came}."
    charts = [behind.chart("Messages", "/s", lines, note=note)]
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
            said = sentences(note, left_out(len(names), "kind"))
            charts.append(behind.chart(title, "/s", lines, note=said))
    if _is_ever(run.mean("pushes_missing")):
        line = _line(run, "pushes_missing", "missing", colour=2)
        note = "Numbers that later ones skipped and that have not come since, at the end of each second."
        charts.append(behind.chart("Missing pushes", "count", [line], note=note))
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
        if _is_ever(history.run.mean(name)):
            line = _line(history.run, name, title, colour=1)
            charts.append(behind.chart(title, unit, [line], note=note))  # type: ignore[arg-type]  # a unit of the table above
    return charts


def places(history: History, behind: Backdrop) -> list[Chart]:
    """Each entry point and node by itself, where there are several."""
    if len(history.places) < 2:
        return []
    named = [(number, printable(history.place_name(number))) for number in _worst_places(history)]
    more = left_out(len(history.place_numbers), "place")
    cut = sentences("Those that dropped the most and those with the highest p99.", more) if more else ""
    held = [_line(history.run, f"{number}:held", name) for number, name in named]
    delivered = [_line(history.run, f"{number}:delivered", name) for number, name in named]
    charts = [
        behind.chart("Held by place", "count", held, note=cut),
        behind.chart("Delivered by place", "/s", delivered, note=cut),
    ]
    for what, title in (("p50", "Median response time by place"), ("p99", "p99 of response time by place")):
        lines = [_percentile(history.run, f"{number}:response", what, name) for number, name in named]
        kind = _kind(history.run, "response")
        charts.append(behind.chart(title, "ms", lines, y_kind=kind, note=cut))
    return charts


def _worst_places(history: History) -> list[int]:
    """As many as are drawn: a dead one is among them by its drops, a slow one by its p99, whatever the others did."""
    numbers, run = history.place_numbers, history.run
    if len(numbers) <= LINES_MAX:
        return numbers
    p99_ns = {each: run.whole(f"{each}:response").quantile_ns(0.99) or 0 for each in numbers}
    dropped = {each: run.total(f"{each}:dropped") for each in numbers}
    worst = sorted(numbers, key=lambda each: (-dropped[each], -p99_ns[each]))
    chosen = [each for each in worst if dropped[each]][: LINES_MAX // 2]
    rest = sorted((each for each in numbers if each not in chosen), key=lambda each: -p99_ns[each])
    return sorted([*chosen, *rest[: LINES_MAX - len(chosen)]])


def overview(history: History, summary: Summary) -> dict[str, Chart]:
    """The pictures of a short report, each with a name for its file: only those of what was measured."""
    behind = backdrop(history, summary.outages)
    found = {
        "connections": connections(history, behind)[0],
        "response-time": latency(history, behind, summary.verdict.judgements or ())[0],
        "distribution": distribution(history)[0],
        "messages": throughput(history, behind)[0],
    }
    return {
        name: chart
        for name, chart in found.items()
        if any(np.isfinite(as_array(line.y)).any() for line in chart.lines)
    }


def _is_ever(values: Floats) -> bool:
    """Whether it was measured and something else than zero."""
    return bool(np.nan_to_num(values).any())


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
    if not run.has(name).any():
        return []
    lines: list[Line] = []
    for what, colour in quantiles:
        floor = lines[-1].y if lines else None
        words = "p99.9" if what == "p999" else what
        lines.append(_percentile(run, name, what, words, colour=colour, floor=floor))
    return lines


def _kind(run: Timeline, name: str) -> Kind:
    there = run.has(name)
    if not there.any():
        return "linear"
    medians = np.sort(run.milliseconds(name, "p50")[there])
    greatest = run.milliseconds(name, "max").max(where=there, initial=0.0)
    return "log" if 0 < _LOGARITHMIC_FROM * medians[len(medians) // 2] < greatest else "linear"


def _most(run: Timeline, names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: -run.total(name))[:LINES_MAX]


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
