"""JUnit XML: of the shape that CI systems read, and red exactly where the exit code is not 0."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import msgspec
import pytest

from made_runs import check, scenario
from squall.errors import ExitCode
from squall.metrics.readiness import STABILITY_CHECKS
from squall.metrics.summary import summarise
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.verdicts import Judgement, Validity, Verdict
from squall.reports.junit_report import junit_xml
from unit.reports import reported
from unit.reports.reported import Run

RUNS = [reported.passed, reported.troubled, reported.killed, reported.nothing, reported.only_held]

COUNT, SECONDS, STAMP = r"\d+", r"\d+\.\d+", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"
COUNTS = {"tests": COUNT, "failures": COUNT, "errors": COUNT, "skipped": COUNT}
SHAPE: dict[str, tuple[dict[str, str], dict[str, str], list[str]]] = {
    # element: attributes that must be there, those that may, children in their order (the Jenkins XSD)
    "testsuites": ({"name": ".+"} | COUNTS, {"time": SECONDS}, ["testsuite"]),
    "testsuite": (
        {"name": ".+", "timestamp": STAMP} | COUNTS,
        {"time": SECONDS},
        ["properties", "testcase", "system-out"],
    ),
    "properties": ({}, {}, ["property"]),
    "property": ({"name": ".+", "value": ".+"}, {}, []),
    "testcase": (
        {"classname": r"[\w-]+\.\w+", "name": ".+"},
        {},
        ["skipped", "error", "failure", "system-out"],
    ),
    "skipped": ({"message": ".+"}, {}, []),
    "failure": ({"message": ".+", "type": ".+"}, {}, []),
    "error": ({"message": ".+", "type": ".+"}, {}, []),
    "system-out": ({}, {}, []),
}


def assert_shape(element: Element) -> None:
    required, optional, children = SHAPE[element.tag]
    assert set(element.keys()) >= required.keys(), element.tag
    for name, value in element.items():
        assert re.fullmatch((required | optional)[name], value), f"{element.tag} {name}={value}"
    places = [children.index(child.tag) for child in element]
    assert places == sorted(places)
    for child in element:
        assert_shape(child)


def suite_of(run: Run) -> Element:
    root = fromstring(junit_xml(*run))
    assert_shape(root)
    (suite,) = root
    for name in COUNTS:
        assert root.get(name) == suite.get(name)
    return suite


def cases(run: Run) -> dict[str, str]:
    """Of each case by name, what it is: passed, failure, error or skipped."""
    found = {}
    for case in suite_of(run).iter("testcase"):
        colours = [child.tag for child in case if child.tag != "system-out"]
        assert len(colours) <= 1
        found[f"{case.get('classname')}: {case.get('name')}"] = colours[0] if colours else "passed"
    return found


def with_verdict(**fields: Any) -> Run:
    record, _ = reported.passed()
    assert record.verdict is not None
    verdict = msgspec.structs.replace(record.verdict, **fields)
    totals = Totals(record.header.populations, record.header.types)
    for interval in record.intervals:
        totals.add(interval)
    return (
        msgspec.structs.replace(record, verdict=verdict),
        summarise(record.header, record.phases, totals, verdict),
    )


def bound(**fields: Any) -> Judgement:
    given = {
        "name": "x",
        "source": "threshold",
        "bound": "< 5",
        "figure": 7.0,
        "truth": "failed",
        "required": True,
        "evidence": "7 ms",
    }
    return Judgement(**(given | fields))


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_every_run_has_the_shape_and_the_counts_are_those_of_its_cases(make: Callable[[], Run]) -> None:
    suite = suite_of(make())
    tags = [child.tag for case in suite.iter("testcase") for child in case]
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    for name, tag in {"failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        assert suite.get(name) == str(tags.count(tag))


@pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)
def test_it_is_red_where_the_exit_code_is_not_0(make: Callable[[], Run]) -> None:
    record, summary = make()
    assert (
        "failure" in cases((record, summary)).values() or "error" in cases((record, summary)).values()
    ) is (summary.verdict.exit_code != ExitCode.PASSED)


def test_a_passed_run_has_a_case_for_every_bound() -> None:
    record, summary = reported.passed()
    assert record.verdict is not None
    found = cases((record, summary))
    assert len(found) == len(record.verdict.judgements) + 2
    assert found["checkout.threshold: ws_response_time p(95)<200"] == "passed"
    assert found["checkout.run: came to its end"] == "passed"
    assert found["checkout.run: is valid"] == "passed"


def test_failed_and_unknown_bounds_say_why() -> None:
    found = cases(reported.troubled())
    assert found["checkout.threshold: ws_response_time{type:critical} p(95)<200"] == "failure"
    assert found["checkout.threshold: ws_ping p(95)<50"] == "error"  # required, and not measured
    failure = next(suite_of(reported.troubled()).iter("failure"))
    assert failure.get("message", "").startswith("failed: ")


@pytest.mark.parametrize(
    ("truth", "required", "colour"),
    [
        ("passed", True, "passed"),
        ("failed", True, "failure"),
        ("unknown", True, "error"),
        ("passed", False, "passed"),
        ("failed", False, "skipped"),
        ("unknown", False, "skipped"),
    ],
)
def test_what_is_not_required_is_never_red(truth: str, required: bool, colour: str) -> None:
    found = cases(with_verdict(judgements=(bound(truth=truth, required=required),)))
    assert found["checkout.threshold: x < 5"] == colour


def test_what_befell_the_run_is_an_error_of_its_own() -> None:
    found = cases(with_verdict(exit_code=105, stopped_by="interrupted"))
    assert found["checkout.run: came to its end"] == "error"
    invalid = with_verdict(exit_code=110, validity=Validity(valid=False, reasons=("squall was late",)))
    assert cases(invalid)["checkout.run: is valid"] == "error"
    assert next(suite_of(invalid).iter("error")).get("message") == "squall was late"


def test_a_run_that_was_killed_did_not_come_to_its_end() -> None:
    found = cases(reported.killed())
    assert found == {"checkout.run: came to its end": "error", "checkout.run: is valid": "skipped"}


def test_two_bounds_of_one_name_stay_two_cases() -> None:
    found = cases(with_verdict(judgements=(bound(), bound())))
    assert {"checkout.threshold: x < 5", "checkout.threshold: x < 5 (2)"} <= found.keys()


def test_text_of_strangers_stays_xml_and_names_hold_no_figure() -> None:
    hostile = 'a]]>\x00\x1b[31m<b "&\ud800'
    run = with_verdict(judgements=(bound(evidence=hostile, name="x<y"),), stopped_by=hostile)
    assert next(suite_of(run).iter("failure")).get("message") == 'failed: a]]>��[31m<b "&�'
    figures = {"7", "7.0"}
    assert not any(figures & set(name.split()) for name in cases(run))


def test_the_label_of_the_environment_is_a_property() -> None:
    record, summary = reported.passed()
    labelled = msgspec.structs.replace(summary, test_environment="staging")
    found = {each.get("name"): each.get("value") for each in suite_of((record, labelled)).iter("property")}
    assert found["test_environment"] == "staging"
    assert found["exit_code"] == "0"
    assert found["command"] == record.header.command


def test_the_outcome_of_the_judge_is_what_it_shows() -> None:
    """Whatever the judge makes of a run, the colour of the file is that of its exit code."""
    asked = scenario(thresholds=[{"metric": "ws_sessions", "threshold": "count<1"}])
    record, _ = reported.passed()
    totals = Totals(record.header.populations, record.header.types)
    for interval in record.intervals:
        totals.add(interval)
    for befell in (set(), {ExitCode.INTERRUPTED}, {ExitCode.ENVIRONMENT}):
        verdict: Verdict = judge(asked, totals, befell=befell)
        run = (
            msgspec.structs.replace(record, verdict=verdict),
            summarise(record.header, record.phases, totals, verdict),
        )
        red = {"failure", "error"} & set(cases(run).values())
        assert bool(red) is (verdict.exit_code != 0)


@pytest.mark.parametrize(
    ("of_all", "colour"),
    [
        ({"truth": "failed"}, "failure"),
        ({"truth": "unknown"}, "error"),
        ({"truth": "failed", "required": False}, "skipped"),
        (None, "skipped"),
    ],
)
def test_a_stability_check_is_a_case_as_red_as_the_bound_on_all_of_them(
    of_all: dict[str, Any] | None, colour: str
) -> None:
    record, summary = with_verdict(
        judgements=()
        if of_all is None
        else (bound(**{"name": STABILITY_CHECKS, "source": "readiness", "bound": "none fails"} | of_all),)
    )
    failed = check(index=1, spiked=3, spike_share=0.03, drop_share=0.001, drops=1)
    run = msgspec.structs.replace(record, checks=(check(), failed)), summary
    found = cases(run)
    assert found["checkout.stability: check 1 of hold"] == "passed"
    assert found["checkout.stability: check 2 of hold"] == colour
    (said,) = [
        each[0].get("message", "")
        for each in suite_of(run).iter("testcase")
        if each.get("name") == "check 2 of hold"
    ]
    assert ("not required; " in said) is (colour == "skipped")
    assert "3 of 100 connections had a response above the spike bound: 3 %, bound " in said


def test_of_a_great_many_checks_those_that_failed_have_a_case() -> None:
    record, summary = with_verdict()
    many = tuple(
        check(index=index, **({"spike_share": 0.5} if index % 500 == 499 else {})) for index in range(1_500)
    )
    found = cases((msgspec.structs.replace(record, checks=many), summary))
    names = [name for name in found if name.startswith("checkout.stability: ")]
    assert names == [f"checkout.stability: check {number} of hold" for number in (500, 1000, 1500)]
