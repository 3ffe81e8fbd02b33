"""The scaling test: the specification's levels and bounds, and how latency growth is judged."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from made_runs import S, a_run, messages, scenario, second
from squall.errors import ExitCode, PlanError
from squall.metrics.expressions import parse
from squall.metrics.scaling import (
    BATCHES_MAX,
    GROWTH_FLOOR_MS,
    GROWTH_MAX,
    LEVELS,
    STABILITY_MIN,
    LevelResult,
    ScalingLevel,
    _all,
    _quotient,
    checked_levels,
    concluded,
    level_result,
    level_thresholds,
    levels_at,
    mean_and_error_ms,
    offered,
    settle_at,
)
from squall.metrics.summary import summarise
from squall.metrics.verdict import judge
from squall.record.resources import ResourceSample
from squall.record.run import FORMAT_VERSION, RunHeader
from squall.scenario.watch import Watch

HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="r",
    name="r",
    squall_version="0",
    started_wall_ns=0,
    seed=1,
    run_number=1,
    scenario={},
    populations=["main"],
    types=[["message", "critical"]],
    plan=[],
    environment={},
)


def carried_out(level: ScalingLevel, *extra: Any, error_ms: float | None = 0.1, **fields: Any) -> LevelResult:
    """A level of ten connections that was judged by its own bounds."""
    totals = a_run(*extra, **fields)
    verdict = judge(scenario(thresholds=level_thresholds(level, watch=Watch())), totals)
    return level_result(
        level, summarise(HEADER, list(totals.phases.values()), totals, verdict), "f", error_ms
    )


def of(
    latency_ms: float, *, error_ms: float | None = 0.1, valid: bool = True, connections: int = 10
) -> LevelResult:
    """A level that passed, with this latency."""
    level = ScalingLevel(connections=connections, duration=5, expected_latency=1e6)
    made = carried_out(level)
    metrics = msgspec.structs.replace(
        made.metrics, average_latency=latency_ms, average_latency_error=error_ms
    )
    return msgspec.structs.replace(
        made, metrics=metrics, outcome="passed", exit_code=0, reasons=(), valid=valid
    )


# --- the levels ---


def test_the_levels_and_bounds_are_the_specification_s() -> None:
    assert [each.connections for each in LEVELS] == [1000, 2500, 5000, 7500, 10000]
    assert [each.duration_s for each in LEVELS] == [300, 600, 900, 1200, 1800]
    assert [each.expected_latency for each in LEVELS] == [50, 75, 90, 100, 100]
    assert [each.throughput_min for each in LEVELS] == [800, 2000, 4000, 6000, 8000]
    assert [round(each.memory_max, 6) for each in LEVELS] == [0.72, 0.75, 0.80, 0.85, 0.90]
    assert [round(each.cpu_max, 6) for each in LEVELS] == [0.53, 0.575, 0.65, 0.725, 0.80]
    assert (GROWTH_MAX, GROWTH_FLOOR_MS) == (0.30, 5.0)
    assert [(each["metric"], each["threshold"]) for each in level_thresholds(LEVELS[0], watch=Watch())] == [
        ("ws_response_time{phase:hold}", "avg<=50"),
        ("ws_msgs_delivered{phase:hold}", "rate>=800"),
        ("target_memory_share{phase:hold}", "max<0.72"),
        ("target_cpu_share{phase:hold}", "max<0.53"),
        ("ws_connection_stability{phase:hold}", "rate>0.95"),
    ]


def test_scale_changes_sizes_and_times_and_no_bound() -> None:
    assert levels_at("full") == LEVELS
    assert [each.connections for each in levels_at("standard")] == [each.connections for each in LEVELS]
    assert [each.duration_s for each in levels_at("standard")] == [30, 60, 90, 120, 180]
    assert [each.connections for each in levels_at("smoke")] == [20, 50, 100, 150, 200]
    for scale in ("smoke", "standard", "full"):
        assert [each.expected_latency for each in levels_at(scale)] == [50, 75, 90, 100, 100]
    assert sum(each.duration_s for each in levels_at("smoke")) + 5 * (2 + settle_at("smoke")) < 60


PAGE = {"prometheus": "http://127.0.0.1:1/metrics"}


@pytest.mark.parametrize(
    ("target", "required"),
    [
        ([], [False, False]),
        ([{"pid": 1}], [True, True]),
        ([PAGE], [False, False]),
        ([PAGE | {"metrics": {"memory_share": "used"}}], [True, False]),
        ([PAGE | {"metrics": {"memory_share": "used"}}, {"port": 9}], [True, True]),
    ],
)
def test_a_bound_on_a_resource_is_required_only_where_a_source_provides_it(
    target: list[dict[str, Any]], required: list[bool]
) -> None:
    bounds = level_thresholds(LEVELS[0], watch=Watch.model_validate({"target": target}))
    assert [each["required"] for each in bounds] == [True, True, *required, True]


def test_throughput_is_a_share_of_what_is_offered_where_it_is_not_said() -> None:
    level = ScalingLevel(connections=100, duration=5, expected_latency=50)
    assert offered(level, 100.0).throughput_min == level.throughput_min == 80
    slow = offered(level, 5.0)
    assert slow.throughput_min == 4
    assert ("ws_msgs_delivered{phase:hold}", "rate>=4") in [
        (each["metric"], each["threshold"]) for each in level_thresholds(slow, watch=Watch())
    ]
    said = msgspec.structs.replace(level, min_throughput=7.0)
    assert offered(said, 5.0).throughput_min == 7


@pytest.mark.parametrize(
    "level",
    [
        {"connections": 0, "duration": 5, "expected_latency": 5},
        {"connections": 1, "duration": 0.5, "expected_latency": 5},
        {"connections": 1, "duration": "soon", "expected_latency": 5},
        {"connections": 1, "duration": 5, "expected_latency": 0},
        {"connections": 1, "duration": 5, "expected_latency": math.inf},
        {"connections": 1, "duration": 5, "expected_latency": math.nan},
        {"connections": 1, "duration": 5, "expected_latency": 5, "max_memory": 0.0},
        {"connections": 1, "duration": 5, "expected_latency": 5, "max_cpu": -0.5},
        {"connections": 1, "duration": 5, "expected_latency": 5, "max_cpu": math.nan},
        {"connections": 1, "duration": 5, "expected_latency": 5, "min_throughput": math.inf},
    ],
)
def test_a_level_that_makes_no_sense_is_refused(level: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="level"):
        checked_levels([ScalingLevel(**level)])
    with pytest.raises(PlanError, match="a level at least"):
        checked_levels([])


def test_a_bound_may_be_tiny_or_huge() -> None:
    (level,) = checked_levels(
        [ScalingLevel(connections=1, duration=5, expected_latency=1e-7, min_throughput=1e15, max_memory=1e-9)]
    )
    bounds = [parse(each["metric"], each["threshold"]) for each in level_thresholds(level, watch=Watch())]
    assert [each.limit for each in bounds] == [1e-7, 1e15, 1e-9, pytest.approx(0.50003), STABILITY_MIN]


# --- what a level came to ---


def test_a_level_has_the_specification_s_results() -> None:
    level = ScalingLevel(connections=10, duration=5, expected_latency=50)
    found = carried_out(level, error_ms=0.25)
    assert found.connection_level == 10
    assert found.performance.average_latency == found.metrics.average_latency is not None
    assert found.performance.throughput == found.metrics.messages_per_second == 10
    assert found.performance.stability_score == found.metrics.stability_score == 1.0
    assert found.metrics.average_latency_error == 0.25
    assert (found.metrics.resource_usage.memory, found.performance.resource_usage.cpu) == (None, None)
    held = found.validation
    assert (held.latency_within_bounds, held.throughput_adequate, held.system_stable) == (True, True, True)
    assert held.resources_efficient is None
    assert (found.outcome, found.exit_code) == ("passed", 0)


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"expected_latency": 0.001}, "latency_within_bounds"),
        ({"min_throughput": 1000.0}, "throughput_adequate"),
    ],
)
def test_a_bound_that_does_not_hold_fails_its_level(changes: dict[str, float], name: str) -> None:
    level = msgspec.structs.replace(ScalingLevel(connections=10, duration=5, expected_latency=50), **changes)
    found = carried_out(level)
    assert getattr(found.validation, name) is False
    assert (found.outcome, found.exit_code) == ("failed", ExitCode.FAILED)


def test_a_resource_that_was_measured_above_its_bound_fails_the_level_though_nobody_knew_that_it_would_be() -> (
    None
):
    level = ScalingLevel(connections=10, duration=5, expected_latency=50)
    totals = a_run()
    totals.sampled(
        ResourceSample(at_ns=3 * S, source="target", role="target", memory_share=0.95, cpu_share=0.1)
    )
    verdict = judge(scenario(thresholds=level_thresholds(level, watch=Watch())), totals)
    assert verdict.outcome == "passed"
    summary = summarise(HEADER, list(totals.phases.values()), totals, verdict)
    found = level_result(level, summary, "f", 0.1)
    assert found.validation.resources_efficient is False
    assert (found.outcome, found.exit_code) == ("failed", ExitCode.FAILED)
    assert found.reasons[0].startswith("failed: target_memory_share{phase:hold} max<0.7002 (")


def test_an_unstable_level_fails() -> None:
    found = carried_out(ScalingLevel(connections=10, duration=5, expected_latency=50), held=2, planned=10)
    assert found.validation.system_stable is False


def test_resources_are_efficient_if_both_are_and_unknown_if_one_is() -> None:
    assert [_all(True, True), _all(True, None), _all(None, False), _all(None, None)] == [
        True,
        None,
        False,
        None,
    ]


# --- the interval of a mean ---


def test_the_interval_of_a_mean_comes_from_batches_of_seconds() -> None:
    steady = [second(index, messages(2, phase=1, response_ms=[10, 30])) for index in range(40)]
    found = mean_and_error_ms(steady, 1)
    assert found is not None
    assert found == (pytest.approx(20, rel=0.01), pytest.approx(0, abs=1e-9))
    varied = [
        second(index, messages(1, phase=1, response_ms=[10 if index % 2 else 30])) for index in range(4)
    ]
    mean, error = mean_and_error_ms(varied, 1) or (0, 0)
    assert mean == pytest.approx(20, rel=0.01)
    # four batches, standard deviation 11.547: t(3) · s / √4
    assert error == pytest.approx(3.182 * 11.547 / 2, rel=0.02)


def test_a_slow_wave_is_not_taken_for_certainty() -> None:
    wave = [second(i, messages(1, phase=1, response_ms=[10 if i < 500 else 30])) for i in range(1000)]
    mean, error = mean_and_error_ms(wave, 1) or (0, 0)
    assert mean == pytest.approx(20, rel=0.01)
    assert error is not None
    assert error > 4  # 1,000 independent seconds would say 0.6
    assert BATCHES_MAX == 20


def test_of_one_second_there_is_no_interval_and_of_no_answer_no_mean() -> None:
    assert mean_and_error_ms([second(0, messages(1, phase=1, response_ms=[10]))], 1) == (
        pytest.approx(10, rel=0.01),
        None,
    )
    assert mean_and_error_ms([second(0, messages(1, phase=1, response_ms=[10]))], 7) is None


# --- how latency grows ---


@pytest.mark.parametrize(
    ("before", "after", "truth"),
    [
        (of(20), of(25.5), "passed"),  # +27.5 %
        (of(20), of(27), "failed"),  # +35 %, 7 ms
        (of(2), of(6.5), "passed"),  # +225 %, and less than the floor
        (of(20), of(10), "passed"),
        (of(20, error_ms=3), of(27, error_ms=3), "unknown"),
        (of(1, error_ms=2), of(80, error_ms=2), "failed"),  # whatever the first one is, this is much more
        (of(20), of(27, valid=False), "unknown"),
        (of(20), of(27, error_ms=None), "unknown"),
    ],
)
def test_growth_counts_where_it_is_sure_and_more_than_the_floor(
    before: LevelResult, after: LevelResult, truth: str
) -> None:
    result = concluded([before, after])
    [growth] = result.growth
    assert growth.truth == truth
    expected = {"passed": ("passed", 0), "failed": ("failed", 99), "unknown": ("warning", 112)}[truth]
    assert (result.outcome, result.exit_code) == expected


def test_the_interval_of_growth_is_wide_where_the_first_latency_is_hardly_known() -> None:
    assert _quotient(20, 0, 30, 0) == (1.5, 1.5)
    least, most = _quotient(100, 1, 150, 1)
    assert (least, most) == (pytest.approx(1.482, abs=1e-3), pytest.approx(1.518, abs=1e-3))
    least, most = _quotient(1, 2, 80, 2)
    assert least > 20
    assert most == float("inf")
    assert _quotient(1, 2, 1, 2) == (0, float("inf"))
    [growth] = concluded([of(1, error_ms=2), of(80, error_ms=2)]).growth
    assert growth.growth_most is None


def test_a_floor_of_its_own() -> None:
    assert concluded([of(20), of(27)], growth_floor_ms=10).outcome == "passed"
    assert concluded([of(2), of(6.5)], growth_floor_ms=1).outcome == "failed"


def test_the_verdict_is_one_sentence_and_the_exit_code_the_strongest() -> None:
    passed = concluded([of(20, connections=10), of(21, connections=2000)])
    assert passed.verdict == "PASSED: every bound held at all 2 levels, up to 2,000 connections."
    assert concluded([of(20)]).verdict == "PASSED: every bound held at the one level, up to 10 connections."
    grown = concluded([of(20, connections=10), of(40, connections=2000)])
    assert grown.verdict.startswith("FAILED: from 10 to 2,000 connections latency grew by +100.0% (")
    broken = msgspec.structs.replace(of(20), outcome="failed", exit_code=99, reasons=("failed: it broke",))
    unsure = msgspec.structs.replace(of(20), outcome="warning", exit_code=110, reasons=("invalid: busy",))
    assert concluded([unsure, broken]).verdict == "FAILED: at 10 connections failed: it broke."
    assert concluded([unsure, broken]).exit_code == 99
    assert concluded([unsure, of(20)]).exit_code == 110
    cut = concluded([of(20)], left_out=[100, 200])
    assert (cut.outcome, cut.exit_code, cut.left_out) == ("warning", 112, (100, 200))
    assert cut.verdict == "WARNING: 2 of 3 levels were not carried out."


def test_the_hold_alone_counts() -> None:
    level = ScalingLevel(connections=10, duration=5, expected_latency=50)
    slow_ramp = messages(5, phase=0, response_ms=[900] * 5)
    assert carried_out(level, slow_ramp).validation.latency_within_bounds is True
