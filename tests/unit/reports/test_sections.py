from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from made_runs import S
from squall.metrics.history import History
from squall.metrics.outages import Outage
from squall.metrics.summary_document import Faults, Percentiles
from squall.record.reconciliation import FaultAccount, Reconciliation
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event
from squall.record.stability import StabilityCheck
from squall.reports.sections import SECTIONS, Story, fragments
from unit.reports import reported
from unit.reports.reported import Run

RUNS = [reported.passed, reported.troubled, reported.killed, reported.nothing, reported.only_held]
every_run = pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)


def story(make: Callable[[], Run], *, running: bool = False) -> Story:
    record, summary = make()
    return Story(record=record, summary=summary, history=History.of(record), running=running)


def cells(html: str, caption: str) -> list[list[str]]:
    """The rows of the table with a caption, as text."""
    found = re.search(rf"<caption>{caption}</caption>.*?</table>", html)
    assert found is not None, caption
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", found[0])
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def number(text: str) -> int:
    return int(text.replace(",", ""))


@every_run
def test_every_section_can_be_told_of_every_run(make: Callable[[], Run]) -> None:
    parts = fragments(story(make))
    assert list(parts) == ["verdict", *SECTIONS, "data"]
    assert all("None" not in part for part in parts.values())


@every_run
def test_the_verdict_is_one_sentence_and_a_killed_run_says_so(make: Callable[[], Run]) -> None:
    verdict = fragments(story(make))["verdict"]
    words = {"passed": "PASSED", "troubled": "FAILED", "only_held": "PASSED"}
    assert f"<strong>{words.get(make.__name__, 'NO VERDICT')}</strong>: " in verdict
    assert ("was killed" in verdict) is (make.__name__ in ("killed", "nothing"))


def test_a_run_that_goes_on_is_told_as_such() -> None:
    parts = fragments(story(reported.killed, running=True))
    assert "RUNNING" in parts["verdict"]
    assert "killed" not in parts["verdict"]
    assert "judged when the run is over" in parts["judged"]


def test_the_account_of_the_messages_adds_up_in_every_column() -> None:
    rows = cells(fragments(story(reported.troubled))["messages"], "What became of every message")
    assert rows[0] == ["", "all", "critical", "message"]
    by_words = {row[0]: [number(cell) for cell in row[1:]] for row in rows[1:]}
    for column in range(3):
        at = {words: figures[column] for words, figures in by_words.items()}
        assert at["intended"] - at["− not sent"] == at["= sent"]
        assert at["delivered"] + at["+ lost"] + at["+ unknown"] == at["= sent"]
    assert [column[0] for column in (by_words["intended"], by_words["+ lost"])] == [42, 3]


def test_bounds_stand_with_figure_unit_and_verdict_the_failed_first() -> None:
    rows = cells(fragments(story(reported.troubled))["judged"], "Every bound with its figure")
    assert [row[3] for row in rows[1:]] == sorted(
        (row[3] for row in rows[1:]), key=["failed", "unknown", "passed"].index
    )
    row = next(row for row in rows if row[0].startswith("ws_response_time"))
    assert row[1:4] == ["p(95)&lt;200", "250 ms", "failed"]
    share = next(row for row in rows if row[0].startswith("not sent"))
    assert share[2].endswith(" %")


def test_stability_checks_show_the_failed_ones_and_keep_the_others() -> None:
    def check(index: int, drops: int) -> StabilityCheck:
        return StabilityCheck(
            phase=1, index=index, start_ns=30 * index * S, end_ns=30 * (index + 1) * S, held=100, drops=drops,
            drop_share=drops / 100, drop_tolerance=0.005, spiked=0, spike_share=None, spike_tolerance=0.02,
            sent=10, undelivered=0, failure_share=0.0, failure_tolerance=0.001,
        )  # fmt: skip

    made = story(reported.passed)
    assert fragments(made)["stability"] == ""
    for index in range(20):
        made.history.checked(check(index, drops=5 if index == 7 else 0))
    html = fragments(made)["stability"]
    assert "19 of 20 checks passed" in html
    rows = cells(html, "Stability checks")
    assert [row[:3] for row in rows[1:]] == [["8", "3:30–4:00", "failed"]]
    assert rows[1][4:6] == ["5 % (at most 0.5 %)", "not measured (at most 2 %)"]
    assert html.count("<tr") == 1 + 1 + 1 + 20


def test_what_was_not_watched_says_so_and_problems_are_told() -> None:
    assert "The target: not measured" in fragments(story(reported.passed))["resources"]
    made = story(reported.passed)
    made.history.sampled(ResourceSample(at_ns=S, source="api", role="target", problem="no process <4711>"))
    html = fragments(made)["resources"]
    assert "The target: not measured" not in html
    assert "api: no process &lt;4711&gt; (1 times)" in html


def test_averages_and_peaks_stand_with_the_resources() -> None:
    html = fragments(story(reported.troubled))["resources"]
    rows = cells(html, "Averages and peaks")
    assert rows[0] == ["source", "figure", "average", "peak", "looks"]
    assert ["target", "cpu cores", "1.1 cores", "1.1 cores", "1"] in rows
    assert "<details><summary>Averages" not in html
    assert "Averages and peaks" not in fragments(story(reported.passed))["resources"]


def test_many_averages_and_peaks_are_folded_away() -> None:
    told = story(reported.troubled)
    (source,) = (each for name, each in told.summary.resources.items() if name == "target")
    many = {f"node {number}": source for number in range(9)}
    told = replace(told, summary=msgspec.structs.replace(told.summary, resources=many))
    html = fragments(told)["resources"]
    assert "<details><summary>Averages and peaks" in html
    assert any(row[0] == "node 8" for row in cells(html, "Averages and peaks"))


def test_what_the_marks_mean_stands_above_the_first_chart_over_time() -> None:
    html = fragments(story(reported.troubled))["connections"]
    assert html.index("▲ marks an alert") < html.index("<figure")
    assert '<p class="key">' not in fragments(story(reported.only_held))["connections"]


def test_nothing_a_stranger_wrote_becomes_markup() -> None:
    hostile = "</script><script>alert(1)</script>"
    record, summary = reported.troubled()
    header = msgspec.structs.replace(
        record.header, name=hostile, command=hostile, plan=[hostile], environment={hostile: hostile}
    )
    record = msgspec.structs.replace(
        record, header=header, events=(Event(at_ns=0, kind=hostile, text=hostile),)
    )
    summary = msgspec.structs.replace(
        summary,
        places=[msgspec.structs.replace(each, node=hostile) for each in summary.places],
        test_environment=hostile,
        close_codes={hostile: 1},
    )
    parts = fragments(Story(record=record, summary=summary, history=History.of(record)))
    assert all("<script>" not in part for part in parts.values())
    assert "</script>" not in parts["data"]


def test_pushes_and_misfits_are_told_where_there_are_any() -> None:
    fed, passed = (fragments(story(make))["messages"] for make in (reported.fed, reported.passed))
    assert "Pushed: received 1,234, 411 msg/s in hold; missing 3 in 2 gaps" in fed
    assert "negative 1" in fed
    assert "sequence missing 4" in fed
    assert "Pushed" not in passed
    fed, passed = (fragments(story(make)) for make in (reported.fed, reported.passed))
    assert "1,234 messages were pushed" in fed["verdict"]
    assert "delay of pushes, by their time stamp" in fed["latency"]
    assert "Delay of pushes" in fed["latency"]
    assert "Missing pushes" in fed["errors"]
    assert not any("Missing pushes" in part or "delay of pushes" in part for part in passed.values())


@every_run
def test_no_figure_has_more_than_three_digits_but_whole_ones_and_nines(make: Callable[[], Run]) -> None:
    made = story(make)
    parts = fragments(
        made, [name for name in ("verdict", *SECTIONS) if name not in ("environment", "phases")]
    )
    words = re.sub(r"<svg.*?</svg>|<[^>]*>", " ", " ".join(parts.values()), flags=re.DOTALL)
    figures = re.findall(r"(?<![\w.:])\d[\d,]*\.\d+(?![\w.]*[:.]\d)", words)
    long = [each for each in figures if len(each.replace(",", "").replace(".", "").strip("0")) > 3]
    assert [each for each in long if not each.startswith(("0.999", "99.9"))] == []
    assert figures or make.__name__ == "nothing"


def test_outages_stand_on_the_page_also_one_that_never_ended() -> None:
    record, summary = reported.passed()
    summary = msgspec.structs.replace(
        summary,
        reconnect=Percentiles(p50=120.0, p99=812.3, max=1234.5, count=15),
        outages=[
            Outage(start_s=2, within_s=1, dropped=9, reconnected=8, abandoned=1, back_s=1.2345, end_s=4),
            Outage(start_s=5, within_s=1, dropped=7, reconnected=7, back_s=0.5, end_s=6),
            Outage(start_s=8, within_s=1, dropped=6, connects_failed=12),
        ],
        outages_more=3,
    )
    html = fragments(Story(record=record, summary=summary, history=History.of(record)))["connections"]
    assert cells(html, "Outages")[1:] == [
        ["0:02–0:04", "9", "8", "1.23 s", "1", "0"],
        ["0:05–0:06", "7", "7", "500 ms", "0", "0"],
        ["from 0:08, not over", "6", "0", "nobody came back", "0", "12"],
    ]
    assert html.count("<tr class=failed>") == 2
    assert "3 more are in the record" in html
    assert html.index("an outage, from its first drop") < html.index("<figure")
    assert "outage from 0:08, not over: 6 connections dropped" in html
    (times,) = cells(html, "Until connected again")[1:]
    assert times[0] == "without a connection, from a drop"
    assert times[1] == "120 ms"
    assert times[-1] == "15"


def test_a_run_without_drops_has_no_table_of_outages() -> None:
    html = fragments(story(reported.passed))["connections"]
    assert "Outages" not in html
    assert "Until connected again" not in html


def test_types_that_are_not_shown_are_counted() -> None:
    record, summary = reported.troubled()
    delivery, latency = summary.delivery_by_type["message"], summary.latency_by_type["message"]
    names = [f"type {number}" for number in range(15)]
    summary = msgspec.structs.replace(
        summary,
        delivery_by_type=dict.fromkeys(names, delivery),
        latency_by_type=dict.fromkeys(names, latency),
    )
    parts = fragments(Story(record=record, summary=summary, history=History.of(record)))
    for section in ("messages", "latency"):
        assert "3 more message types are in summary.json" in parts[section]
    assert "more message types" not in fragments(story(reported.troubled))["messages"]


def test_what_faults_did_stands_with_the_delivery() -> None:
    told = story(reported.passed)
    assert "What the faults did" not in fragments(told, {"delivery"})["delivery"]
    found = Faults(reconciliation=Reconciliation(faults=[FaultAccount(name="resets", kind="reset")]))
    faulted = msgspec.structs.replace(told.summary, faults=found)
    html = fragments(replace(told, summary=faulted), {"delivery"})["delivery"]
    assert "What the faults did" in html
    assert "resets (reset): did nothing" in html
