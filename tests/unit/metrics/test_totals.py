"""The run added up: selections, phases, bounds of memory."""

from __future__ import annotations

import gc

import psutil
import pytest

from made_runs import S, a_run, connections, lost_worker, messages, phase, second, some_totals, times
from squall.metrics.totals import RECENT_SECONDS, Selection, Totals
from squall.record.snapshots import Event, WorkerSample


def test_messages_are_picked_by_type_phase_and_place() -> None:
    totals = some_totals(
        second(
            0,
            messages(10, type=0, phase=1, place=0),
            messages(20, type=1, phase=1, place=1),
            messages(40, type=1, phase=2, place=1),
        ),
        phases=[phase(1, "hold", "sustained", 0, 1), phase(2, "ramp_down", "ramp_down", 1, 2)],
    )

    def intended(**tags: str) -> int:
        return totals.messages(Selection(**tags)).intended  # type: ignore[arg-type]  # all tags are text

    assert intended() == 70
    assert intended(type="critical") == 60
    assert intended(phase="hold") == 30
    assert intended(phase="hold", type="critical") == 20
    assert intended(node="b") == 60
    assert intended(entry_point="ws://one") == 10
    assert intended(population="main") == 70
    assert intended(population="other") == intended(phase="idle") == 0


def test_a_type_is_found_by_name_in_every_population() -> None:
    totals = some_totals(
        second(0, messages(1, population=0, type=1), messages(2, population=1, type=0)),
        populations=["one", "two"],
        types=[["a", "b"], ["b"]],
    )
    assert totals.messages(Selection(type="b")).intended == 3
    assert totals.messages(Selection(type="b", population="two")).intended == 2


def test_connections_are_picked_like_messages() -> None:
    totals = some_totals(
        second(0, connections(3, place=0), connections(4, place=1), connections(5, phase=1)),
        phases=[phase(0, "ramp_up", "ramp_up", 0, 1)],
    )
    assert totals.connections().established == 12
    assert totals.connections(Selection(phase="ramp_up")).established == 7
    assert totals.connections(Selection(node="b")).established == 4


def test_levels_are_kept_by_phase() -> None:
    totals = a_run()
    assert totals.level().most == 10
    assert totals.level().last == 0
    assert totals.level(Selection(phase="hold")).least == 10
    assert totals.level(Selection(phase="hold")).length_ns == 5 * S


def test_lengths_are_those_of_the_phases_or_of_the_run() -> None:
    totals = a_run()
    assert totals.length_s() == 7.0
    assert totals.length_s(Selection(phase="hold")) == 5.0
    totals.note(phase(1, "hold", "sustained", 1, None))
    assert totals.length_s(Selection(phase="hold")) == 6.0


def test_sending_lasts_from_the_first_second_with_a_send_to_the_last() -> None:
    totals = a_run()
    assert (totals.sending_from_ns, totals.sending_to_ns) == (S, 6 * S)


def test_a_lost_worker_is_remembered() -> None:
    totals = a_run(**lost_worker(1))
    assert totals.workers_lost == {1}
    assert totals.events["worker_lost"] == 1
    assert totals.incomplete_seconds == 1
    assert not totals.events_complete


def test_a_killed_worker_leaves_events_incomplete_and_is_not_lost() -> None:
    totals = some_totals(second(0, events=[Event(at_ns=1, kind="killed", text="killed", worker=0)]))
    assert not totals.events_complete
    assert totals.workers_lost == set()


def test_the_worst_of_the_workers_is_kept() -> None:
    first = WorkerSample(worker=0, rss_bytes=5, loop_lag_max_ns=9, silence_ns=4, silence_start_ns=1)
    other = WorkerSample(worker=1, rss_bytes=7, loop_lag_max_ns=2, silence_ns=8, silence_start_ns=3)
    totals = some_totals(second(0, workers=[first, other]), second(1, workers=[first]))
    assert (totals.rss_max_bytes, totals.loop_lag_max_ns) == (12, 9)
    assert (totals.silence_max_ns, totals.silence_start_ns) == (8, 3)


def test_recent_seconds_are_figures_for_the_live_view() -> None:
    totals = a_run(messages(4, delivered=1, lost=1, unknown=2))
    last, first_of_hold = totals.recent[-1], totals.recent[1]
    assert (last.index, last.held, last.closed, last.response_p99_ns) == (6, 0, 10, None)
    assert (first_of_hold.sent, first_of_hold.delivered, first_of_hold.lost, first_of_hold.unknown) == (
        14,
        11,
        1,
        2,
    )
    assert first_of_hold.response_p50_ns == first_of_hold.response_max_ns == 20_000_000


@pytest.mark.parametrize(("acknowledged", "seconds"), [({}, 1.0), ({"acks": "service"}, None)])
def test_a_fault_is_over_when_what_the_exchange_goes_by_is_back(
    acknowledged: dict[str, str], seconds: float | None
) -> None:
    """Behind the fault all is delivered, and of the population that is acknowledged nothing is."""
    totals = Totals(["echo", "acks"], [["message"], ["message"]], acknowledged=acknowledged)
    totals.note(phase(1, "hold", "sustained", 0, 10))
    totals.happened(Event(at_ns=5 * S, kind="fault", text="", name="hole", figure=1.0))
    totals.happened(Event(at_ns=6 * S, kind="fault_healed", text="", name="hole"))
    for index in range(10):
        done = 0 if index == 5 else 50
        both = [messages(done, population=number, response_ms=[10.0] * done) for number in (0, 1)]
        acks = messages(0, population=1, acknowledged=50 if index < 5 else 0)
        totals.add(second(index, *both, acks))
    (recovery,) = totals.recoveries.all
    assert (recovery.rate_before, recovery.seconds) == (100, seconds)


def test_peaks_and_lags_are_kept_by_phase() -> None:
    totals = some_totals(
        second(0, messages(3, phase=0, response_ms=[300] * 3, lag_ms=[8] * 3)),
        second(1, messages(3, phase=1, response_ms=[20] * 3, lag_ms=[1] * 3)),
        second(2, messages(0, phase=1)),
        phases=[phase(0, "ramp_up", "ramp_up", 0, 1), phase(1, "hold", "sustained", 1, 3)],
    )
    assert totals.peak_ns() == 300_000_000
    assert totals.peak_ns(Selection(phase="hold")) == 20_000_000
    assert totals.peak_ns(Selection(phase="idle")) is None
    assert totals.second_lags().count == 2
    assert totals.second_lags(Selection(phase="hold")).max_ns == 1_000_000


@pytest.mark.slow
@pytest.mark.timeout(600)  # from the sources, on a busy machine
def test_a_day_of_seconds_takes_no_more_memory_than_an_hour() -> None:
    cell = messages(100, response_ms=[1.0 + step / 50 for step in range(100)], lag_ms=[0.1] * 100)
    connection = connections(phase=1, messages_received=100, ping=times(1, 2, 3))
    totals = Totals(["main"], [["message"]])
    totals.note(phase(1, "hold", "sustained", 0, None))
    process = psutil.Process()
    resident = []
    for index in range(86_400):
        totals.add(second(index, cell, connection))
        if index in (3_599, 86_399):
            gc.collect()
            resident.append(process.memory_info().rss)
    assert totals.messages().delivered == totals.messages().response.count == 8_640_000
    assert totals.length_s() == 86_400
    assert len(totals.recent) == RECENT_SECONDS
    # Fifty bytes kept of each further second would be 4 MB.
    assert resident[1] - resident[0] < 4_000_000
