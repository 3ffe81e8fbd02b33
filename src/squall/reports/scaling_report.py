"""The scaling test for people: a table, its Markdown, and charts over the levels. Renders, computes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from squall.charts.chart import Chart, Line
from squall.charts.quantities import Unit
from squall.metrics.scaling import GROWTH_MAX, LevelResult, ScalingResult
from squall.reports.figures import count, milliseconds, percent, rate
from squall.reports.wording import printable

__all__ = ["TITLE", "bounds_held", "growth_rule", "scaling_charts", "scaling_lines", "scaling_markdown"]

TITLE = "Progressive Scaling Test Results"
_HEAD = (
    "connections",
    "latency",
    "bound",
    "throughput",
    "memory",
    "CPU",
    "stability",
    "growth",
    "bounds held",
)
_BOUNDS = (
    ("latency_within_bounds", "latency"),
    ("throughput_adequate", "throughput"),
    ("resources_efficient", "resources"),
    ("system_stable", "stability"),
)


def scaling_lines(result: ScalingResult) -> list[str]:
    """The specification's console table, with the verdict below it."""
    rows = [_HEAD, *_rows(result)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return [TITLE, "", *table, *_notes(result), "", printable(result.verdict)]


def scaling_markdown(result: ScalingResult, pictures: Iterable[tuple[str, str]] = ()) -> str:
    """The same as Markdown; `pictures` are titles and files of charts."""
    rows = [_HEAD, ("---",) * len(_HEAD), *_rows(result)]
    table = "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    parts = [f"# {TITLE}", f"**{printable(result.verdict)}**", table, *_notes(result)]
    parts += [
        f"- [{each.connection_level:,} connections]({each.folder}/summary.md)" for each in result.levels
    ]
    parts += [f"![{title}]({file})" for title, file in pictures]
    return "\n\n".join(parts) + "\n"


def scaling_charts(result: ScalingResult) -> dict[str, Chart]:
    """Latency, throughput and the target's resources over the level, each beside its bound; by file name."""
    levels = result.levels
    latency = [each.performance.average_latency for each in levels]
    errors = [each.metrics.average_latency_error for each in levels]
    memory = [each.performance.resource_usage.memory for each in levels]
    cpu = [each.performance.resource_usage.cpu for each in levels]
    charts = {
        "latency": _chart(
            "Average latency",
            "ms",
            result,
            _line(result, "average, with its 95 % interval", latency, errors=errors),
            _bound(result, "expected at most", [each.level.expected_latency for each in levels]),
        ),
        "throughput": _chart(
            "Throughput",
            "/s",
            result,
            _line(result, "delivered", [each.performance.throughput for each in levels]),
            _bound(result, "expected at least", [each.level.throughput_min for each in levels]),
        ),
    }
    if any(share is not None for share in (*memory, *cpu)):
        charts["resources"] = _chart(
            "The target's resources",
            "share",
            result,
            _line(result, "memory, peak", memory),
            _bound(result, "memory below", [each.level.memory_max for each in levels]),
            _line(result, "CPU, peak", cpu),
            _bound(result, "CPU below", [each.level.cpu_max for each in levels]),
        )
    return charts


def _rows(result: ScalingResult) -> list[tuple[str, ...]]:
    growth = {each.to_connections: each for each in result.growth}
    found: list[tuple[str, ...]] = []
    for each in result.levels:
        grown = growth.get(each.connection_level)
        percent_grown = "-" if grown is None or grown.growth is None else f"{grown.growth:+.1%}"
        usage = each.performance.resource_usage
        found.append(
            (
                count(each.connection_level),
                milliseconds(each.performance.average_latency),
                f"<= {milliseconds(each.level.expected_latency)}",
                rate(each.performance.throughput, "msg"),
                percent(usage.memory),
                percent(usage.cpu),
                percent(each.performance.stability_score),
                percent_grown,
                bounds_held(each),
            )
        )
    return found


def bounds_held(level: LevelResult) -> str:
    """Which bounds did not hold, or are not known; "all" where each did."""
    holds = [(words, getattr(level.validation, name)) for name, words in _BOUNDS]
    said = [f"{words} failed" for words, held in holds if held is False]
    said += [f"{words} not known" for words, held in holds if held is None]
    return ", ".join(said) or "all"


def growth_rule(result: ScalingResult) -> str:
    """The bound on how latency grows, in words."""
    return (
        f"of the average latency, < {GROWTH_MAX:.0%} from level to level where it is more than"
        f" {milliseconds(result.growth_floor_ms)}"
    )


def _notes(result: ScalingResult) -> list[str]:
    notes = [f"growth: {growth_rule(result)}"]
    notes += [
        f"growth from {each.from_connections:,} to {each.to_connections:,} {each.truth}: {each.evidence}"
        for each in result.growth
        if each.truth != "passed"
    ]
    if result.left_out:
        notes.append(f"not carried out: {', '.join(count(each) for each in result.left_out)}")
    return [printable(each) for each in notes]


def _chart(title: str, unit: Unit, result: ScalingResult, *lines: Line) -> Chart:
    levels = [float(each.connection_level) for each in result.levels]
    most = max(levels, default=1.0)
    return Chart(
        title=title, lines=lines, unit=unit, x_unit="count", x_range=(0.0, most), x_label="connections"
    )


def _line(
    result: ScalingResult,
    name: str,
    figures: Sequence[float | None],
    *,
    errors: Sequence[float | None] = (),
) -> Line:
    spans = [
        (figure, figure) if figure is None or error is None else (max(0.0, figure - error), figure + error)
        for figure, error in zip(figures, errors, strict=False)
    ]
    return Line(
        name=name,
        x=[float(each.connection_level) for each in result.levels],
        y=figures,
        low=[low for low, _ in spans] if spans else None,
        high=[high for _, high in spans] if spans else None,
        key=name,
    )


def _bound(result: ScalingResult, name: str, figures: Sequence[float]) -> Line:
    return Line(
        name=name, x=[float(each.connection_level) for each in result.levels], y=figures, faint=True, key=name
    )
