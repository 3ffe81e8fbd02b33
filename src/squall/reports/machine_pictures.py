"""The watched machines as charts: shares of all of them together, absolute figures of each role by themselves.

The rule: a share is of what each may use, so target, generator and host stand on one axis. Bytes, cores and counts do
not: a host's gigabytes would press the megabytes of a target flat. Where there are more lines than a chart has room for,
the whole of every source comes before its busiest process or thread, those that went highest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from squall.charts.chart import Chart, Line
from squall.charts.quantities import Unit
from squall.metrics.history import History, Source
from squall.record.resources import Role
from squall.reports.backdrop import Backdrop
from squall.reports.left_out import LINES_MAX, left_out, sentences
from squall.reports.wording import printable

__all__ = ["resources"]

_ROLES: Final[tuple[Role, ...]] = ("target", "generator", "host")
_FIGURES: Final[tuple[tuple[str, str, Unit, tuple[str, ...]], ...]] = (
    ("Processor", "Share of the cores that each may use.", "share", ("cpu_share",)),
    ("Cores in use", "The busiest process and thread beside the whole.", "cores",
     ("cpu_cores", "cpu_process_max_cores", "cpu_thread_max_cores")),
    ("Held back by a quota", "Share of its periods.", "share", ("cpu_throttled_share",)),
    ("Memory", "Resident.", "bytes", ("memory_bytes",)),
    ("Memory share", "Of the limit, or of the host's.", "share", ("memory_share",)),
    ("Descriptors", "Open files and sockets.", "count", ("descriptors",)),
    ("Threads", "", "count", ("threads",)),
    ("Network", "Received and sent.", "bytes/s", ("received_bytes_hz", "sent_bytes_hz")),
    ("Waiting to be accepted", "And turned away by a full queue.", "count", ("accept_queue", "accept_overflows")),
)  # fmt: skip
_WORDS: Final = {
    "cpu_process_max_cores": "busiest process",
    "cpu_thread_max_cores": "busiest thread",
    "received_bytes_hz": "received",
    "sent_bytes_hz": "sent",
    "accept_queue": "waiting",
    "accept_overflows": "turned away",
}


def resources(history: History, behind: Backdrop) -> list[Chart]:
    """What was watched: a chart for each share, and one for each other figure of each role; then what is a source's own."""
    sources = sorted(history.sources.values(), key=lambda each: _ROLES.index(each.role))
    charts: list[Chart] = []
    for title, note, unit, names in _FIGURES:
        if unit == "share":
            charts += _compared(title, note, unit, names, sources, behind)
            continue
        for role in _ROLES:
            mine = [each for each in sources if each.role == role]
            charts += _compared(f"{title}: the {role}", note, unit, names, mine, behind)
    for source in sources:
        charts += _own(source, behind)
    return charts


def _compared(
    title: str, note: str, unit: Unit, names: tuple[str, ...], sources: Sequence[Source], behind: Backdrop
) -> Iterator[Chart]:
    """One chart of these figures of these sources; none where nothing of it was measured."""
    there = {
        (source, name): highest
        for name in names
        for source in sources
        if (highest := _highest(source, name)) is not None
    }
    first = sorted(there, key=lambda each: (names.index(each[1]), -there[each]))[:LINES_MAX]
    alone = all(name == names[0] and name not in _WORDS for _, name in there)
    lines = [
        _sampled(source, name, _words(source, name, alone=alone))
        for source, name in there
        if (source, name) in first
    ]
    if lines:
        about = "" if alone and len(names) > 1 else note  # it is about what stands beside the first
        yield behind.chart(title, unit, lines, note=sentences(about, left_out(len(there))))


def _own(source: Source, behind: Backdrop) -> Iterator[Chart]:
    """The states of a source's sockets, and the figures that the user chose."""
    for prefix, title in (("tcp:", "Sockets by state"), ("custom:", "Figures of its own")):
        names = [name for name in source.timeline.names() if name.startswith(prefix)]
        chosen = sorted(names, key=lambda name: -source.timeline.total(name))[:LINES_MAX]
        lines = [_sampled(source, name, name.removeprefix(prefix).replace("_", " ")) for name in chosen]
        if lines:
            note = left_out(len(names))
            yield behind.chart(f"{title}: {printable(source.name)}", "count", lines, note=note)


def _words(source: Source, name: str, *, alone: bool) -> str:
    return printable(source.name if alone else f"{source.name}: {_WORDS.get(name, 'all')}")


def _highest(source: Source, name: str) -> float | None:
    most = source.timeline.most(name)
    there = most[~np.isnan(most)]
    return float(there.max()) if len(there) else None


def _sampled(source: Source, name: str, words: str) -> Line:
    line = source.timeline
    return Line(
        name=words, x=line.at_s(), y=line.mean(name), low=line.least(name), high=line.most(name),
        gap=2.5 * line.grain_s, key=f"{source.name}:{name}",
    )  # fmt: skip
