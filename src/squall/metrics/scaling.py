"""The scaling test: its levels, their bounds, and how latency grows from one to the next. Pure.

Each level is a run of its own, judged like any other by the bounds that are put on it here:

- **latency**: the mean response_time of its hold ≤ the level's expected latency;
- **throughput**: messages delivered a second of its hold ≥ 0.8 · what is offered a second (one message a second
  of each connection, as the specification has it, where the traffic does not say otherwise);
- **memory**, **CPU**: the target's peak share in its hold < 0.70 + 0.20 · c / 10,000, < 0.50 + 0.30 · c / 10,000
  of the level's connections c; each required only where the target's source provides it, and failed wherever
  the figure was measured and is above;
- **stability score**: connection-seconds held / planned, over its hold, > 0.95.

**Latency growth** between neighbours is (later mean − earlier mean) / earlier mean, < 0.30. It counts only where
the increase itself exceeds the growth floor. Each mean has a 95 % interval, from the means of up to 20 batches of
whole seconds of the hold (batch means, Student's t: seconds that follow each other are not independent, long
batches nearly are); growth and increase have the intervals that follow. The bound passes if it holds for all of
them, fails if for none, and is unknown else, as it is where squall itself may have changed a latency.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, Final

import msgspec

from squall.errors import ExitCode, PlanError, strongest
from squall.metrics.figures import number
from squall.metrics.summary_document import Judged, Summary
from squall.record.snapshots import Interval
from squall.record.verdicts import Outcome, Truth
from squall.scale import Scale
from squall.scenario.watch import Watch, provides
from squall.units import parse_duration_s

__all__ = [
    "GROWTH_FLOOR_MS",
    "GROWTH_MAX",
    "LEVELS",
    "STABILITY_MIN",
    "LatencyGrowth",
    "LevelMetrics",
    "LevelPerformance",
    "LevelResult",
    "LevelValidation",
    "ResourceUsage",
    "ScalingLevel",
    "ScalingResult",
    "checked_levels",
    "concluded",
    "level_result",
    "level_thresholds",
    "levels_at",
    "mean_and_error_ms",
    "offered",
    "settle_at",
]

GROWTH_MAX: Final = 0.30
GROWTH_FLOOR_MS: Final = 5.0
THROUGHPUT_MIN: Final = 0.8
STABILITY_MIN: Final = 0.95
BATCHES_MAX: Final = 20

_SMOKE_CONNECTIONS: Final = 50
_SMOKE_S: Final = 4.0
_STANDARD_TIME: Final = 10
_SETTLE_S: Final[dict[Scale, float]] = {"smoke": 0.5, "standard": 5.0, "full": 30.0}
_OUTCOMES: Final[dict[str, Outcome]] = {"passed": "passed", "failed": "failed"}
_HOLD: Final = "{phase:hold}"
_RESOURCES: Final = {"memory": "memory_share", "cpu": "cpu_share"}
"""The bounds on resources, and the figure of a source that each is about."""
_NS_PER_MS: Final = 1_000_000
_STUDENT: Final = (
    (1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (5, 2.571), (6, 2.447), (7, 2.365), (8, 2.306), (9, 2.262),
    (10, 2.228), (11, 2.201), (12, 2.179), (13, 2.160), (14, 2.145), (15, 2.131), (16, 2.120), (17, 2.110),
    (18, 2.101), (19, 2.093),
)  # fmt: skip


class ScalingLevel(msgspec.Struct, frozen=True, kw_only=True):
    """One level: how many connections, held for how long, and its bounds; those that are None follow from it.

    `duration` is seconds, or text like "5m"; `expected_latency` is in milliseconds.
    """

    connections: int
    duration: float | str
    expected_latency: float
    min_throughput: float | None = None
    max_memory: float | None = None
    max_cpu: float | None = None

    @property
    def duration_s(self) -> float:
        """Its hold, in seconds."""
        return parse_duration_s(self.duration)

    @property
    def throughput_min(self) -> float:
        """Messages a second that are to be delivered: where it is not said, of one a second of each connection."""
        return THROUGHPUT_MIN * self.connections if self.min_throughput is None else self.min_throughput

    @property
    def memory_max(self) -> float:
        """The target's share of memory that it stays below."""
        return 0.70 + 0.20 * self.connections / 10_000 if self.max_memory is None else self.max_memory

    @property
    def cpu_max(self) -> float:
        """The target's share of its cores that it stays below."""
        return 0.50 + 0.30 * self.connections / 10_000 if self.max_cpu is None else self.max_cpu


LEVELS: Final = (
    ScalingLevel(connections=1000, duration=300.0, expected_latency=50.0),
    ScalingLevel(connections=2500, duration=600.0, expected_latency=75.0),
    ScalingLevel(connections=5000, duration=900.0, expected_latency=90.0),
    ScalingLevel(connections=7500, duration=1200.0, expected_latency=100.0),
    ScalingLevel(connections=10000, duration=1800.0, expected_latency=100.0),
)
"""The specification's five."""


class ResourceUsage(msgspec.Struct, frozen=True, kw_only=True):
    """The target's peak shares while the level was held; None where it was not watched."""

    memory: float | None = None
    cpu: float | None = None


class LevelMetrics(msgspec.Struct, frozen=True, kw_only=True):
    """What a level came to. Latency in milliseconds, with the half-width of its 95 % interval."""

    average_latency: float | None
    average_latency_error: float | None
    messages_per_second: float | None
    resource_usage: ResourceUsage
    stability_score: float | None


class LevelPerformance(msgspec.Struct, frozen=True, kw_only=True):
    """The same under the names that the specification's comparison has."""

    average_latency: float | None
    throughput: float | None
    resource_usage: ResourceUsage
    stability_score: float | None


class LevelValidation(msgspec.Struct, frozen=True, kw_only=True):
    """Which bounds hold. None: not known, or not measured."""

    latency_within_bounds: bool | None
    throughput_adequate: bool | None
    resources_efficient: bool | None
    system_stable: bool | None


class LevelResult(msgspec.Struct, frozen=True, kw_only=True):
    """A level that was carried out."""

    connection_level: int
    level: ScalingLevel
    performance: LevelPerformance
    validation: LevelValidation
    metrics: LevelMetrics
    folder: str
    """The folder of its run, within that of the series."""
    outcome: Outcome
    valid: bool
    exit_code: int
    reasons: tuple[str, ...]


class LatencyGrowth(msgspec.Struct, frozen=True, kw_only=True):
    """How latency grew from one level to the next. `growth` is a share, with the ends of its interval.

    `growth_most` is None also where the interval has no upper end: the first latency may be almost nothing.
    """

    from_connections: int
    to_connections: int
    growth: float | None
    growth_least: float | None
    growth_most: float | None
    increase_ms: float | None
    truth: Truth
    evidence: str


class ScalingResult(msgspec.Struct, frozen=True, kw_only=True):
    """A scaling test. `left_out` are the levels that were not carried out."""

    levels: tuple[LevelResult, ...]
    growth: tuple[LatencyGrowth, ...]
    left_out: tuple[int, ...]
    growth_floor_ms: float
    outcome: Outcome
    exit_code: int
    verdict: str
    """In one sentence."""
    folder: str = ""


def levels_at(scale: Scale) -> tuple[ScalingLevel, ...]:
    """The specification's levels at a scale."""
    if scale == "full":
        return LEVELS
    if scale == "standard":
        return tuple(
            msgspec.structs.replace(each, duration=each.duration_s / _STANDARD_TIME) for each in LEVELS
        )
    return tuple(
        msgspec.structs.replace(each, connections=each.connections // _SMOKE_CONNECTIONS, duration=_SMOKE_S)
        for each in LEVELS
    )


def settle_at(scale: Scale) -> float:
    """How long the service is left alone between two levels, in seconds."""
    return _SETTLE_S[scale]


def checked_levels(levels: Iterable[ScalingLevel]) -> tuple[ScalingLevel, ...]:
    """The levels, if they are such.

    Raises:
        PlanError: there is none, or one makes no sense.
    """
    found = tuple(levels)
    if not found:
        raise PlanError("a scaling test needs a level at least")
    for each in found:
        try:
            fits = each.connections >= 1 and each.duration_s >= 1 and each.expected_latency > 0
        except ValueError as error:
            raise PlanError(f"level {each.connections}: {error}") from None
        if not fits or math.isinf(each.expected_latency):
            raise PlanError(
                f"level {each.connections} for {each.duration} within {each.expected_latency} ms: a level has a"
                " connection or more, a second or more, and a latency above zero"
            )
        for name in ("min_throughput", "max_memory", "max_cpu"):
            bound = getattr(each, name)
            if bound is not None and not (0 < bound < math.inf or (name == "min_throughput" and bound == 0)):
                raise PlanError(
                    f"level {each.connections}: {name}={bound:g} can be no bound: one is a number above zero",
                    hint="leave it out for the bound that follows from the level",
                )
    return found


def offered(level: ScalingLevel, messages_hz: float) -> ScalingLevel:
    """The level at which this much is offered: its bound on throughput, where none is given, is a share of that."""
    if level.min_throughput is not None:
        return level
    return msgspec.structs.replace(level, min_throughput=THROUGHPUT_MIN * messages_hz)


def level_thresholds(level: ScalingLevel, *, watch: Watch) -> list[dict[str, Any]]:
    """The bounds on a level, as the thresholds of its run; one on a resource is required where that is provided."""
    return [
        {
            "metric": metric,
            "threshold": bound,
            "required": name not in _RESOURCES or provides(watch, _RESOURCES[name]),
        }
        for name, (metric, bound) in _bounds(level).items()
    ]


def _bounds(level: ScalingLevel) -> dict[str, tuple[str, str]]:
    return {
        "latency": (f"ws_response_time{_HOLD}", f"avg<={level.expected_latency:.12g}"),
        "throughput": (f"ws_msgs_delivered{_HOLD}", f"rate>={level.throughput_min:.12g}"),
        "memory": (f"target_memory_share{_HOLD}", f"max<{level.memory_max:.12g}"),
        "cpu": (f"target_cpu_share{_HOLD}", f"max<{level.cpu_max:.12g}"),
        "stability": (f"ws_connection_stability{_HOLD}", f"rate>{STABILITY_MIN:.12g}"),
    }


def level_result(
    level: ScalingLevel, summary: Summary, folder: str, mean_error_ms: float | None
) -> LevelResult:
    """What the run of a level came to, from its summary.

    Args:
        level: what was asked.
        summary: of its run, which was judged by `level_thresholds`.
        folder: of its run.
        mean_error_ms: half the 95 % interval of its average latency (`mean_and_error_ms`).
    """
    judged = {
        name: next(
            (each for each in summary.verdict.judgements or () if (each.name, each.bound) == bound), None
        )
        for name, bound in _bounds(level).items()
    }
    figures = {name: None if each is None else each.figure for name, each in judged.items()}
    usage = ResourceUsage(memory=figures["memory"], cpu=figures["cpu"])
    latency, throughput, stability = figures["latency"], figures["throughput"], figures["stability"]
    failed = [each for each in judged.values() if each is not None and each.truth == "failed"]
    code = ExitCode.UNKNOWN if summary.verdict.exit_code is None else ExitCode(summary.verdict.exit_code)
    # A source may provide what nobody knew that it would: then the run does not require it, and the level does.
    more = [f"failed: {each.name} {each.bound} ({each.evidence})" for each in failed if not each.required]
    return LevelResult(
        connection_level=level.connections,
        level=level,
        performance=LevelPerformance(
            average_latency=latency, throughput=throughput, resource_usage=usage, stability_score=stability
        ),
        validation=LevelValidation(
            latency_within_bounds=_holds(judged["latency"]),
            throughput_adequate=_holds(judged["throughput"]),
            resources_efficient=_all(_holds(judged["memory"]), _holds(judged["cpu"])),
            system_stable=_holds(judged["stability"]),
        ),
        metrics=LevelMetrics(
            average_latency=latency,
            average_latency_error=mean_error_ms,
            messages_per_second=throughput,
            resource_usage=usage,
            stability_score=stability,
        ),
        folder=folder,
        outcome="failed" if failed else _OUTCOMES.get(summary.verdict.outcome or "", "warning"),
        valid=bool(summary.verdict.valid),
        exit_code=int(strongest({code, ExitCode.FAILED} if failed else {code})),
        reasons=(*more, *(summary.verdict.reasons or ())),
    )


def mean_and_error_ms(seconds: Iterable[Interval], phase: int) -> tuple[float, float | None] | None:
    """The mean response_time of a phase and half its 95 % interval; None of no answer, or of a single batch."""
    found: list[tuple[int, int]] = []
    for second in seconds:
        answers = [
            cell.response for cell in second.messages if cell.phase == phase and cell.response is not None
        ]
        if answers:
            found.append((sum(each.sum_ns for each in answers), sum(each.count for each in answers)))
    if not found:
        return None
    means = [_mean_ms(batch) for batch in _batches(found)]
    if len(means) < 2:
        return _mean_ms(found), None
    middle = sum(means) / len(means)
    deviation = math.sqrt(sum((each - middle) ** 2 for each in means) / (len(means) - 1))
    return _mean_ms(found), dict(_STUDENT)[len(means) - 1] * deviation / math.sqrt(len(means))


def _batches(seconds: Sequence[tuple[int, int]]) -> list[Sequence[tuple[int, int]]]:
    """Up to `BATCHES_MAX` stretches of nearly equal length."""
    count = min(BATCHES_MAX, len(seconds))
    ends = [len(seconds) * number // count for number in range(count + 1)]
    return [seconds[ends[number] : ends[number + 1]] for number in range(count)]


def _mean_ms(seconds: Sequence[tuple[int, int]]) -> float:
    return sum(total for total, _ in seconds) / sum(count for _, count in seconds) / _NS_PER_MS


def concluded(
    results: Sequence[LevelResult],
    *,
    growth_floor_ms: float = GROWTH_FLOOR_MS,
    left_out: Sequence[int] = (),
    folder: str = "",
) -> ScalingResult:
    """The scaling test as a whole: its levels, how latency grew, the verdict on both."""
    growth = tuple(_growth(before, after, growth_floor_ms) for before, after in pairwise(results))
    codes = {ExitCode(each.exit_code) for each in results}
    truths = {each.truth for each in growth}
    codes |= {ExitCode.FAILED} if "failed" in truths else set()
    codes |= {ExitCode.UNKNOWN} if "unknown" in truths or left_out else set()
    code = strongest(codes)
    failed = "failed" in truths or any(each.outcome == "failed" for each in results)
    outcome: Outcome = "failed" if failed else "passed" if code is ExitCode.PASSED else "warning"
    return ScalingResult(
        levels=tuple(results),
        growth=growth,
        left_out=tuple(left_out),
        growth_floor_ms=growth_floor_ms,
        outcome=outcome,
        exit_code=int(code),
        verdict=_sentence(outcome, results, growth, left_out),
        folder=folder,
    )


def _growth(before: LevelResult, after: LevelResult, floor_ms: float) -> LatencyGrowth:
    """How latency grew from one level to the next, and whether it grew too much."""
    first, second = before.metrics, after.metrics
    mean, later = first.average_latency, second.average_latency
    growth = least = most = increase = None
    truth: Truth = "unknown"
    if not mean or later is None:
        words = "the average latency of a level was not measured"
    elif first.average_latency_error is None or second.average_latency_error is None:
        growth, increase = later / mean - 1, later - mean
        words = f"{growth:+.1%}: too short to say how sure that is"
    else:
        error = math.hypot(first.average_latency_error, second.average_latency_error)
        growth, increase = later / mean - 1, later - mean
        ratios = _quotient(mean, first.average_latency_error, later, second.average_latency_error)
        least, most = ratios[0] - 1, ratios[1] - 1
        truth = _growth_truth((least, most), (increase - error, increase + error), floor_ms)
        words = f"{growth:+.1%} ({least:+.1%} to {most:+.1%}), {increase:+.3g} ms"
        if most >= GROWTH_MAX and truth == "passed":
            words += f": no more than the floor of {number(floor_ms)} ms"
        if not (before.valid and after.valid) and truth != "unknown":
            words, truth = f"{words}; {truth}, but squall itself may have changed that", "unknown"
    return LatencyGrowth(
        from_connections=before.connection_level,
        to_connections=after.connection_level,
        growth=growth,
        growth_least=least,
        growth_most=most if most is None or math.isfinite(most) else None,
        increase_ms=increase,
        truth=truth,
        evidence=words,
    )


def _quotient(mean: float, error: float, later: float, later_error: float) -> tuple[float, float]:
    """The interval of later / mean, of two means that err independently (Fieller, J. R. Stat. Soc. B 16, 1954).

    All ratios r for which later − r · mean is no further from 0 than its own error; infinite above where the
    first mean is not surely above 0.
    """
    a, b, c = mean**2 - error**2, later * mean, later**2 - later_error**2
    if c <= 0:
        return 0.0, math.inf
    root = math.sqrt(max(0.0, b**2 - a * c))
    return c / (b + root), (b + root) / a if a > 0 else math.inf


def _growth_truth(growth: tuple[float, float], increase_ms: tuple[float, float], floor_ms: float) -> Truth:
    """Passed if surely below the bound, or surely no more than the floor; failed if surely neither."""
    if growth[1] < GROWTH_MAX or increase_ms[1] <= floor_ms:
        return "passed"
    return "failed" if growth[0] >= GROWTH_MAX and increase_ms[0] > floor_ms else "unknown"


def _holds(judged: Judged | None) -> bool | None:
    """Whether a bound holds; None where that is not known."""
    return None if judged is None else {"passed": True, "failed": False}.get(judged.truth)


def _all(*holds: bool | None) -> bool | None:
    if False in holds:
        return False
    return None if None in holds else True


def _sentence(
    outcome: Outcome,
    results: Sequence[LevelResult],
    growth: Sequence[LatencyGrowth],
    left_out: Sequence[int],
) -> str:
    word = outcome.upper()
    most = max((each.connection_level for each in results), default=0)
    grew = [
        f"from {each.from_connections:,} to {each.to_connections:,} connections latency grew by {each.evidence}"
        for each in growth
        if each.truth == ("failed" if outcome == "failed" else "unknown")
    ]
    said = [
        f"at {each.connection_level:,} connections {each.reasons[0] if each.reasons else each.outcome}"
        for each in results
        if each.outcome == outcome
    ]
    said += grew
    if left_out:
        said.append(f"{len(left_out)} of {len(left_out) + len(results)} levels were not carried out")
    if outcome == "passed" or not said:
        levels = "the one level" if len(results) == 1 else f"all {len(results)} levels"
        return f"{word}: every bound held at {levels}, up to {most:,} connections."
    more = f", and {len(said) - 1} more" if len(said) > 1 else ""
    return f"{word}: {said[0]}{more}."
