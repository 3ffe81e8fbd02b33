"""A picture as a terminal shows it: what to draw, at any width and height. Pure; when and where is `terminal`'s.

The rule: what matters most comes first; where a terminal is too low, the empty lines go, then the last sections.
On a narrow one the rows over time go first. A count of what should not be stands out once it is more than none.
It is drawn each second beside a run, so its lines are made here, at the width that they are to have, and not laid
out by Rich, which would take several times as long.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, ConsoleOptions, RenderResult
from rich.panel import Panel
from rich.text import Text

from squall.live.picture import Picture, Times, Title
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
_BESIDE: Final = _LABEL_WIDTH + _GAP
"""Where what stands beside a label begins."""

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
        width = max(1, options.max_width - _FRAME_WIDTH)
        lines = _shown(list(_sections(self.picture, width)), console.height - _FRAME_HEIGHT)
        yield Panel(
            Text("\n", no_wrap=True, overflow="crop").join(lines),
            title=Text(f"{self.title.name} → {self.title.target}", overflow="ellipsis", no_wrap=True),
            subtitle=Text("Ctrl-C ends the run in order, twice at once", style=_FAINT),
            title_align="left",
            subtitle_align="right",
        )


Section = list[Text]
"""Its lines; none at all stand for an empty line between two others."""


def _shown(sections: list[Section], room: int) -> list[Text]:
    """The lines of the sections that there is room for."""
    if sum(len(section) or 1 for section in sections) > room:
        sections = [section for section in sections if section]
    lines: list[Text] = []
    for section in sections:
        if len(lines) + (len(section) or 1) > room:
            break
        lines += section or [Text()]
    return lines


def _sections(picture: Picture, width: int) -> Iterator[Section]:
    """From top to bottom, which is by weight; each is shown whole or not at all."""
    yield [_phase(picture, width)]
    for alert in picture.alerts:
        yield _words("alert", f"{clock(alert.at_ns)} {alert.text}", width, _WARNING)
    yield []
    yield list(_over_time(picture, width))
    yield []
    yield _account(picture, width)
    if picture.troubles:
        blames = ", ".join(f"{format_count(count)} by the {blame}" for blame, count in picture.blames)
        yield []
        yield _words("errors", blames, width, _WARNING)
    yield from _rows(((each.source, resource_words(each)) for each in picture.resources), width)
    yield from _checks(picture, width)
    said = (f"{format_count(count)} × {trouble(found)}" for found, count in picture.troubles)
    yield from _rows((("" if place else "errors", text) for place, text in enumerate(said)), width)
    yield from _events(picture, width)


def _phase(picture: Picture, width: int) -> Text:
    """The phase, how far it is, how long it has still to go, and how long the run lasts already."""
    since_ns = max(0, picture.at_ns - picture.phase_start_ns)
    name = picture.phase.replace("_", " ") or "starting"
    of, done = clock(since_ns), None
    if picture.phase_duration_s:
        planned_ns = round(picture.phase_duration_s * 1e9)
        of += f" of {clock(planned_ns)}"
        if since_ns <= planned_ns and width >= _NARROW:
            of += f", {clock(planned_ns - since_ns // _NS * _NS)} left"
        done = min(1.0, since_ns / planned_ns)
    if width >= _NARROW:
        of += f" · run {clock(picture.at_ns)}"
    room = max(0, width - len(name) - len(of) - 2)
    full = 0 if done is None else round(done * room)
    bar = (
        Text.assemble(("━" * full, _LEVEL), ("─" * (room - full), _FAINT)) if done is not None else " " * room
    )
    return _fitting(Text.assemble((name, "bold"), " ", bar, " ", of), width)


def _over_time(picture: Picture, width: int) -> Iterator[Text]:
    """Levels, rates and times: now, and over the last minutes where there is room."""
    column = max(1, min(_COLUMN_WIDTH, (width - _BESIDE) // 4))
    spark = width - _BESIDE - 4 * column - _GAP
    spark = spark if spark >= _SPARK_WIDTH_MIN else 0
    trail = picture.trail if spark else ()

    def line(
        label: str, figures: Text, over_time: Sequence[float | None] = (), style: str = "", words: str = ""
    ) -> Text:
        figures.pad_right(max(0, 4 * column - figures.cell_len))
        drawn = sparkline(over_time, spark) if over_time else words.rjust(spark)
        beside = (f"{' ' * _GAP}{drawn}", style) if spark else ""
        return _fitting(Text.assemble(_label(label), figures, beside), width)

    held = Text.assemble(format_count(picture.held), (f" of {format_count(picture.planned)} held", _FAINT))
    yield line("connections", held, [each.held for each in trail], _LEVEL)
    yield line("sent", Text(per_second(picture.sent_hz)), [each.sent_hz for each in trail], _LEVEL)
    delivered = Text(per_second(picture.delivered_hz))
    yield line("delivered", delivered, [each.delivered_hz for each in trail], _LEVEL)
    if picture.pushed_hz is not None:
        pushed = Text(per_second(picture.pushed_hz))
        yield line("pushed", pushed, [each.pushed_hz for each in trail], _LEVEL)
    yield Text()
    since = f"p99, the last {clock(len(trail) * _NS)}"
    yield line("ms", _columns(("p50", "p95", "p99", "max"), column, _FAINT), style=_FAINT, words=since)
    response = _times(picture.response, column)
    yield line("response", response, [each.response.p99_ms for each in trail], _TIME)
    yield line("service", _times(picture.service, column))
    yield line("send lag", _times(picture.lag, column), [each.lag_p99_ms for each in trail], _TIME)
    if picture.ping.max_ms is not None:
        yield line("ping", _times(picture.ping, column))


def _account(picture: Picture, width: int) -> Section:
    """What became of every connection and of every message so far."""
    delivery = picture.delivery
    connects = (
        _pair("attempted", picture.attempted),
        _pair("established", picture.established),
        _counted("failed", picture.connects_failed),
        _counted("dropped", picture.dropped),
        _pair("closed", picture.closed),
        _pair("pending", picture.pending),
        Text(per_second(picture.connects_hz)),
    )
    messages = (
        _pair("intended", delivery.intended),
        _pair("= delivered", delivery.delivered),
        _counted("+ lost", delivery.lost),
        _counted("+ unknown", delivery.unknown),
        _counted("+ not sent", delivery.not_sent),
        _pair("+ under way", delivery.under_way),
    )
    besides = (
        _counted("duplicated", delivery.duplicated),
        _counted("reordered", delivery.reordered),
        _counted("late", delivery.late),
        _counted("corrupted", delivery.corrupted),
        _counted("unexpected", delivery.unexpected),
        _counted("blocked", picture.blocked),
        *([] if picture.pushed_hz is None else [_counted("pushes missing", delivery.push_missing)]),
    )
    return [
        *_flowing("connects", connects, width),
        *_flowing("messages", messages, width),
        *_flowing("besides", besides, width),
    ]


def _checks(picture: Picture, width: int) -> Iterator[Section]:
    checks = picture.checks
    if not checks.passed + checks.failed:
        return
    yield []
    yield _flowing("checks", (_pair("passed", checks.passed), _counted("failed", checks.failed)), width)
    if checks.last_failed is not None:
        yield _words("", check_words(checks.last_failed), width, _WARNING)


def _events(picture: Picture, width: int) -> Iterator[Section]:
    """The last ones, the newest first, so that it is the old ones that find no room."""
    for place, happened in enumerate(reversed(picture.events)):
        if not place:
            yield []
        line = Text.assemble(_label("" if place else "last"), event(happened))
        line.truncate(width, overflow="ellipsis")
        yield [line]


def _rows(rows: Iterable[tuple[str, str]], width: int) -> Iterator[Section]:
    """Labels, each with words beside it, and an empty line before them."""
    for place, (label, words) in enumerate(rows):
        if not place:
            yield []
        yield _words(label, words, width)


def _words(label: str, words: str, width: int, style: str = "") -> Section:
    """Words beside a label, on as many lines as they need."""
    lines = textwrap.wrap(words, max(1, width - _BESIDE)) or [""]
    return [
        _fitting(Text.assemble(_label("" if place else label), (line, style)), width)
        for place, line in enumerate(lines)
    ]


def _flowing(label: str, parts: Iterable[Text], width: int) -> Section:
    """Parts one after another beside a label, on as many lines as they need; none is broken."""
    lines = [Text.assemble(_label(label))]
    empty = True
    for part in parts:
        if not empty and lines[-1].cell_len + _GAP + part.cell_len > width:
            lines.append(Text(" " * _BESIDE))
            empty = True
        if not empty:
            lines[-1].append(" " * _GAP)
        lines[-1].append_text(part)
        empty = False
    return [_fitting(line, width) for line in lines]


def _label(label: str) -> tuple[str, str]:
    shown = label if len(label) <= _LABEL_WIDTH else f"{label[: _LABEL_WIDTH - 1]}…"
    return shown.ljust(_BESIDE), _LABEL


def _fitting(line: Text, width: int) -> Text:
    line.truncate(width)
    return line


def _times(times: Times, column: int) -> Text:
    figures = map(milliseconds, (times.p50_ms, times.p95_ms, times.p99_ms, times.max_ms))
    return _columns(tuple(figures), column)


def _columns(texts: Sequence[str], column: int, style: str = "") -> Text:
    return Text("".join(text.rjust(column) for text in texts), style=style)


def _pair(name: str, count: int) -> Text:
    return Text.assemble((f"{name} ", _FAINT), format_count(count))


def _counted(name: str, count: int) -> Text:
    return Text.assemble((f"{name} ", _FAINT), (format_count(count), _WARNING if count else ""))
