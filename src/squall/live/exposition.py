"""The run so far in Prometheus' text format 0.0.4: every metric of the catalogue under its name, cut by labels.

The rule: a name is `squall_`, the metric's own name, and what Prometheus wants at the end of one: `_total` for a
counter, `_seconds` for a trend (a histogram, since milliseconds are not Prometheus' unit), `_ratio` for a rate,
whose two ends are both there while messages wait for their outcome. Labels are `population`, `phase` and, of
messages, `type`; at most `PARTS_MAX` combinations of them, what is past that is in one more (`_other`), so that
sums stay right. What was not measured is not there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from squall.metrics.catalogue import METRICS
from squall.metrics.distribution import Distribution
from squall.metrics.metric import Between, Metric, Share
from squall.metrics.parts import Part, connection_parts, message_parts
from squall.metrics.phases import phase_at
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.record.resources import FIGURES, ResourceSample, Role
from squall.record.run import RunHeader
from squall.record.verdicts import Verdict

__all__ = ["BOUNDS_NS", "CONTENT_TYPE", "PARTS_MAX", "Exposed", "exposition"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

PARTS_MAX: Final = 100
"""Combinations of labels; each of them has all metrics."""

BOUNDS_NS: Final = tuple(
    digit * 10**power for power in range(5, 11) for digit in (1, 2, 5) if digit * 10**power <= 20 * 10**9
)
"""The upper bounds of a histogram's buckets: 0.1, 0.2, 0.5, 1, … ms to 20 s."""

_NS: Final = 1_000_000_000
_MS: Final = 1_000


@dataclass(frozen=True, kw_only=True)
class Exposed:
    """What is told beside the totals."""

    header: RunHeader
    resources: Mapping[str, ResourceSample] | None = None
    """The last sample of each source."""
    overflows: Mapping[tuple[Role, str], int] | None = None
    """Connections that were turned away at each source's listeners, over the run."""
    alerts: Mapping[str, bool] | None = None
    """Those that were ever raised, and whether they are now."""
    verdict: Verdict | None = None


@dataclass(slots=True)
class _Family:
    """The lines of one metric."""

    name: str
    kind: str
    about: str
    lines: list[str]

    def add(self, labels: str, value: float, ending: str = "") -> None:
        """A sample; `labels` as `_labels` writes them."""
        braces = f"{{{labels}}}" if labels else ""
        self.lines.append(f"{self.name}{ending}{braces} {_number(value)}")


def exposition(totals: Totals, exposed: Exposed) -> str:
    """The whole answer to a scrape."""
    by_type = list(message_parts(totals, most=PARTS_MAX))
    by_phase = list(connection_parts(totals, most=PARTS_MAX))
    families = [*_run(totals, exposed), *_levels(totals)]
    for metric in METRICS:
        if not metric.is_tracked(totals.tracking):
            continue
        if "type" in metric.tags:
            seen = [part for part in by_type if part.labels["population"] not in totals.unseen]
            families.append(_family(metric, seen if metric.by_receiver else by_type))
        elif "population" in metric.tags:
            families.append(_family(metric, by_phase))
    families += _resources(exposed)
    lines: list[str] = []
    for family in families:
        if family.lines:
            lines += [f"# HELP {family.name} {family.about}", f"# TYPE {family.name} {family.kind}"]
            lines += family.lines
    return "\n".join(lines) + "\n"


def _run(totals: Totals, exposed: Exposed) -> Iterator[_Family]:
    header = exposed.header
    info = _Family("squall_run_info", "gauge", "Which run this is.", [])
    info.add(_labels(name=header.name, run_id=header.run_id, version=header.squall_version), 1)
    yield info
    time = _Family("squall_run_time_seconds", "gauge", "The time of the run that all figures are of.", [])
    time.add("", totals.last_at_ns / _NS)
    yield time
    phase = _Family("squall_phase_info", "gauge", "The phase of the run.", [])
    if (now := phase_at(totals.phases.values(), totals.last_at_ns)) is not None:
        phase.add(_labels(phase=now.name, kind=now.kind), 1)
    yield phase
    alert = _Family("squall_alert", "gauge", "Alerts that were raised: 1 while they are.", [])
    for name, is_raised in (exposed.alerts or {}).items():
        alert.add(_labels(name=name), is_raised)
    yield alert
    code = _Family("squall_run_exit_code", "gauge", "What the run ended with; absent while it lasts.", [])
    if exposed.verdict is not None:
        code.add(_labels(outcome=exposed.verdict.outcome), exposed.verdict.exit_code)
    yield code


def _levels(totals: Totals) -> Iterator[_Family]:
    """What is a level of the whole run, and the share of it that was held in each phase."""
    held = _Family("squall_ws_connections", "gauge", "Connections held at the last second's end.", [])
    planned = _Family("squall_ws_connections_planned", "gauge", "Connections planned for then.", [])
    if totals.recent:
        held.add("", totals.recent[-1].held)
        planned.add("", totals.recent[-1].planned)
    yield held
    yield planned
    metric = next(each for each in METRICS if each.name == "ws_connection_stability")
    stability = _Family("squall_ws_connection_stability_ratio", "gauge", _sentence(metric), [])
    for name in dict.fromkeys(phase.name for phase in totals.phases.values()):
        reading = metric.read(totals, Selection(phase=name))
        if isinstance(reading, Share) and reading.of:
            stability.add(_labels(phase=name), reading.least / reading.of)
    yield stability


def _family(metric: Metric, parts: Iterable[Part]) -> _Family:
    """One metric of every part."""
    ending, kind = {
        "trend": ("_seconds", "histogram"),
        "counter": ("_total", "counter"),
        "rate": ("_ratio", "gauge"),
        "gauge": ("", "gauge"),
        "mean": ("_mean_seconds", "gauge"),
    }[metric.kind]
    family = _Family(f"squall_{metric.name}{ending}", kind, _sentence(metric), [])
    for part in parts:
        for labels, selection in _cuts(metric, part):
            _add(family, labels, metric.read(part, selection), _MS if metric.kind == "mean" else 1)
    return family


def _cuts(metric: Metric, part: Part) -> Iterator[tuple[str, Selection]]:
    """The part; of errors and close codes what it has of each."""
    if "code" in metric.tags:
        for code in sorted(part.sum_of_connections.close_codes):
            yield _labels(**part.labels, code=str(code)), Selection(code=code)
    elif "step" in metric.tags:
        for each in sorted(part.sum_of_connections.troubles, key=lambda each: (each.step, each.kind)):
            labels = _labels(**part.labels, step=each.step, kind=each.kind, blame=each.blame)
            yield labels, Selection(step=each.step, kind=each.kind, blame=each.blame)
    else:
        yield _labels(**part.labels), EVERYTHING


def _add(family: _Family, labels: str, reading: object, per: int) -> None:
    if isinstance(reading, Distribution):
        _add_histogram(family, labels, reading)
    elif isinstance(reading, Share):
        if reading.of:
            family.add(f'{labels},end="least"', reading.least / reading.of / per)
            family.add(f'{labels},end="most"', reading.most / reading.of / per)
    elif isinstance(reading, int):
        family.add(labels, reading)
    elif isinstance(reading, Between):
        family.add(labels, reading.least)


def _add_histogram(family: _Family, labels: str, times: Distribution) -> None:
    if not times.count:
        return
    bucket = f'{family.name}_bucket{{{labels},le="'
    counts = times.at_most(*BOUNDS_NS)
    family.lines += [f'{bucket}{bound}"}} {count}' for bound, count in zip(_BOUNDS, counts, strict=True)]
    family.lines.append(f'{bucket}+Inf"}} {times.count}')
    family.add(labels, times.sum_ns / _NS, "_sum")
    family.add(labels, times.count, "_count")


def _resources(exposed: Exposed) -> Iterator[_Family]:
    """The last look at each watched machine, under the names of the catalogue: `squall_target_cpu_share`."""
    families: dict[str, _Family] = {}

    def family(role: Role, figure: str, kind: str = "gauge") -> _Family:
        name = f"squall_{role}_{figure}"
        about = f"The {role}'s {figure.removesuffix('_total').replace('_', ' ')}."
        return families.setdefault(name, _Family(name, kind, about, []))

    for sample in (exposed.resources or {}).values():
        labels = _labels(source=sample.source)
        for figure in FIGURES:
            value = getattr(sample, figure)
            if value is not None and figure != "accept_overflows":  # that is a count, told below
                family(sample.role, figure.replace("_hz", "_per_second")).add(labels, value)
        for state, count in sorted((sample.tcp_states or {}).items()):
            family(sample.role, "tcp_sockets").add(f"{labels},{_labels(state=state)}", count)
        for name, value in sorted(sample.custom.items()):
            family(sample.role, "custom").add(f"{labels},{_labels(name=name)}", value)
    for (role, source), count in (exposed.overflows or {}).items():
        family(role, "accept_overflows_total", "counter").add(_labels(source=source), count)
    yield from families.values()


def _sentence(metric: Metric) -> str:
    return f"{metric.about[0].upper()}{metric.about[1:]}.".replace("\\", r"\\").replace("\n", r"\n")


def _labels(**labels: str) -> str:
    """What stands between the braces."""
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    if math.isfinite(value):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


_BOUNDS: Final = tuple(_number(bound_ns / _NS) for bound_ns in BOUNDS_NS)
