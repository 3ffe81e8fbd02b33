"""A picture as a terminal shows it: what to draw, at any width and height. Pure; when and where is `terminal`'s.

The rule: what matters most comes first; where a terminal is too low, the empty lines go, then the last sections.
On a narrow one the rows over time go first. A count of what should not be stands out once it is more than none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from squall.live.picture import Moment, Picture, Times, Title
from squall.live.sparkline import sparkline
from squall.live.words import (
    check_words,
    clock,
    event,
    milliseconds,
    per_second,
    resource_words,
    trouble,
)
from squall.units import format_count

__all__ = ["Dashboard"]

_LABEL_WIDTH: Final = 11
_COLUMN_WIDTH: Final = 9
_GAP: Final = 2
_NARROW: Final = 64
"""Below this width a line has room for less."""

_SPARK_WIDTH_MIN: Final = 12
_FRAME_WIDTH: Final = 4
"""What the panel's border and padding take."""

_FRAME_HEIGHT: Final = 2

_NS: Final = 1_000_000_000

_WARNING: Final = "bold red"
_LABEL: Final = "cyan"
_FAINT: Final = "dim"
_LEVEL: Final = "green"
_TIME: Final = "yellow"


@dataclass(frozen=True, slots=True)
class Dashboard:
    """One picture of a run, to be printed by Rich."""

    picture: Picture
    title: Title

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As much of it as there is room for."""
        inner = options.update(width=max(1, options.max_width - _FRAME_WIDTH), height=None)
        sections = [
            (section, 1 if section is None else len(console.render_lines(section, inner, pad=False)))
            for section in _sections(self.picture, inner.max_width)
        ]
        room = console.height - _FRAME_HEIGHT
        if sum(lines for _, lines in sections) > room:
            sections = [each for each in sections if each[0] is not None]
        shown: list[RenderableType] = []
        for section, lines in sections:
            room -= lines
            if room < 0:
                break
            shown.append(Text() if section is None else section)
        yield Panel(
            Group(*shown),
            title=Text(f"{self.title.name} → {self.title.target}", overflow="ellipsis", no_wrap=True),
            subtitle=Text("Ctrl-C ends the run in order, twice at once", style=_FAINT),
            title_align="left",
            subtitle_align="right",
        )


def _sections(picture: Picture, width: int) -> Iterator[RenderableType | None]:
    """From top to bottom, which is by weight, each shown whole or not at all; None is an empty line between them."""
    beside = width - _LABEL_WIDTH - _GAP
    yield _phase(picture, width)
    for alert in picture.alerts:
        yield _row("alert", Text(f"{clock(alert.at_ns)} {alert.text}", style=_WARNING))
    yield None
    yield _over_time(picture, width)
    yield None
    yield _account(picture, beside)
    yield from _errors(picture)
    yield from _machines(picture)
    yield from _checks(picture, beside)
    yield from _troubles(picture)
    yield from _events(picture)


def _phase(picture: Picture, width: int) -> RenderableType:
    """The phase, how far it is, how long it has still to go, and how long the run lasts already."""
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
        planned_ns = round(picture.phase_duration_s * 1e9)
        of = f"{clock(since_ns)} of {clock(planned_ns)}"
        if since_ns <= planned_ns and width >= _NARROW:
            of += f", {clock(planned_ns - since_ns // _NS * _NS)} left"
    else:
        bar, of = Text(), clock(since_ns)
    run = f" · run {clock(picture.at_ns)}"
    row.add_row(name, bar, Text(f"{of}{run}" if width >= _NARROW else of))
    return row


def _over_time(picture: Picture, width: int) -> RenderableType:
    """Levels, rates and times: now, and over the last minutes where there is room."""
    column = max(1, min(_COLUMN_WIDTH, (width - _LABEL_WIDTH - _GAP) // 4))
    spark = width - _LABEL_WIDTH - 4 * column - 2 * _GAP
    spark = spark if spark >= _SPARK_WIDTH_MIN else 0
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(width=_LABEL_WIDTH, no_wrap=True, style=_LABEL)
    table.add_column(min_width=4 * column)
    if spark:
        table.add_column(no_wrap=True)

    def add(label: str, figures: Text, over_time: Text | None = None) -> None:
        table.add_row(label, figures, *([over_time or Text()] if spark else []))

    def line(of: Callable[[Moment], float | None], style: str) -> Text:
        return Text(sparkline([of(each) for each in picture.trail], spark), style=style)

    held = Text.assemble(format_count(picture.held), (f" of {format_count(picture.planned)} held", _FAINT))
    add("connections", held, line(lambda each: each.held, _LEVEL))
    add("sent", Text(per_second(picture.sent_hz)), line(lambda each: each.sent_hz, _LEVEL))
    add("delivered", Text(per_second(picture.delivered_hz)), line(lambda each: each.delivered_hz, _LEVEL))
    if picture.pushed_hz is not None:
        add("pushed", Text(per_second(picture.pushed_hz)), line(lambda each: each.pushed_hz, _LEVEL))
    add("", Text())
    since = f"p99, the last {clock(len(picture.trail) * _NS)}"
    add(
        "ms",
        _columns(("p50", "p95", "p99", "max"), column, style=_FAINT),
        Text(since.rjust(spark), style=_FAINT),
    )
    add("response", _times(picture.response, column), line(lambda each: each.response.p99_ms, _TIME))
    add("service", _times(picture.service, column))
    add("send lag", _times(picture.lag, column), line(lambda each: each.lag_p99_ms, _TIME))
    if picture.ping.max_ms is not None:
        add("ping", _times(picture.ping, column))
    return table


def _account(picture: Picture, width: int) -> RenderableType:
    """What became of every connection and of every message so far."""
    delivery = picture.delivery
    grid = _grid()
    grid.add_row(
        Text("connects", style=_LABEL),
        _flowing(
            width,
            _pair("attempted", picture.attempted),
            _pair("established", picture.established),
            _counted("failed", picture.connects_failed),
            _counted("dropped", picture.dropped),
            _pair("closed", picture.closed),
            _pair("pending", picture.pending),
            Text(per_second(picture.connects_hz)),
        ),
    )
    grid.add_row(
        Text("messages", style=_LABEL),
        _flowing(
            width,
            _pair("intended", delivery.intended),
            _pair("= delivered", delivery.delivered),
            _counted("+ lost", delivery.lost),
            _counted("+ unknown", delivery.unknown),
            _counted("+ not sent", delivery.not_sent),
            _pair("+ under way", delivery.under_way),
        ),
    )
    grid.add_row(
        Text("besides", style=_LABEL),
        _flowing(
            width,
            _counted("duplicated", delivery.duplicated),
            _counted("reordered", delivery.reordered),
            _counted("late", delivery.late),
            _counted("corrupted", delivery.corrupted),
            _counted("unexpected", delivery.unexpected),
            *([_counted("pushes missing", delivery.push_missing)] if picture.pushed_hz is not None else []),
            _counted("blocked", picture.blocked),
        ),
    )
    return grid


def _errors(picture: Picture) -> Iterator[RenderableType | None]:
    if not picture.troubles:
        return
    blames = ", ".join(f"{format_count(count)} by the {blame}" for blame, count in picture.blames)
    yield None
    yield _row("errors", Text(blames, style=_WARNING))


def _machines(picture: Picture) -> Iterator[RenderableType | None]:
    if picture.resources:
        yield None
    for sample in picture.resources:
        yield _row(sample.source, Text(resource_words(sample)))


def _troubles(picture: Picture) -> Iterator[RenderableType | None]:
    """The most frequent errors one by one."""
    for place, (found, count) in enumerate(picture.troubles):
        if not place:
            yield None
        yield _row("" if place else "errors", Text(f"{format_count(count)} × {trouble(found)}"))


def _checks(picture: Picture, width: int) -> Iterator[RenderableType | None]:
    checks = picture.checks
    if not checks.passed + checks.failed:
        return
    yield None
    counts = _flowing(width, _pair("passed", checks.passed), _counted("failed", checks.failed))
    yield _row("checks", counts)
    if checks.last_failed is not None:
        yield _row("", Text(check_words(checks.last_failed), style=_WARNING))


def _events(picture: Picture) -> Iterator[RenderableType | None]:
    """The last ones, the newest first, so that it is the old ones that find no room."""
    for place, happened in enumerate(reversed(picture.events)):
        if not place:
            yield None
        line = Text(event(happened), overflow="ellipsis", no_wrap=True)
        yield _row("last" if not place else "", line)


def _row(label: str, text: Text) -> RenderableType:
    grid = _grid()
    grid.add_row(Text(label, style=_LABEL, overflow="ellipsis"), text)
    return grid


def _grid() -> Table:
    grid = Table.grid(padding=(0, _GAP, 0, 0))
    grid.add_column(width=_LABEL_WIDTH, no_wrap=True)
    grid.add_column()
    return grid


def _times(times: Times, column: int) -> Text:
    figures = map(milliseconds, (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms))
    return _columns(tuple(figures), column)


def _columns(texts: Sequence[str], column: int, style: str = "") -> Text:
    return Text("".join(text.rjust(column) for text in texts), style=style)


def _pair(name: str, count: int) -> Text:
    return Text.assemble((f"{name} ", _FAINT), format_count(count))


def _counted(name: str, count: int) -> Text:
    return Text.assemble((f"{name} ", _FAINT), (format_count(count), _WARNING if count else ""))


def _flowing(width: int, *parts: Text) -> Text:
    """The parts one after another, on as many lines as they need; none is broken."""
    lines: list[list[Text]] = [[]]
    room = width
    for part in parts:
        if lines[-1] and room < _GAP + part.cell_len:
            lines.append([])
            room = width
        room -= part.cell_len + (_GAP if lines[-1] else 0)
        lines[-1].append(part)
    return Text("\n").join(Text(" " * _GAP).join(line) for line in lines)
