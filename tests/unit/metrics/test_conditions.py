"""Conditions on an interval of a ramp: understood, judged, and refused with words."""

from __future__ import annotations

import pytest

from made_runs import connections, messages, phase, scenario, second, some_totals
from squall.errors import ScenarioError
from squall.metrics.conditions import FIGURES, Finding, condition, condition_problems
from squall.metrics.ramp_statistics import RampStatistics, ramp_statistics


def judged(text: str, *cells: object) -> Finding:
    """A condition on the second second of a ramp."""
    before = some_totals(second(0, held=10), phases=[phase(0, "ramp_up", "ramp_up", 0, None)])
    interval = before.from_here(before.phases[0])
    interval.add(second(1, *cells))  # type: ignore[arg-type] # cells
    return condition(text).judge(interval, ramp_statistics(interval, held_before=10))


def test_every_figure_is_one_of_an_interval() -> None:
    assert set(FIGURES) <= set(RampStatistics.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("error_rate>0.1", True),
        ("error_rate: >0.1", True),
        ("error_rate > 0.2", False),
        ("error_rate>1e-09", True),
        ("error_rate>1e+3", False),
        ("error_count>=2", True),
        ("active_connections<10", False),
        ("average_latency>90ms", True),
        ("average_latency>101", False),
        ("ws_response_time: p(50)>99", True),
        ("ws_response_time{population:main}: max<100", False),
        ("ws_dropped: count>0", True),
        ("ws_sessions: rate<7", True),
        ("server_cpu_usage>0.5", None),
        ("ws_connecting: avg>1", None),
    ],
)
def test_a_condition_holds_or_not_or_nobody_knows(text: str, holds: bool | None) -> None:
    cells = (connections(6, attempted=7, failed=1, dropped=1), messages(2, phase=0, response_ms=[100, 101]))
    assert judged(text, *cells).holds is holds


def test_the_finding_says_why() -> None:
    found = judged("error_rate>0.05", connections(9, attempted=10, failed=1))
    assert (found.figure, found.bound) == (0.05, 0.05)
    assert found.why == "error_rate>0.05 (0.05)"
    found = judged("average_latency>50", messages(1, phase=0, response_ms=[100]))
    assert found.why.startswith("average_latency>50 (100")
    assert found.why.endswith(" ms of response_time)")
    assert judged("ws_ping: avg>5") == Finding(None, None, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no condition"),
        ("eror_rate>0.1", 'did you mean "error_rate"'),
        ("ws_respons_time: p(95)>1", 'did you mean "ws_response_time"'),
        ("error_rate: p(95)>1", "no bound on error_rate"),
        ("error_rate>5ms", '"5ms" is none'),
        ("average_latency>quick", "no bound"),
        ("average_latency>5parsec", "parsec"),
        ("ws_response_time: rate>1", "has no"),
    ],
)
def test_what_is_no_condition_is_refused(text: str, words: str) -> None:
    with pytest.raises(ScenarioError, match="(?i)" + words.replace("(", r"\(").replace(")", r"\)")):
        condition(text)


def test_problems_name_each_condition() -> None:
    found = condition_problems(
        [
            "error_rate>0.1",
            "nothing>1",
            "ws_response_time{phase:hold}: avg>1",
            "ws_msgs_sent{type:odd}: count>1",
        ],
        scenario(),
    )
    assert len(found) == 3
    assert found[0].startswith("nothing>1: there is no metric")
    assert "names no phase" in found[1]
    assert 'no type "odd"' in found[2]
