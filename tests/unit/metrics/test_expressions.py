"""The language of thresholds: what is understood, and what is said of the rest."""

from __future__ import annotations

import pytest

from made_runs import scenario
from squall.errors import ScenarioError
from squall.metrics.expressions import parse, problems
from squall.metrics.totals import Selection


@pytest.mark.parametrize(
    ("metric", "threshold", "aggregation", "share", "sign", "limit"),
    [
        ("ws_response_time", "p(95)<200", "p(N)", 0.95, "<", 200),
        ("ws_response_time", " p( 99.9 ) <= 1.5s ", "p(N)", 0.999, "<=", 1500),
        ("ws_response_time", "avg<100ms", "avg", None, "<", 100),
        ("ws_response_time", "med<250us", "med", None, "<", 0.25),
        ("ws_msgs_sent", "count>=500", "count", None, ">=", 500),
        ("ws_msgs_sent", "rate>9e3", "rate", None, ">", 9000),
        ("ws_connect_failed", "rate<0.01", "rate", None, "<", 0.01),
        ("ws_msgs_lost", "count===0", "count", None, "==", 0),
        ("ws_dropped", "count!=1", "count", None, "!=", 1),
        ("ws_connections", "value>=100", "value", None, ">=", 100),
    ],
)
def test_bounds_are_read(
    metric: str, threshold: str, aggregation: str, share: float | None, sign: str, limit: float
) -> None:
    bound = parse(metric, threshold)
    assert (bound.aggregation, bound.operator) == (aggregation, sign)
    assert bound.share == (None if share is None else pytest.approx(share))
    assert bound.limit == pytest.approx(limit)
    assert bound.threshold_text == threshold.strip()


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("ws_response_time", Selection()),
        ("ws_response_time{phase:hold}", Selection(phase="hold")),
        ("ws_response_time { type:critical , phase: hold }", Selection(phase="hold", type="critical")),
        ('ws_response_time{entry_point:"ws://h:1/a,b"}', Selection(entry_point="ws://h:1/a,b")),
        ("ws_response_time{entry_point:ws://h:1/a}", Selection(entry_point="ws://h:1/a")),
        ("ws_msgs_lost{population:main,node:n1}", Selection(population="main", node="n1")),
    ],
)
def test_tags_are_read(text: str, selection: Selection) -> None:
    assert parse(text, "p(95)<1" if "time" in text else "count==0").selection == selection


def test_a_close_code_is_a_number() -> None:
    assert parse("ws_close_code{code:1006}", "count==0").selection == Selection(code=1006)


@pytest.mark.parametrize(
    ("metric", "threshold", "said"),
    [
        ("ws_respnse_time", "p(95)<200", 'no metric "ws_respnse_time"; did you mean "ws_response_time"'),
        ("ws response", "p(95)<200", "is no metric"),
        ("ws_response_time{phas:hold}", "avg<1", 'no tag "phas"; did you mean "phase"'),
        ("ws_connections{type:a}", "value>1", 'no tag "type"; it has phase'),
        ("ws_response_time{}", "avg<1", "are no tags"),
        ("ws_response_time{phase:hold,}", "avg<1", "are no tags"),
        ("ws_response_time{phase:}", "avg<1", "are no tags"),
        ("ws_response_time{phase:a,phase:b}", "avg<1", "given twice"),
        ("ws_close_code{code:x}", "count<1", "a close code is a number"),
        ("ws_response_time", "p95<200", "is no bound; write one like p(95)<200"),
        ("ws_response_time", "p(95)=200", "is no bound; write one like p(95)<200"),
        ("ws_response_time", "p(101)<200", "a percentile is a number from 0 to 100"),
        ("ws_response_time", "p(1.2.3)<200", "a percentile is a number from 0 to 100"),
        ("ws_response_time", "agv<200", 'no "agv"; did you mean "avg"'),
        ("ws_response_time", "rate<200", "is a trend"),
        ("ws_response_time", "avg<5xs", "is not a duration"),
        ("ws_msgs_lost", "p(95)<1", "has no percentiles; it has count, rate"),
        ("ws_msgs_lost", "count<5ms", "is no number of messages"),
        ("target_figure", "max<5", "needs its figure: target_figure{figure:NAME}"),
        ("target_memory_bytes", "max<5 lightyears", "is no bound"),
        ("target_memory_bytes", "max<5xy", "size"),
        ("target_memory_share", "max<1e-", "is no bound"),
        ("target_memory_share", "max<1e999", "is beyond every number"),
    ],
)
def test_what_is_not_understood_is_said_in_words(metric: str, threshold: str, said: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse(metric, threshold)
    assert said in caught.value.message


@pytest.mark.parametrize("text", ["1e-09", "2.5E-3", "1e+12", "1e3", "-1e-09"])
def test_a_bound_may_have_an_exponent(text: str) -> None:
    assert parse("target_memory_share", f"max<{text}").limit == float(text)


def test_a_bound_on_bytes_may_be_a_size() -> None:
    assert parse("target_memory_bytes{source:node-1}", "max<512MiB").limit == 512 << 20


def test_a_source_is_one_that_is_watched() -> None:
    asked = scenario(
        watch={"target": [{"name": "node", "pid": 1}]},
        thresholds=[
            {"metric": "target_cpu_share{source:node}", "threshold": "max<1"},
            {"metric": "target_cpu_share{source:noed}", "threshold": "max<1"},
        ],
    )
    (found,) = problems(asked.thresholds, asked)
    assert 'there is no source "noed"' in found
    nobody = scenario(thresholds=[{"metric": "target_cpu_share{source:a}", "threshold": "max<1"}])
    assert "there are none" in problems(nobody.thresholds, nobody)[0]


def test_all_problems_of_all_thresholds_are_found_at_once() -> None:
    asked = scenario(
        populations=[{"name": "users", "traffic": {"types": [{"name": "critical"}, {"name": "bulk"}]}}],
        thresholds=[
            {"metric": "ws_response_time{phase:hld}", "threshold": "p(95)<200"},
            {"metric": "ws_response_time{type:crtical,population:user}", "threshold": "p(95)<200"},
            {"metric": "ws_nothing", "threshold": "avg<1"},
            {"metric": "ws_errors{blame:nobody}", "threshold": "count<1"},
            {"metric": "ws_response_time{phase:warm_up}", "threshold": "avg<1"},
            {"metric": "ws_response_time{type:bulk,node:any}", "threshold": "avg<1"},
        ],
    )
    found = problems(asked.thresholds, asked)
    assert len(found) == 6
    assert 'no phase "hld"; did you mean "hold"' in found[0]
    assert 'no population "user"; did you mean "users"' in found[1]
    assert 'no type "crtical"; did you mean "critical"' in found[2]
    assert 'no metric "ws_nothing"' in found[3]
    assert 'no blame "nobody"; there are target, network, tester' in found[4]
    assert 'no phase "warm_up"' in found[5]


def test_without_a_scenario_only_the_grammar_is_checked() -> None:
    asked = scenario(thresholds=[{"metric": "ws_response_time{phase:hld}", "threshold": "p(95)<200"}])
    assert problems(asked.thresholds) == []
    assert problems(asked.thresholds, asked, phases=["hld"]) == []
