"""Every bound with its figure, verdict and evidence, as a table of the HTML report: the failed ones first."""

from __future__ import annotations

from squall.errors import ScenarioError
from squall.metrics.expressions import parse
from squall.metrics.summary_document import Judged, Summary
from squall.reports.figures import (
    NOT_MEASURED,
    megabytes,
    milliseconds,
    percent,
    plain,
    rate,
    significant,
)
from squall.reports.markup import table
from squall.reports.wording import sorted_judgements

__all__ = ["judged_bounds", "judged_figure"]


def judged_bounds(summary: Summary, *, running: bool) -> str:
    """The table; a sentence where there is none, as there is not while the run goes on."""
    judged = sorted_judgements(summary)
    if not judged:
        return f"<p>{NOT_MEASURED}</p>" if not running else "<p>Bounds are judged when the run is over.</p>"
    rows = [
        (
            each.name,
            each.bound,
            judged_figure(each),
            each.truth,
            "yes" if each.required else "no",
            each.evidence,
        )
        for each in judged
    ]
    head = ("what", "bound", "figure", "verdict", "required", "evidence")
    return table(head, rows, caption="Every bound with its figure", marks=[each.truth for each in judged])


def judged_figure(judged: Judged) -> str:
    """What was measured, in the unit of its bound."""
    if judged.source != "threshold":
        # Of these only the words of the bound are known; those that name no unit are counts and scores.
        words = judged.bound.partition(" (")[0]
        if " ms" in words:
            return milliseconds(judged.figure)
        return percent(judged.figure) if "%" in words or "planned level" in words else plain(judged.figure)
    try:
        bound = parse(judged.name, judged.bound)
    except ScenarioError:
        return plain(judged.figure)  # said in other words than a scenario's
    if bound.metric.kind == "counter" and bound.aggregation == "rate":
        return _per_second(judged.figure, bound.metric.unit)
    return _figure(judged.figure, bound.metric.unit)


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return NOT_MEASURED
    match unit:
        case "ms":
            return milliseconds(value)
        case "share":
            return percent(value)
        case "bytes":
            return megabytes(value)
        case "cores":
            return f"{significant(value)} cores"
        case "messages a second":
            return rate(value, "msg")
        case _:
            return plain(value)


def _per_second(value: float | None, unit: str) -> str:
    if unit == "bytes":
        return NOT_MEASURED if value is None else f"{megabytes(value)}/s"
    return rate(value, "msg" if unit == "messages" else unit)
