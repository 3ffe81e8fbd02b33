"""The scaling test for people: the table of the specification, Markdown, charts."""

from __future__ import annotations

import msgspec

from squall.charts.svg import svg_file
from squall.metrics.scaling import (
    LevelMetrics,
    LevelPerformance,
    LevelResult,
    LevelValidation,
    ResourceUsage,
    ScalingLevel,
    ScalingResult,
    concluded,
)
from squall.reports.scaling_report import scaling_charts, scaling_lines, scaling_markdown


def level(
    connections: int, latency_ms: float, *, watched: bool = True, **validation: bool | None
) -> LevelResult:
    usage = ResourceUsage(memory=0.25, cpu=0.5) if watched else ResourceUsage()
    held: dict[str, bool | None] = {
        "latency_within_bounds": True,
        "throughput_adequate": True,
        "resources_efficient": True if watched else None,
        "system_stable": True,
    }
    failed = False in validation.values()
    return LevelResult(
        connection_level=connections,
        level=ScalingLevel(connections=connections, duration=60, expected_latency=50),
        performance=LevelPerformance(
            average_latency=latency_ms, throughput=connections, resource_usage=usage, stability_score=0.999
        ),
        validation=LevelValidation(**(held | validation)),
        metrics=LevelMetrics(
            average_latency=latency_ms,
            average_latency_error=0.5,
            messages_per_second=connections,
            resource_usage=usage,
            stability_score=0.999,
        ),
        folder=f"level-{connections}",
        outcome="failed" if failed else "passed",
        valid=True,
        exit_code=99 if failed else 0,
        reasons=("failed: too slow | by far",) if failed else (),
    )


RESULT = concluded(
    [level(1000, 20), level(2500, 24), level(5000, 60, latency_within_bounds=False)], left_out=[10000]
)


def test_the_console_table_has_a_line_for_each_level_and_the_verdict() -> None:
    lines = scaling_lines(RESULT)
    assert lines[0] == "Progressive Scaling Test Results"
    heads = "connections latency bound throughput memory CPU stability growth bounds held"
    assert " ".join(lines[2].split()) == heads
    assert " ".join(lines[3].split()) == "1,000 20 ms <= 50 ms 1,000 msg/s 25 % 50 % 99.9 % - all"
    assert " ".join(lines[5].split()).endswith("+150.0% latency failed")
    assert lines[6] == "growth: of the average latency, < 30% from level to level where it is more than 5 ms"
    assert lines[7].startswith("growth from 2,500 to 5,000 failed: +150.0% (")
    assert lines[8] == "not carried out: 10,000"
    assert lines[-1] == RESULT.verdict
    assert RESULT.verdict.startswith("FAILED: at 5,000 connections failed: too slow | by far, and ")


def test_what_was_not_watched_is_said_and_drawn_as_nothing() -> None:
    result = concluded([level(1000, 20, watched=False)])
    assert "not measured  not measured" in scaling_lines(result)[3]
    assert scaling_lines(result)[3].endswith("resources not known")
    assert list(scaling_charts(result)) == ["latency", "throughput"]


def test_markdown_links_the_runs_and_the_pictures() -> None:
    text = scaling_markdown(RESULT, [("Average latency", "charts/latency.svg")])
    assert text.startswith("# Progressive Scaling Test Results\n\n**FAILED: ")
    assert "| 2,500 | 24 ms | <= 50 ms | 2,500 msg/s |" in text
    assert "[5,000 connections](level-5000/summary.md)" in text
    assert "![Average latency](charts/latency.svg)" in text


def test_the_charts_have_each_figure_beside_its_bound_over_the_level() -> None:
    charts = scaling_charts(RESULT)
    assert list(charts) == ["latency", "throughput", "resources"]
    measured, bound = charts["latency"].lines
    assert (list(measured.x), list(measured.y)) == ([1000, 2500, 5000], [20, 24, 60])
    assert (list(measured.low or ()), list(measured.high or ())) == ([19.5, 23.5, 59.5], [20.5, 24.5, 60.5])
    assert (bound.faint, list(bound.y)) == (True, [50, 50, 50])
    assert [list(each.y) for each in charts["resources"].lines][0::2] == [[0.25] * 3, [0.5] * 3]
    for chart in charts.values():
        assert svg_file(chart).startswith("<svg")


def test_of_no_level_there_is_a_table_all_the_same() -> None:
    result = concluded([], left_out=[1000])
    assert scaling_lines(result)[-1] == "WARNING: 1 of 1 levels were not carried out."
    assert svg_file(scaling_charts(result)["latency"]).startswith("<svg")
    assert msgspec.json.decode(msgspec.json.encode(RESULT), type=ScalingResult) == RESULT
