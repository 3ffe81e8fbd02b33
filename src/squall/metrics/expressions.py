"""The language of thresholds, as k6 has it: which metric, of which part of the run, and the bound on it.

    metric      ws_response_time{phase:hold,type:critical}       tags in braces, each at most once
    threshold   p(95)<200    avg<=100ms    count>=500    rate<0.01    value==0

    trend       avg  med  min  max  p(N)     milliseconds, or a duration with its unit
    counter     count, and rate, which is per second
    rate        rate, a share from 0 to 1 unless its unit says otherwise
    mean        avg
    gauge       value, the last one; avg  min  max; bytes also as a size: 512MiB

Operators are < <= > >= == != and ===, which means ==. A value with a comma or a brace stands in quotes (").
Everything is checked before a run: nothing here knows what was measured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, get_args

from squall.errors import ScenarioError
from squall.metrics.catalogue import CATALOGUE
from squall.metrics.metric import Kind, Metric
from squall.metrics.phases import phase_names
from squall.metrics.totals import Selection
from squall.record.outcomes import Blame, Step
from squall.scenario.mistakes import did_you_mean
from squall.scenario.models import Scenario, Threshold
from squall.scenario.watch import source_names
from squall.units import parse_duration_s, parse_size

__all__ = ["Bound", "parse", "problems"]

_AGGREGATIONS: Final[dict[Kind, tuple[str, ...]]] = {
    "trend": ("avg", "med", "min", "max", "p(N)"),
    "counter": ("count", "rate"),
    "rate": ("rate",),
    "gauge": ("value", "avg", "min", "max"),
    "mean": ("avg",),
}
_METRIC: Final = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*(?:\{(.*)\})?\s*", re.DOTALL)
_TAG: Final = re.compile(r'\s*([A-Za-z_]+)\s*:\s*("[^"]*"|[^,{}"]*?)\s*(,|$)')
_THRESHOLD: Final = re.compile(
    r"\s*([A-Za-z]+|p\s*\(\s*([0-9.]+)\s*\))\s*(===|==|!=|<=|>=|<|>)\s*"
    r"(-?[0-9][0-9a-zA-Z_.µ]*(?:[eE][-+][0-9]+)?)\s*"
)
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A threshold understood. `share` is that of `p(N)`; `limit` is in the metric's unit."""

    metric: Metric
    selection: Selection
    aggregation: str
    share: float | None
    operator: str
    limit: float
    metric_text: str
    threshold_text: str


def parse(metric: str, threshold: str) -> Bound:
    """A metric with its tags and a bound on it.

    Raises:
        ScenarioError: either is not understood; the message says what is, with the nearest known name.
    """
    found, selection = _parse_metric(metric)
    match = _THRESHOLD.fullmatch(threshold)
    if match is None:
        raise ScenarioError(f"{threshold!r} is no bound; write one like {_example(found)}")
    aggregation, share = _parse_aggregation(found, *match.group(1, 2))
    sign = "==" if match[3] == "===" else match[3]
    return Bound(
        metric=found,
        selection=selection,
        aggregation=aggregation,
        share=share,
        operator=sign,
        limit=_parse_limit(found, match[4]),
        metric_text=metric.strip(),
        threshold_text=threshold.strip(),
    )


def problems(
    thresholds: Iterable[Threshold], scenario: Scenario | None = None, *, phases: Sequence[str] | None = None
) -> list[str]:
    """All that is wrong with thresholds, a line each.

    Args:
        thresholds: to be checked.
        scenario: that they are for; its populations and types are the ones that tags may name.
        phases: names of the run's phases, where they are other than those of the scenario.
    """
    found = []
    known = {} if scenario is None else _known_values(scenario, phases)
    for threshold in thresholds:
        try:
            bound = parse(threshold.metric, threshold.threshold)
        except ScenarioError as error:
            found.append(f"{threshold.metric}: {error.message}")
            continue
        found += [f"{threshold.metric}: {problem}" for problem in _unknown_values(bound.selection, known)]
    return found


def _parse_metric(text: str) -> tuple[Metric, Selection]:
    match = _METRIC.fullmatch(text)
    if match is None:
        raise ScenarioError(f"{text!r} is no metric; write one like ws_response_time{{phase:hold}}")
    name, tags = match.groups()
    if name not in CATALOGUE:
        raise ScenarioError(f'there is no metric "{name}"{did_you_mean(name, CATALOGUE)}')
    metric = CATALOGUE[name]
    selection = Selection() if tags is None else _parse_tags(metric, tags)
    if metric.needs and getattr(selection, metric.needs) is None:
        raise ScenarioError(f"{name} needs its {metric.needs}: {name}{{{metric.needs}:NAME}}")
    return metric, selection


def _parse_tags(metric: Metric, text: str) -> Selection:
    values: dict[str, str] = {}
    position = 0
    while position < len(text) or not values:
        match = _TAG.match(text, position)
        if match is None or not match[2] or (match[3] == "," and match.end() == len(text)):
            raise ScenarioError(f"{{{text}}} are no tags; write them like {{phase:hold,type:critical}}")
        tag = match[1]
        if tag not in metric.tags:
            listed = ", ".join(metric.tags)
            guess = did_you_mean(tag, metric.tags)
            raise ScenarioError(f'{metric.name} has no tag "{tag}"{guess or f"; it has {listed}"}')
        if tag in values:
            raise ScenarioError(f'the tag "{tag}" is given twice')
        values[tag] = match[2].strip('"')
        position = match.end()
    code = values.pop("code", None)
    if code is not None and not code.isdecimal():
        raise ScenarioError(f'a close code is a number, and "{code}" is none')
    picked = Selection(code=None if code is None else int(code))
    return replace(picked, **values)  # type: ignore[arg-type]  # the tags left are all text


def _parse_aggregation(metric: Metric, text: str, share: str | None) -> tuple[str, float | None]:
    known = _AGGREGATIONS[metric.kind]
    if share is None:
        if text in known:
            return text, None
        raise ScenarioError(
            f'{metric.name} is a {metric.kind} and has no "{text}"{did_you_mean(text, known)}; '
            f"it has {', '.join(known)}"
        )
    if "p(N)" not in known:
        raise ScenarioError(
            f"{metric.name} is a {metric.kind} and has no percentiles; it has {', '.join(known)}"
        )
    try:
        percent = float(share)
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise ScenarioError(f"p({share}): a percentile is a number from 0 to 100")
    return "p(N)", percent / 100


def _parse_limit(metric: Metric, text: str) -> float:
    if _NUMBER.fullmatch(text):
        if not math.isfinite(float(text)):
            raise ScenarioError(f"{text} is beyond every number: nothing could cross it")
        return float(text)
    if metric.unit not in ("ms", "bytes"):
        raise ScenarioError(f'"{text}" is no number of {metric.unit}')
    try:
        return parse_duration_s(text) * 1000 if metric.unit == "ms" else parse_size(text)
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def _known_values(scenario: Scenario, phases: Sequence[str] | None) -> Mapping[str, tuple[str, ...]]:
    types = {kind.name: None for population in scenario.populations for kind in population.traffic.types}
    return {
        "population": tuple(population.name for population in scenario.populations),
        "type": tuple(types),
        "phase": phase_names(scenario) if phases is None else tuple(phases),
        "step": get_args(Step),
        "blame": get_args(Blame),
        "source": source_names(scenario.watch),
    }


def _unknown_values(selection: Selection, known: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What tags ask for that cannot occur. A node or a kind of error is known only once it was seen."""
    found = []
    for tag, names in known.items():
        asked = getattr(selection, tag)
        if asked is not None and asked not in names:
            guess = did_you_mean(asked, names) or f"; there are {', '.join(names) or 'none'}"
            found.append(f'there is no {tag} "{asked}"{guess}')
    return found


def _example(metric: Metric) -> str:
    return {
        "trend": "p(95)<200",
        "counter": "count>=500",
        "rate": "rate<0.01",
        "gauge": "value>=100",
        "mean": "avg<50",
    }[metric.kind]
