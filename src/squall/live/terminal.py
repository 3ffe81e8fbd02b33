"""The view in a terminal: one picture, drawn over the one before.

Drawn at most four times a second, in a thread of its own; a picture that comes while one is drawn takes the
place of the one that waits. What was drawn is wiped at the end: the summary follows.
"""

from __future__ import annotations

from typing import Final, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from squall.live.base import LiveView
from squall.live.outlet import Outlet, stream_apart
from squall.live.picture import Delivery, Picture, Scene, Times, Title
from squall.live.words import clock, event, milliseconds, per_second, trouble
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval
from squall.units import format_count

__all__ = ["TerminalView", "drawn"]

DRAW_EVERY_S: Final = 0.25
_WARNING: Final = "bold red"
_LABEL: Final = "cyan"
_FAINT: Final = "dim"


class TerminalView(LiveView):
    """Draws the run into a terminal."""

    def __init__(self, stream: TextIO, title: Title) -> None:
        self._title = title
        self._scene = Scene()
        self._live: Live | None = None
        apart, self._let_go = stream_apart(stream)
        self._console = Console(file=apart, force_terminal=True)
        self._outlet: Outlet[Picture] = Outlet(self._draw, self._wipe, limit=1, every_s=DRAW_EVERY_S)

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """The next picture is in this phase."""
        self._scene.begin_phase(phase, duration_s)

    def accept(self, interval: Interval) -> None:
        """Draw the run as it stands after this interval."""
        self._scene.accept(interval)
        self._outlet.offer(self._scene.picture())

    def happened(self, event: Event) -> None:
        """Shown with the next picture."""
        self._scene.happened(event)

    def finish(self) -> None:
        """Wipe the picture; the thread is left to itself where the terminal is blocked."""
        self._outlet.close()

    def _draw(self, picture: Picture) -> None:
        if self._live is None:
            # Its own refreshing would draw from a second thread; streams of others are left alone.
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()
        self._live.update(drawn(picture, self._title), refresh=True)

    def _wipe(self) -> None:
        try:
            if self._live is not None:
                self._live.stop()
        finally:
            self._let_go()


def drawn(picture: Picture, title: Title) -> RenderableType:
    """A picture as Rich renders it."""
    body = Group(
        _phase(picture),
        Text(),
        _figures(picture),
        Text(),
        _times(picture),
        Text(),
        _delivery(picture.delivery),
        *_troubles(picture),
        *_events(picture),
    )
    return Panel(
        body,
        title=Text(f"{title.name} → {title.target}", overflow="ellipsis", no_wrap=True),
        subtitle=Text("Ctrl-C ends the run in order, twice at once", style=_FAINT),
        title_align="left",
        subtitle_align="right",
    )


def _phase(picture: Picture) -> RenderableType:
    """The phase, how far it is, and how long the run goes on already."""
    since_ns = max(0, picture.at_ns - picture.phase_start_ns)
    row = Table.grid(expand=True, padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(ratio=1)
    row.add_column(justify="right", no_wrap=True)
    name = Text(picture.phase.replace("_", " ") or "starting", style="bold")
    if picture.phase_duration_s:
        bar: RenderableType = ProgressBar(
            total=picture.phase_duration_s, completed=min(since_ns / 1e9, picture.phase_duration_s)
        )
        of = f"{clock(since_ns)} of {clock(round(picture.phase_duration_s * 1e9))}"
    else:
        bar, of = Text(), clock(since_ns)
    row.add_row(name, bar, Text(f"{of} · run {clock(picture.at_ns)}"))
    return row


def _figures(picture: Picture) -> RenderableType:
    grid = _grid()
    connections = [
        _pair("held", f"{format_count(picture.held)} of {format_count(picture.planned)}"),
        _pair("pending", format_count(picture.pending)),
        _pair("connects", per_second(picture.connects_hz)),
        _counted("failed", picture.connects_failed),
        _counted("dropped", picture.dropped),
    ]
    messages = [
        _pair("sent", per_second(picture.sent_hz)),
        _pair("delivered", per_second(picture.delivered_hz)),
        _pair("in all", format_count(picture.delivery.sent)),
        _counted("blocked", picture.blocked),
    ]
    grid.add_row(Text("connections", style=_LABEL), _joined(connections))
    grid.add_row(Text("messages", style=_LABEL), _joined(messages))
    return grid


def _times(picture: Picture) -> RenderableType:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style=_FAINT)
    table.add_column("ms", style=_LABEL, header_style=_FAINT, min_width=11)
    for name in ("p50", "p95", "p99", "max"):
        table.add_column(name, justify="right", min_width=9)
    rows: list[tuple[str, Times]] = [
        ("response", picture.response),
        ("service", picture.service),
        ("send lag", picture.lag),
    ]
    if picture.ping.max_ms is not None:
        rows.append(("ping", picture.ping))
    for name, times in rows:
        table.add_row(name, *map(milliseconds, (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms)))
    return table


def _delivery(delivery: Delivery) -> RenderableType:
    grid = _grid()
    outcomes = [
        _pair("delivered", format_count(delivery.delivered)),
        _counted("lost", delivery.lost),
        _counted("unknown", delivery.unknown),
        _counted("not sent", delivery.not_sent),
    ]
    events = [
        _counted("duplicated", delivery.duplicated),
        _counted("reordered", delivery.reordered),
        _counted("late", delivery.late),
        _counted("corrupted", delivery.corrupted),
        _counted("unexpected", delivery.unexpected),
    ]
    grid.add_row(Text("outcomes", style=_LABEL), _joined(outcomes))
    grid.add_row(Text("events", style=_LABEL), _joined(events))
    return grid


def _troubles(picture: Picture) -> list[RenderableType]:
    if not picture.troubles:
        return []
    grid = _grid()
    for place, (found, count) in enumerate(picture.troubles):
        label = Text("errors" if place == 0 else "", style=_LABEL)
        grid.add_row(label, Text(f"{format_count(count)} × {trouble(found)}", style=_WARNING))
    return [Text(), grid]


def _events(picture: Picture) -> list[RenderableType]:
    if not picture.events:
        return []
    grid = _grid()
    for place, happened in enumerate(picture.events):
        label = Text("last" if place == 0 else "", style=_LABEL)
        grid.add_row(label, Text(event(happened), overflow="ellipsis", no_wrap=True))
    return [Text(), grid]


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=11, no_wrap=True)
    grid.add_column()
    return grid


def _pair(name: str, figure: str) -> Text:
    return Text.assemble((f"{name} ", _FAINT), figure)


def _counted(name: str, count: int) -> Text:
    """A count of what should not be: it stands out once it is more than none."""
    return Text.assemble((f"{name} ", _FAINT), (format_count(count), _WARNING if count else ""))


def _joined(parts: list[Text]) -> Text:
    return Text("   ").join(parts)
