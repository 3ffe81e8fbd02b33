"""Conditions on the last interval of a ramp, in the form of thresholds: what makes it slow, what stops it.

    ws_response_time: p(95)>100           a metric and a bound, as in a threshold (`squall.metrics.expressions`)
    error_rate>0.02                       a figure of the interval (`squall.metrics.ramp_statistics`)

    error_rate  connection_success_rate  server_memory_usage  server_cpu_usage      shares from 0 to 1
    average_latency                                                                milliseconds, or "100ms"
    active_connections  connections_per_second  error_count                        numbers

A condition holds, holds not, or nobody knows: where the interval has nothing of what it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from squall.errors import ScenarioError
from squall.metrics.catalogue import CATALOGUE
from squall.metrics.expressions import Bound, parse, problems
from squall.metrics.figures import Figure, number, truth
from squall.metrics.ramp_statistics import RampStatistics
from squall.metrics.thresholds import measure
from squall.metrics.totals import Totals
from squall.scenario.mistakes import did_you_mean
from squall.scenario.models import Scenario, Threshold
from squall.units import parse_duration_s

__all__ = ["FIGURES", "Condition", "Finding", "condition", "condition_problems"]

FIGURES: Final[dict[str, str]] = {
    "active_connections": "connections",
    "connections_per_second": "connections a second",
    "average_latency": "ms",
    "error_count": "errors",
    "error_rate": "",
    "connection_success_rate": "",
    "server_memory_usage": "",
    "server_cpu_usage": "",
}
"""The figures of an interval that a condition may name, each with its unit."""

_METRIC: Final = re.compile(r"\s*([^\s{}:<>=!]+(?:\{[^{}]*\})?)\s*:?\s*(\S.*)", re.DOTALL)
_BOUND: Final = re.compile(r"(===|==|!=|<=|>=|<|>)\s*(-?[0-9][0-9a-zA-Z_.µ]*(?:[eE][-+][0-9]+)?)\s*")
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition came to. `holds` None: nobody knows."""

    holds: bool | None
    figure: float | None
    why: str
    """The condition and the figure in words; "" where there is none."""
    bound: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition understood. `bound` is that on a metric; without one, `name` is a figure of the interval."""

    text: str
    name: str
    operator: str
    limit: float
    bound: Bound | None = None

    def judge(self, interval: Totals, statistics: RampStatistics) -> Finding:
        """How it comes out in an interval."""
        figure = self._measured(interval, statistics)
        held = truth(figure, self.operator, self.limit)
        if figure is None or held == "unknown":
            return Finding(None, None, "")
        why = f"{self.text} ({figure.evidence})"
        return Finding(held == "passed", figure.least, why, self.limit)

    def _measured(self, interval: Totals, statistics: RampStatistics) -> Figure | None:
        if self.bound is not None:
            return measure(self.bound, interval)
        value = getattr(statistics, self.name)
        if value is None:
            return None
        of = f" of {statistics.average_latency_of}" if self.name == "average_latency" else ""
        unit = f" {FIGURES[self.name]}" if FIGURES[self.name] else ""
        return Figure.exact(value, f"{number(value)}{unit}{of}")


def condition(text: str) -> Condition:
    """A condition from its text.

    Raises:
        ScenarioError: it is not understood; the message says what is.
    """
    match = _METRIC.fullmatch(text)
    if match is None:
        raise ScenarioError(
            f"{text!r} is no condition; write one like error_rate>0.02 or ws_response_time: p(95)>100"
        )
    name, rest = match.groups()
    if name not in FIGURES:
        return _on_metric(text.strip(), name, rest)
    bound = _BOUND.fullmatch(rest)
    if bound is None:
        raise ScenarioError(f"{rest!r} is no bound on {name}; write {name}>{_example(name)}")
    sign = "==" if bound[1] == "===" else bound[1]
    return Condition(text=text.strip(), name=name, operator=sign, limit=_limit(name, bound[2]))


def condition_problems(texts: Iterable[str], scenario: Scenario) -> list[str]:
    """All that is wrong with conditions on a ramp of a scenario, a line each."""
    found = []
    for text in texts:
        try:
            understood = condition(text)
        except ScenarioError as error:
            found.append(f"{text}: {error.message}")
            continue
        if understood.bound is None:
            continue
        one = Threshold(metric=understood.bound.metric_text, threshold=understood.bound.threshold_text)
        found += problems([one], scenario)
        if understood.bound.selection.phase is not None:
            found.append(f"{text}: a condition is about the last interval of the ramp; it names no phase")
    return found


def _on_metric(text: str, metric: str, threshold: str) -> Condition:
    if metric.partition("{")[0] not in CATALOGUE:
        names = (*CATALOGUE, *FIGURES)
        raise ScenarioError(f'there is no metric or figure "{metric}"{did_you_mean(metric, names)}')
    bound = parse(metric, threshold)
    return Condition(
        text=text, name=bound.metric.name, operator=bound.operator, limit=bound.limit, bound=bound
    )


def _limit(name: str, text: str) -> float:
    if _NUMBER.fullmatch(text):
        return float(text)
    if FIGURES[name] != "ms":
        raise ScenarioError(f'{name} is held against a number, and "{text}" is none')
    try:
        return parse_duration_s(text) * 1000
    except ValueError as error:
        raise ScenarioError(str(error)) from None


def _example(name: str) -> str:
    return {"ms": "100", "": "0.02"}.get(FIGURES[name], "1000")
