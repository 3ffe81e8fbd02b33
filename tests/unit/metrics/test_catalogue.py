"""The catalogue: each metric is found, readable and described."""

from __future__ import annotations

import math

import pytest

from made_runs import S, a_run, connections, messages, second, some_totals, times
from squall.metrics.catalogue import CATALOGUE, METRICS, table
from squall.metrics.distribution import Distribution
from squall.metrics.metric import Between, Metric, PerSecond, Share
from squall.metrics.ordering import CAUSAL_PAIRS_MIN
from squall.metrics.resources import Highest
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.metrics.windows import Level
from squall.record.outcomes import Trouble
from squall.record.reconciliation import Reconciliation
from squall.record.resources import FIGURES, ResourceSample, Role

READINGS = {
    "trend": Distribution,
    "counter": int | Between,
    "rate": Share | PerSecond,
    "gauge": Level | Highest,
    "mean": Share,
}
ROLES: tuple[Role, ...] = ("target", "generator", "host")


def a_watched_run() -> Totals:
    totals = a_run(
        connections(0, pushed=1, push_sequenced=1),
        messages(0, causal_pairs=CAUSAL_PAIRS_MIN, acknowledged=1, retried=1),
    )
    totals.reconciliation = Reconciliation(delayed=10)
    for role in ROLES:
        totals.sampled(
            ResourceSample(
                at_ns=3 * S, source=role, role=role, custom={"queue": 1.0}, **dict.fromkeys(FIGURES, 1)
            )
        )
    return totals


def test_names_are_unique() -> None:
    assert len(CATALOGUE) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_a_metric_reads_what_its_kind_says(metric: Metric) -> None:
    selection = Selection(figure="queue") if metric.needs else EVERYTHING
    assert isinstance(metric.read(a_watched_run(), selection), READINGS[metric.kind])


@pytest.mark.parametrize(
    "metric", [each for each in METRICS if each.name.startswith(ROLES)], ids=lambda each: each.name
)
def test_a_metric_of_a_machine_that_was_not_watched_is_not_measured(metric: Metric) -> None:
    assert metric.read(a_run(), EVERYTHING) is None


def test_what_is_missing_of_a_push_is_not_measured_where_no_message_carried_a_number() -> None:
    names = ["ws_pushes_missing", "ws_push_gaps", "ws_pushes_duplicated", "ws_pushes_reordered"]
    without, some = a_run(connections(0, pushed=5)), a_run(connections(0, pushed=5, push_sequenced=4))
    assert [CATALOGUE[name].read(without, EVERYTHING) for name in names] == [None] * 4
    assert [CATALOGUE[name].read(some, EVERYTHING) for name in names] == [0] * 4
    assert CATALOGUE["ws_pushes"].read(without, EVERYTHING) == 5


def test_misfits_are_told_apart_by_their_kind() -> None:
    read = CATALOGUE["ws_misfits"].read
    totals = a_run(connections(0, misfits={"not_json": 2}), connections(0, misfits={"not_json": 1, "x": 4}))
    assert (read(totals, EVERYTHING), read(totals, Selection(kind="not_json"))) == (7, 3)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_tag_of_a_metric_is_a_way_to_select(metric: Metric) -> None:
    assert set(metric.tags) <= set(Selection.__slots__)


def test_k6_names_are_kept() -> None:
    assert {
        "ws_connecting",
        "ws_sessions",
        "ws_session_duration",
        "ws_msgs_sent",
        "ws_msgs_received",
        "ws_ping",
        "data_sent",
        "data_received",
    } <= CATALOGUE.keys()


def test_delivery_success_is_read_as_an_interval() -> None:
    totals = some_totals(second(0, messages(10, delivered=7, lost=1, unknown=2)))
    assert CATALOGUE["ws_delivery_success"].read(totals, EVERYTHING) == Share(7, 9, 10)


def test_acknowledged_and_lost_is_for_a_receiver_to_see_and_late_acknowledgements_are_not() -> None:
    lost, late = (CATALOGUE[f"ws_msgs_acknowledged_{which}"] for which in ("lost", "late"))
    totals = a_run(messages(5, acknowledged=5, acknowledged_lost=2, acknowledged_late=1))
    assert (lost.by_receiver, late.by_receiver) == (True, False)
    assert (lost.read(totals, EVERYTHING), late.read(totals, EVERYTHING)) == (2, 1)


def test_first_tries_and_retries_have_their_times_apart() -> None:
    totals = some_totals(second(0, messages(3, ack=times(1, 2, 30), ack_retried=times(30))))
    first, retried = (
        CATALOGUE[f"ws_ack_time_{which}"].read(totals, EVERYTHING) for which in ("first", "retried")
    )
    assert isinstance(first, Distribution)
    assert isinstance(retried, Distribution)
    assert (first.count, first.sum_ns, retried.count, retried.max_ns) == (2, 3_000_000, 1, 30_000_000)


def test_retry_success_is_known_where_nothing_could_be_retried() -> None:
    totals = some_totals(second(0, messages(3, delivered=1, acknowledged=1, gave_up=2, lost=2)))
    assert CATALOGUE["ws_retry_success"].read(totals, EVERYTHING) == Share(0, 0, 0)


def test_errors_and_close_codes_are_counted_by_their_tags() -> None:
    refused, reset = Trouble("connect", "refused", "target"), Trouble("open", "reset", "network")
    totals = some_totals(
        second(0, connections(1, troubles=[(refused, 3), (reset, 2)], close_codes={1000: 4, 1006: 5}))
    )
    errors, codes = CATALOGUE["ws_errors"], CATALOGUE["ws_close_code"]
    assert errors.read(totals, EVERYTHING) == 5
    assert errors.read(totals, Selection(blame="target")) == 3
    assert errors.read(totals, Selection(step="open", kind="reset")) == 2
    assert errors.read(totals, Selection(step="open", kind="refused")) == 0
    assert codes.read(totals, EVERYTHING) == 9
    assert codes.read(totals, Selection(code=1006)) == 5


def test_the_table_has_every_metric_in_a_row() -> None:
    rows = table().splitlines()
    assert len(rows) == 2 + len(METRICS)
    assert all(f"`{metric.name}`" in row for metric, row in zip(METRICS, rows[2:], strict=True))


def test_a_figure_of_the_users_own_is_read_by_its_name() -> None:
    totals = a_run()
    totals.sampled(ResourceSample(at_ns=3 * S, source="a", role="target", custom={"queue": 7.0}))
    metric = CATALOGUE["target_figure"]
    found = metric.read(totals, Selection(figure="queue"))
    assert isinstance(found, Highest)
    assert found.most == 7.0
    assert metric.read(totals, Selection(figure="other")) is None
    assert metric.read(totals, Selection(figure="queue", source="b")) is None


def test_a_damaged_header_counts_against_the_checksums_of_all_and_of_no_type() -> None:
    read = CATALOGUE["ws_checksum_success"].read
    totals = a_run(messages(0, corrupted_body=2, duplicated=3), connections(0, corrupted_header=4))
    assert read(totals, EVERYTHING) == Share(53, 53, 59)
    assert read(totals, Selection(type="message")) == Share(53, 53, 55)
    assert read(totals, Selection(type="critical")) == Share(0, 0, 0)


def test_order_is_of_what_arrived_by_all_numbers_or_by_those_of_the_type() -> None:
    totals = a_run(messages(0, reordered=5, reordered_in_type=1))
    figures = {
        name: CATALOGUE[name].read(totals, EVERYTHING)
        for name in ("ws_ordering_accuracy", "ws_order_in_type", "ws_out_of_order_rate")
    }
    assert figures == {
        "ws_ordering_accuracy": Share(45, 45, 50),
        "ws_order_in_type": Share(49, 49, 50),
        "ws_out_of_order_rate": Share(5, 5, 50),
    }


def test_an_ordering_latency_that_is_known_in_part_has_no_upper_end() -> None:
    read = CATALOGUE["ws_ordering_latency"].read
    waited = {"order_waited": 2, "order_wait_ns_sum": 30_000_000}
    assert read(a_run(messages(0, **waited)), EVERYTHING) == Share(30, 30, 50)
    some = read(a_run(messages(0, order_wait_unmeasured=1, **waited)), EVERYTHING)
    assert some == Share(30, math.inf, 50)


def test_causality_says_nothing_over_too_few_pairs() -> None:
    read = CATALOGUE["ws_causal_violations"].read
    pairs = {"causal_violations": 3, "causal_pairs": CAUSAL_PAIRS_MIN}
    assert read(a_run(messages(0, **pairs)), EVERYTHING) == 3
    assert read(a_run(messages(0, **(pairs | {"causal_pairs": 999}))), EVERYTHING) is None


def test_acknowledgements_are_shares_of_what_was_sent_and_of_what_needed_a_retry() -> None:
    acks, retries = CATALOGUE["ws_ack_success"].read, CATALOGUE["ws_retry_success"].read
    counts = {"acknowledged": 45, "retried": 10, "retry_acknowledged": 6, "gave_up": 1}
    totals = a_run(messages(3, delivered=0, unknown=3, **counts))
    assert acks(totals, EVERYTHING) == Share(45, 48, 53)
    assert retries(totals, EVERYTHING) == Share(6, 9, 10)
    assert acks(a_run(), EVERYTHING) is None  # nothing waits for an acknowledgement
    never = a_run(messages(0, retried=3, gave_up=3))
    assert acks(never, EVERYTHING) == Share(0, 0, 50)


def test_how_faults_were_borne_is_a_share_of_what_they_struck() -> None:
    delays, silences = (
        CATALOGUE["ws_server_delay_handling"].read,
        CATALOGUE["ws_client_timeout_handling"].read,
    )
    totals = a_run(messages(0, ack_duplicates=3), connections(0, silenced=4, silence_handled=3))
    totals.reconciliation = Reconciliation(delayed=50, delayed_lost=2)
    # Three second answers may have been of three delayed messages, or of none.
    assert delays(totals, EVERYTHING) == Share(45, 48, 50)
    assert silences(totals, EVERYTHING) == Share(3, 3, 4)
    assert delays(a_run(), EVERYTHING) is None
    assert silences(a_run(), EVERYTHING) == Share(0, 0, 0)


def test_what_is_unknown_may_turn_out_to_be_a_gap() -> None:
    totals = a_run(messages(9, delivered=2, lost=4, unknown=3, gaps=1, messages_in_gaps=4))
    assert CATALOGUE["ws_sequence_gaps"].read(totals, EVERYTHING) == Between(1, 4)
    assert CATALOGUE["ws_msgs_in_gaps"].read(totals, EVERYTHING) == Between(4, 7)


def test_the_share_of_right_stamps_is_of_those_that_were_judged() -> None:
    totals = a_run(messages(9, timestamps_judged=8, timestamps_wrong=2))
    assert CATALOGUE["ws_timestamp_success"].read(totals, EVERYTHING) == Share(6, 6, 8)
