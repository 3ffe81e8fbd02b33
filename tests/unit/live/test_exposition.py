"""What a scrape gets: by the format, under the catalogue's names, and equal to what the run's totals say."""

from __future__ import annotations

from typing import Any

import pytest

from exposition_reader import read_exposition
from made_runs import a_run, connections, messages, phase, second, some_totals
from squall.live import exposition as module
from squall.live.exposition import BOUNDS_NS, Exposed, exposition
from squall.metrics.catalogue import METRICS
from squall.metrics.metric import Share
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.run import RunHeader
from squall.record.verdicts import Verdict
from squall.scenario.models import Tracking


@pytest.fixture
def run() -> Totals:
    """Lost, refused, closed, dropped: something of everything."""
    refused = Trouble("upgrade", "status_403", "target")
    return a_run(
        messages(3, lost=1, delivered=2, duplicated=1, type=1, response_ms=[30, 700], lag_ms=[1, 2, 3]),
        connections(
            2,
            phase=1,
            attempted=4,
            failed=1,
            dropped=1,
            troubles=[(refused, 1)],
            close_codes={1006: 1, 1000: 2},
            bytes_sent=4096,
            pushed=2,
            push_sequenced=2,
        ),
    )


def test_it_keeps_to_the_format_and_has_every_metric_that_was_measured(
    run: Totals, header: RunHeader
) -> None:
    found = read_exposition(exposition(run, Exposed(header=header)))
    endings = {
        "trend": "_seconds",
        "counter": "_total",
        "rate": "_ratio",
        "gauge": "",
        "mean": "_mean_seconds",
    }
    kinds = {"trend": "histogram", "counter": "counter", "rate": "gauge", "gauge": "gauge", "mean": "gauge"}
    for metric in METRICS:
        name = f"squall_{metric.name}{endings[metric.kind]}"
        reading = metric.read(run, EVERYTHING)
        measured = getattr(reading, "of" if isinstance(reading, Share) else "count", 1)
        if (
            reading is not None and measured and metric.tags
        ):  # what has none follows from the others' counters
            assert found[name].kind == kinds[metric.kind], name
            assert found[name].about.lower().startswith(metric.about[:20].lower())
        else:
            assert name not in found


def test_the_figures_are_those_of_the_totals(run: Totals, header: RunHeader) -> None:
    found = read_exposition(exposition(run, Exposed(header=header)))
    whole, hold = run.messages(), run.messages(Selection(phase="hold", type="critical"))
    assert found["squall_ws_msgs_intended_total"].total() == whole.intended
    assert found["squall_ws_msgs_sent_total"].total(phase="hold", type="critical") == hold.sent == 3
    assert found["squall_ws_msgs_lost_total"].total() == whole.lost == 1
    assert found["squall_data_sent_total"].total() == 4096
    response = found["squall_ws_response_time_seconds"]
    assert response.total("_count") == whole.response.count
    assert response.total("_sum") == pytest.approx(whole.response.sum_ns / 1e9)
    assert response.total("_bucket", le="0.5", type="critical") == 1
    assert response.total("_bucket", le="1", type="critical") == 2
    assert found["squall_ws_errors_total"].samples == {
        (
            "squall_ws_errors_total",
            (
                ("population", "main"),
                ("phase", "hold"),
                ("step", "upgrade"),
                ("kind", "status_403"),
                ("blame", "target"),
            ),
        ): 1
    }
    assert found["squall_ws_close_code_total"].total(code="1000") == 2
    assert found["squall_ws_connections"].total() == run.recent[-1].held
    assert found["squall_phase_info"].total(phase="ramp_down", kind="ramp_down") == 1


def test_a_rate_has_both_ends_while_messages_wait(header: RunHeader) -> None:
    totals = some_totals(
        second(0, messages(10, phase=0, delivered=6, lost=1)), phases=[phase(0, "hold", "sustained", 0, None)]
    )
    success = read_exposition(exposition(totals, Exposed(header=header)))["squall_ws_delivery_success_ratio"]
    assert (success.total(end="least"), success.total(end="most")) == (0.6, 0.9)


def test_nothing_measured_is_not_there(header: RunHeader) -> None:
    found = read_exposition(exposition(some_totals(), Exposed(header=header)))
    assert set(found) == {"squall_run_info", "squall_run_time_seconds"}


def test_watched_machines_alerts_and_the_end_are_told_of(
    run: Totals, header: RunHeader, verdict: Verdict
) -> None:
    sample = ResourceSample(
        at_ns=5,
        source="node a",
        role="target",
        cpu_share=0.75,
        sent_bytes_hz=1000.0,
        tcp_states={"established": 7, "time_wait": 1},
        custom={'queue "x"\n': 3.5},
    )
    exposed = Exposed(
        header=header,
        resources={"node a": sample},
        overflows={("target", "node a"): 4},
        alerts={"cpu_usage": True, "memory_usage": False},
        verdict=verdict,
    )
    found = read_exposition(exposition(run, exposed))
    assert found["squall_target_cpu_share"].total(source="node a") == 0.75
    assert found["squall_target_sent_bytes_per_second"].total() == 1000
    assert found["squall_target_tcp_sockets"].total(state="established") == 7
    assert found["squall_target_custom"].total(name='queue "x"\n') == 3.5
    assert found["squall_target_accept_overflows_total"].kind == "counter"
    assert "squall_target_memory_share" not in found
    assert found["squall_alert"].total(name="cpu_usage") == 1
    assert found["squall_alert"].total(name="memory_usage") == 0
    assert found["squall_run_exit_code"].total(outcome="failed") == 99


def test_labels_are_bounded_and_sums_stay_right(header: RunHeader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PARTS_MAX", 4)
    names = [f"type {number}" for number in range(20)]
    cells: list[Any] = [messages(2, phase=0, type=number) for number in range(20)]
    totals = some_totals(second(0, *cells), phases=[phase(0, "hold", "sustained", 0, None)], types=[names])
    sent = read_exposition(exposition(totals, Exposed(header=header)))["squall_ws_msgs_sent_total"]
    assert len(sent.samples) == 5
    assert sent.total(type="_other") == 32
    assert sent.total() == 40


def test_the_bounds_are_round_and_go_up() -> None:
    assert [bound / 1e6 for bound in BOUNDS_NS[:4]] == [0.1, 0.2, 0.5, 1]
    assert BOUNDS_NS[-1] == 20 * 10**9
    assert list(BOUNDS_NS) == sorted(set(BOUNDS_NS))


def test_a_mean_is_in_seconds_and_what_is_not_tracked_is_left_out(header: RunHeader) -> None:
    run = a_run(messages(0, order_waited=2, order_wait_ns_sum=5_000_000_000))
    name = "squall_ws_ordering_latency_mean_seconds"
    found = read_exposition(exposition(run, Exposed(header=header)))
    assert found[name].total(end="least", phase="hold") == pytest.approx(5 / 50)
    run.tracking = Tracking(sequence_numbers=False)
    assert name not in read_exposition(exposition(run, Exposed(header=header)))


def test_what_only_a_receiver_sees_is_left_out_where_there_is_none(header: RunHeader) -> None:
    run = a_run(messages(0, duplicated=3))
    name = "squall_ws_msgs_duplicated_total"
    assert name in read_exposition(exposition(run, Exposed(header=header)))
    run.unseen = frozenset({"main"})
    assert name not in read_exposition(exposition(run, Exposed(header=header)))
