"""scaling-report.html: a scaling test as one page: the verdict first, each level beside its bounds, charts over the level.

The rule: it renders and computes nothing, has the frame, the look and the policy of a run's report, and points to the
reports of its levels by relative paths, so that a folder that was moved or packed still holds together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from squall.charts.chart import Chart
from squall.charts.figure import figure
from squall.metrics.scaling import STABILITY_MIN, LatencyGrowth, LevelResult, ScalingResult
from squall.record.run import RunHeader
from squall.reports.figures import NOT_MEASURED, count, duration, milliseconds, percent, rate
from squall.reports.html_page import framed
from squall.reports.markup import bullets, section, series_data, table, text
from squall.reports.measured import measured
from squall.reports.scaling_report import TITLE, bounds_held, growth_rule, scaling_charts

__all__ = ["scaling_html"]

_LEVELS_HEAD: Final = (
    "connections", "held for", "average latency", "latency at most", "throughput", "throughput at least",
    "memory", "memory below", "CPU", "CPU below", "stability", "stability above", "bounds held", "run valid",
)  # fmt: skip
_GROWTH_HEAD: Final = ("connections", "growth", "95 % interval", "increase", "verdict", "evidence")
_MARKS: Final = {"passed": "passed", "failed": "failed", "warning": "unknown"}


def scaling_html(
    result: ScalingResult, header: RunHeader | None, pages: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The page.

    Args:
        result: of the test.
        header: of the record of a level; None where there is none any more.
        pages: by the folder of a level, where its own report is, from where this page will be; of those that have one.
    """
    charts = scaling_charts(result)
    bodies = {
        "levels": ("The levels", _levels(result)),
        "latency": ("Latency", _drawn(charts, "latency") + _growth(result.growth)),
        "throughput": ("Throughput", _drawn(charts, "throughput")),
        "resources": ("The target's resources", _drawn(charts, "resources") or _not_watched(result)),
        "runs": ("The run of each level", _runs(result.levels, pages)),
        "environment": ("How it was measured", _measured(result, header)),
    }
    sections = [(ident, name, section(ident, name, body)) for ident, (name, body) in bodies.items()]
    return framed(TITLE, _verdict(result), sections, series_data(map(_as_points, charts.values())))


def _verdict(result: ScalingResult) -> str:
    word, _, rest = result.verdict.partition(": ")
    said = [
        f"At {each.connection_level:,} connections squall itself may have been too late: what it says of latency"
        " and throughput is not known."
        for each in result.levels
        if not each.valid
    ]
    if result.left_out:
        said.append(f"Not carried out: {', '.join(count(each) for each in result.left_out)} connections.")
    noted = f'<div class="notes">{bullets(said)}</div>' if said else ""
    return (
        f'<p class="verdict {text(result.outcome)}" id="verdict-sentence"><strong>{text(word)}</strong>: {text(rest)}</p>'
        f'<p class="glance">{text(_glance(result.levels))}</p>{noted}'
    )


def _glance(levels: Sequence[LevelResult]) -> str:
    """What was done, and what it came to at the last level."""
    if not levels:
        return "No level was carried out."
    last = levels[-1]
    held = ", ".join(count(each.connection_level) for each in levels)
    return (
        f"{held} connections were held, one level after another. At the last of them the average latency was"
        f" {milliseconds(last.performance.average_latency)} and the throughput"
        f" {rate(last.performance.throughput, 'msg')}."
    )


def _levels(result: ScalingResult) -> str:
    rows = [_level(each) for each in result.levels]
    marks = [_MARKS[each.outcome] for each in result.levels]
    why = [
        f"At {each.connection_level:,} connections: {reason}"
        for each in result.levels
        if each.outcome != "passed"
        for reason in each.reasons
    ]
    return table(_LEVELS_HEAD, rows, caption="Each level beside its bounds", marks=marks) + (
        bullets(why) if why else ""
    )


def _level(each: LevelResult) -> tuple[str, ...]:
    asked, found = each.level, each.performance
    return (
        count(each.connection_level),
        duration(asked.duration_s),
        _with_error(found.average_latency, each.metrics.average_latency_error),
        milliseconds(asked.expected_latency),
        rate(found.throughput, "msg"),
        rate(asked.throughput_min, "msg"),
        percent(found.resource_usage.memory),
        percent(asked.memory_max),
        percent(found.resource_usage.cpu),
        percent(asked.cpu_max),
        percent(found.stability_score),
        percent(STABILITY_MIN),
        bounds_held(each),
        "yes" if each.valid else "no",
    )


def _with_error(mean_ms: float | None, error_ms: float | None) -> str:
    known = mean_ms is not None and error_ms is not None
    return f"{milliseconds(mean_ms)} ± {milliseconds(error_ms)}" if known else milliseconds(mean_ms)


def _growth(growth: Sequence[LatencyGrowth]) -> str:
    rows = [
        (
            f"{each.from_connections:,} to {each.to_connections:,}",
            _signed_percent(each.growth),
            _interval(each),
            NOT_MEASURED if each.increase_ms is None else f"{each.increase_ms:+.3g} ms",
            each.truth,
            each.evidence,
        )
        for each in growth
    ]
    marks = [each.truth for each in growth]
    return (
        table(_GROWTH_HEAD, rows, caption="How latency grew from level to level", marks=marks) if rows else ""
    )


def _interval(each: LatencyGrowth) -> str:
    if each.growth_least is None:
        return "not known"
    if each.growth_most is None:
        return f"{_signed_percent(each.growth_least)} and up"
    return f"{_signed_percent(each.growth_least)} to {_signed_percent(each.growth_most)}"


def _signed_percent(share: float | None) -> str:
    return NOT_MEASURED if share is None else f"{share:+.1%}"


def _drawn(charts: dict[str, Chart], name: str) -> str:
    return figure(charts[name], f"{name}-0") if name in charts else ""


def _not_watched(result: ScalingResult) -> str:
    words = f"The target: {NOT_MEASURED} (nothing was configured to watch it)."
    return f"<p>{text(words)}</p>" if result.levels else ""


def _runs(levels: Sequence[LevelResult], pages: Mapping[str, str]) -> str:
    """A line a level, with a link to its report."""
    items = []
    for each in levels:
        words, outcome = text(f"{each.connection_level:,} connections"), text(each.outcome)
        if each.folder in pages:
            # Quoted, a colon too: it stays a relative path, whatever it is called.
            items.append(f'<li><a href="{quote(pages[each.folder])}">{words}</a>: {outcome}</li>')
        else:
            items.append(f"<li>{words}: {outcome}; no report of it was written into {text(each.folder)}</li>")
    return f"<ul>{''.join(items)}</ul>" if items else ""


def _measured(result: ScalingResult, header: RunHeader | None) -> str:
    how = bullets(
        (
            "One level after another, each a run of its own with new workers and new connections.",
            "Average latency: from when each message was due until its answer came, over the level's hold; ± is half"
            " its 95 % interval.",
            f"Growth: {growth_rule(result)}.",
            "Memory and CPU: the highest share that was seen of the target while the level was held.",
            "Stability: the share of the planned connection-seconds that were held.",
        )
    )
    if header is None:
        return how
    target = header.scenario.get("target", {}).get("url", ())
    return how + measured(header, [("target", ", ".join(target))])


def _as_points(chart: Chart) -> Chart:
    """Without the intervals around the points: the page's script reads the points themselves."""
    return replace(chart, lines=[replace(line, low=None, high=None) for line in chart.lines])
