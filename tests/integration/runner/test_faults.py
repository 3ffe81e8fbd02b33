"""Faults in whole runs, over real sockets and with real proxies: what was done, what was counted, what explains what.

The truth comes from the proxies' logs and the service's wire log, read here as plain JSON lines.
"""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from squall.errors import ExitCode
from squall.live.base import LiveView
from squall.record.reconciliation import Explanation
from squall.record.snapshots import Interval
from squall.runner.active import RunResult
from squall.runner.rereading import summary_of
from squall.runner.stopping import StopSwitch
from squall.scenario.models import Scenario
from squall.store.reader import open_run
from squall.testing.service import serve

Make = Callable[..., Scenario]
Run = Callable[..., RunResult]


def proxies() -> list[psutil.Process]:
    """The fault proxies that this process has started and that still run."""
    return [each for each in psutil.Process().children() if "squall.proxy" in each.cmdline()]


def deeds(folder: Path) -> Counter[str]:
    """How often the proxies did what to messages, by their logs."""
    found: Counter[str] = Counter()
    for log in folder.glob("faults-*.jsonl"):
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            if entry["sequence"] is not None:
                found[entry["what"]] += 1
    return found


def explained(result: RunResult, outcome: str) -> Explanation:
    found = result.summary.faults.reconciliation
    assert found is not None
    return next(each for each in found.outcomes if each.outcome == outcome)


def told(result: RunResult) -> list[tuple[str, str]]:
    return [
        (event.kind, event.name)
        for event in open_run(result.folder).events
        if event.kind in ("fault", "fault_healed")
    ]


def with_faults(make: Make, *faults: dict[str, Any], **rest: Any) -> Scenario:
    quick = {"engine": {"workers": 1}, "delivery": {"drain_timeout": 1.5}}
    return make(**quick | rest, faults=list(faults))


def test_a_clean_run_through_a_proxy_has_zero_of_everything(make: Make, run: Run) -> None:
    result = run(with_faults(make, {"kind": "swallow_pings"}))
    delivery = result.summary.delivery
    assert result.exit_code == ExitCode.PASSED, result.verdict
    assert delivery.sent == delivery.delivered == delivery.intended
    assert (delivery.sent or 0) > 300
    assert [delivery.lost, delivery.unknown, delivery.duplicated, delivery.reordered] == [0, 0, 0, 0]
    assert [each.total for each in result.summary.faults.reconciliation.outcomes] == [0] * 5  # type: ignore[union-attr] # there was a fault
    assert told(result) == [("fault", "swallow_pings"), ("fault_healed", "swallow_pings")]
    assert proxies() == []


def test_what_the_network_drops_is_lost_and_explained_to_the_last_message(make: Make, run: Run) -> None:
    result = run(
        with_faults(make, {"kind": "drop", "probability": 0.05, "direction": "up"}, traffic={"rate": 20})
    )
    dropped = deeds(result.folder)["dropped"]
    assert dropped > 20
    assert result.summary.delivery.lost == dropped
    lost = explained(result, "lost")
    assert (lost.explained, lost.possible, lost.unexplained) == (dropped, 0, 0)
    assert lost.by_fault == {"drop": dropped}
    assert summary_of(open_run(result.folder), result.folder).faults == result.summary.faults


def test_what_the_service_loses_beside_it_is_told_apart(make: Make, run: Run, tmp_path: Path) -> None:
    wire = tmp_path / "wire"
    with serve(bugs=["lose:9"], wire_log=str(wire)) as service:
        result = run(
            with_faults(
                make,
                {"kind": "drop", "probability": 0.05, "direction": "down"},
                {"kind": "stop_reading", "probability": 0.5, "pause": 0.5},
                target={"url": service.url, "close_timeout": 2},
            )
        )
    moved = Counter(
        json.loads(line)["what"]
        for log in wire.glob("*.jsonl")
        for line in log.read_text().splitlines()
        if json.loads(line).get("op") in ("binary", "text")
    )
    by_service = moved["in"] - moved["out"]
    lost = explained(result, "lost")
    assert by_service > 30
    assert (lost.explained, lost.unexplained) == (deeds(result.folder)["dropped"], by_service)
    assert result.summary.delivery.lost == lost.explained + lost.unexplained
    assert lost.basis == "number"
    found = result.summary.faults.reconciliation
    assert found is not None
    assert sum(end - first for each in found.unexplained for first, end in each.ranges) == by_service
    handling = result.summary.faults.client_timeout_handling
    assert handling is not None
    assert handling < 1


def test_of_what_is_sent_to_a_room_each_copy_that_is_missing_is_explained(
    make: Make, run: Run, service: str
) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "drop", "probability": 0.05},
            target={"url": f"{service}room", "close_timeout": 2},
            exchange={"kind": "room", "size": 4},
        )
    )
    lost = explained(result, "lost")
    assert lost.total == result.summary.delivery.lost
    assert (
        lost.total > deeds(result.folder)["dropped"] > 20
    )  # one dropped on its way up is missing three times
    assert (lost.explained, lost.unexplained) == (lost.total, 0)


def test_sessions_that_cut_are_the_testers_doing_and_their_unknown_is_explained(make: Make, run: Run) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "cut", "probability": 0.25},
            {"name": "slow", "kind": "latency", "delay": 0.1, "direction": "down"},
            load={"reconnect": {"after_drop": True, "backoff": 0.2}},
            traffic={"rate": 20},
        )
    )
    summary = result.summary
    assert [(each.kind, each.blame, each.count) for each in summary.errors] == [("cut", "tester", 10)]
    assert (summary.connections.dropped, summary.connections.reconnected) == (10, 10)
    assert summary.faults.struck == {"cut": 10}
    unknown = explained(result, "unknown")
    assert unknown.total == summary.delivery.unknown
    assert unknown.total >= 10  # 100 ms of 20 messages a second are on their way
    assert (unknown.explained, unknown.unexplained) == (unknown.total, 0)
    assert summary.not_sent.squall == summary.faults.not_sent
    assert summary.verdict.valid


def test_errors_that_the_proxy_made_are_told_from_those_that_the_service_made(make: Make, run: Run) -> None:
    with serve(bugs=["cut:100"]) as service:
        result = run(
            with_faults(
                make,
                {"kind": "reset", "probability": 0.3},
                {"kind": "close", "code": 1013, "probability": 0.01, "direction": "down"},
                target={"url": service.url, "close_timeout": 2},
                load={"reconnect": {"after_drop": True, "backoff": 0.2}},
            )
        )
    summary, account = result.summary, result.summary.faults.reconciliation
    assert account is not None
    ended = {what: times for each in account.faults for what, times in each.deeds.items()}
    assert min(ended["reset"], ended["closed"]) > 3
    errors: dict[str, tuple[int, int, int]] = {}
    for each in summary.errors:  # one kind may be met at several steps: a reset while it closed, too
        count, least, most = errors.get(each.kind, (0, 0, 0))
        errors[each.kind] = (count + each.count, least + each.by_faults, most + each.by_faults_most)
    by_service = sum(count - least for count, least, _ in errors.values())
    assert errors["reset"] == (ended["reset"],) * 3
    assert errors["closed_1013"] == (ended["closed"],) * 3
    assert errors["closed_without_frame"][1:] == (0, 0)
    assert by_service == errors["closed_without_frame"][0] > 3
    assert account.errors_by_faults == account.errors_by_faults_most == ended["reset"] + ended["closed"]
    assert summary_of(open_run(result.folder), result.folder).errors == summary.errors
    resets = next(each.count for each in summary.errors if (each.step, each.kind) == ("open", "reset"))
    assert f"open reset (squall's own faults) | {resets}" in (result.folder / "summary.md").read_text()


def test_silent_and_slow_sessions_lose_nothing_by_themselves(make: Make, run: Run) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "stop_reading", "probability": 0.2, "pause": 0.7},
            {"kind": "slow_frame", "probability": 0.2, "takes": 0.5, "pieces": 5},
        )
    )
    summary = result.summary
    assert result.exit_code == ExitCode.PASSED, result.verdict
    assert summary.delivery.delivered == summary.delivery.intended
    struck, missed = summary.faults.struck, summary.faults.missed
    assert [struck[name] + missed.get(name, 0) for name in ("stop_reading", "slow_frame")] == [8, 8]
    assert summary.faults.client_timeout_handling == 1.0
    assert summary.latency.response.max is not None
    assert (
        summary.latency.response.max > 400
    )  # what was answered meanwhile was read half a second later, or more


def test_what_the_network_holds_is_late_and_explained_to_the_last_message(make: Make, run: Run) -> None:
    types = [{"name": "quote", "max_latency": 0.6}]
    delay = {"kind": "delay", "probability": 0.05, "direction": "down", "delay": 0.9}
    result = run(
        with_faults(make, delay, traffic={"rate": 10, "types": types}, delivery={"drain_timeout": 3})
    )
    late, delayed = explained(result, "late"), deeds(result.folder)["delayed"]
    assert delayed > 10
    assert (late.basis, late.by_fault) == ("number", {"delay": delayed})
    assert late.total == delayed + late.unexplained  # a machine that is busy may be late, too
    found = result.summary.faults.reconciliation
    assert found is not None
    numbers = sum(end - first for each in found.unexplained_late for first, end in each.ranges)
    assert numbers == late.unexplained


def test_what_the_network_holds_on_its_way_to_a_room_is_late_for_each_member(
    make: Make, run: Run, service: str
) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "delay", "probability": 0.05, "direction": "up", "delay": 1.2},
            target={"url": f"{service}room", "close_timeout": 2},
            exchange={"kind": "room", "size": 4},
            traffic={"rate": 5, "types": [{"name": "quote", "max_latency": 0.8}]},
            delivery={"drain_timeout": 4},
        )
    )
    late, delayed = explained(result, "late"), deeds(result.folder)["delayed"]
    assert delayed > 3
    assert late.total > 2 * delayed
    assert (late.basis, late.possible) == ("count", 0)
    assert late.explained >= min(late.total, 3 * delayed)  # all but what a busy machine was late with


def test_a_copy_that_the_service_delivers_once_and_the_network_drops_is_explained(
    make: Make, run: Run, service: str
) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "drop", "probability": 0.1, "direction": "down"},
            target={"url": f"{service}ack/echo", "close_timeout": 2},
            exchange={"kind": "ack", "evidence": "receiver", "timeout": 0.4, "backoff": {"first": 0.05}},
            delivery={"drain_timeout": 5},
            traffic={"rate": 10},
        )
    )
    lost = explained(result, "lost")
    assert lost.total == result.summary.delivery.lost
    assert lost.total > 10
    assert (lost.by_fault, lost.unexplained) == ({"drop": lost.total}, 0)


@pytest.mark.parametrize(
    "exchange",
    [
        {"kind": "request", "send": {"id": "{id}"}, "reply": {"field": "ack"}},
        {"kind": "ack", "send": {"id": "{id}"}, "ack": {"field": "ack"}, "timeout": 0.5, "retries": 0},
    ],
    ids=lambda exchange: str(exchange["kind"]),
)
def test_of_a_service_in_its_own_language_what_the_network_drops_is_possible(
    make: Make, run: Run, service: str, exchange: dict[str, Any]
) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "drop", "probability": 0.05},
            target={"url": f"{service}ack", "close_timeout": 2},
            exchange=exchange,
            traffic={"rate": 10},
        )
    )
    lost, account = explained(result, "lost"), result.summary.faults.reconciliation
    assert account is not None
    assert lost.total == account.faults[0].deeds["dropped"] > 10
    assert (lost.explained, lost.possible, lost.unexplained) == (0, lost.total, 0)
    assert account.unexplained == []


def test_what_retries_bring_through_a_bad_network_is_not_lost(make: Make, run: Run, service: str) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "drop", "probability": 0.05},
            {"kind": "delay", "probability": 0.05, "direction": "down", "delay": 0.1},
            target={"url": f"{service}ack", "close_timeout": 2},
            exchange={"kind": "ack", "timeout": 0.4, "backoff": {"first": 0.05}},
            delivery={"drain_timeout": 5},
            traffic={"rate": 10},
        )
    )
    summary, done = result.summary, deeds(result.folder)
    assert done["dropped"] > 20
    assert done["delayed"] > 10
    assert summary.delivery.delivered == summary.delivery.sent
    assert summary.acknowledgements.retry_recovery.count > 10
    assert (summary.acknowledgements.retry_recovery.mean or 0) < 2000
    assert summary.faults.server_delay_handling == 1.0
    assert summary.faults.reconciliation is not None
    assert summary.faults.reconciliation.delayed == done["delayed"]


def test_sessions_that_stop_acknowledging_are_pushed_to_again(make: Make, run: Run, service: str) -> None:
    result = run(
        with_faults(
            make,
            {"kind": "stop_acknowledging", "probability": 0.25, "pause": 0.9},
            target={"url": f"{service}push/acked?timeout=300&retries=9", "close_timeout": 2},
            exchange={"kind": "acked_push", "timeout": 0.3, "retries": 9},
            traffic={"rate": 10},
        )
    )
    summary = result.summary
    assert summary.delivery.delivered == summary.delivery.sent
    assert (summary.acknowledgements.retries_sent or 0) >= 10
    assert summary.faults.struck == {"stop_acknowledging": 10}
    assert summary.faults.client_timeout_handling == 1.0


def test_a_window_opens_and_closes_and_what_it_held_back_comes_late(make: Make, run: Run) -> None:
    hole = {"name": "hole", "kind": "blackhole", "at": 4.6, "for": 1.2}
    result = run(with_faults(make, hole, load={"hold": 7, "connections": 20}))
    assert told(result) == [("fault", "hole"), ("fault_healed", "hole")]
    (recovery,) = result.summary.faults.recoveries
    assert recovery.name == "hole"
    assert recovery.rate_before == pytest.approx(100, rel=0.3)
    assert 0 < recovery.until_s - recovery.from_s < 3
    assert recovery.seconds is None or 0 < recovery.seconds < 3
    assert result.summary.delivery.delivered == result.summary.delivery.intended
    assert result.summary.latency.response.max is not None
    assert result.summary.latency.response.max > 500


class AfterSeconds(LiveView):
    """Does something once, when so many seconds have been reported."""

    def __init__(self, seconds: int, action: Callable[[], object]) -> None:
        self._left = seconds
        self._action = action

    def accept(self, interval: Interval) -> None:
        del interval
        self._left -= 1
        if self._left == 0:
            self._action()


def test_ctrl_c_heals_and_leaves_no_proxy(make: Make, run: Run) -> None:
    switch = StopSwitch()
    seen: list[int] = []

    def interrupt() -> None:
        seen.append(len(proxies()))
        switch.throw()

    scenario = with_faults(
        make, {"kind": "drop", "probability": 0.05}, {"kind": "blackhole", "at": 0}, load={"hold": 20}
    )
    result = run(scenario, AfterSeconds(3, interrupt), switch=switch)
    assert seen == [1]
    assert proxies() == []
    assert sorted(told(result)) == sorted(
        [(kind, name) for kind in ("fault", "fault_healed") for name in ("drop", "blackhole")]
    )
    assert result.exit_code == ExitCode.INTERRUPTED
    lost = explained(result, "lost")
    assert lost.unexplained == 0


def test_a_proxy_that_is_killed_ends_the_run_and_its_log_is_kept(make: Make, run: Run) -> None:
    def kill() -> None:
        (proxy,) = proxies()
        proxy.send_signal(signal.SIGKILL)

    scenario = with_faults(make, {"kind": "drop", "probability": 0.1}, load={"hold": 20})
    result = run(scenario, AfterSeconds(2, kill))
    assert result.exit_code == ExitCode.ENVIRONMENT
    assert "fault proxy" in result.verdict.stopped_by
    assert "signal 9" in result.verdict.stopped_by
    assert result.error is not None
    found = result.summary.faults.reconciliation
    assert found is not None
    assert any("fault proxy" in problem for problem in found.problems)
    assert found.faults[0].deeds["dropped"] == deeds(result.folder)["dropped"] > 0
    assert (result.summary.duration_s or 0) < 15
    assert open_run(result.folder).complete
