"""Sessions that come and go, and a service that is restarted under them: over real sockets, and with real processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from integration.runner.under_way import wait_until
from oracle.launch import lying_server
from squall.errors import ExitCode
from squall.fleet.inline import InlineFleet
from squall.live.base import LiveView
from squall.metrics.outages import OUTAGE
from squall.record.snapshots import Interval
from squall.store.reader import open_run
from squall_run import Ran, start_squall

RATE_MAX = 60.0
WORKERS = 2


@contextmanager
def served(port: int = 0) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The bundled service as a process, on a port of its own or on this one."""
    process = subprocess.Popen(
        [sys.executable, "-m", "squall.reference", "serve", "--port", str(port), "--stdin-lifeline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, int(json.loads(process.stdout.readline())["port"])
    finally:
        process.kill()
        process.communicate()


class Killer(LiveView):
    """Kills a process once so much of a run is over."""

    def __init__(self, process: subprocess.Popen[str], *, after_s: float) -> None:
        self.process, self.after_ns = process, after_s * 1e9

    def accept(self, interval: Interval) -> None:
        if interval.at_ns >= self.after_ns:
            self.process.kill()


def planned_share(result: Any) -> float:
    stability = result.summary.connections.stability
    assert stability is not None
    return float(stability)


def test_in_a_closed_model_the_same_sessions_come_again(make: Any, run: Any) -> None:
    result = run(
        make(
            {"hold": 2.5},
            sessions={"length": {"mean": 0.5, "distribution": "exponential"}, "think_time": 0.1},
            traffic={"rate": 20},
        ),
        fleet=InlineFleet(),
    )
    summary = result.summary
    delivery, connections = summary.delivery, summary.connections
    assert result.verdict.outcome in ("passed", "warning"), result.verdict.reasons
    assert delivery.intended == delivery.delivered
    # 40 sessions in circulation, each on a visit of 0.5 s each 0.6 s: in 3 s some 200 visits
    assert 120 < (connections.established or 0) < 300
    assert connections.established == connections.closed == connections.graceful
    assert (connections.dropped, connections.reconnected, connections.abandoned) == (0, 0, 0)
    assert summary.session_duration.count == connections.established
    hold = [each for each in open_run(result.folder).intervals if 1e9 < each.at_ns < 3e9]
    assert all(20 <= each.planned <= 40 for each in hold)  # 33 on average
    assert planned_share(result) > 0.9


def test_the_messages_of_each_visit_are_those_that_the_service_saw(
    make: Any, run: Any, tmp_path: Path
) -> None:
    """Numbers go on from visit to visit, and every loss is told apart from what never went out."""
    with lying_server(tmp_path / "log", "--seed", "3", "--lose", "0.02") as server:
        result = run(
            make(
                {"hold": 2},
                target={"url": server.url},
                sessions={"length": 0.8, "think_time": 0},
                traffic={"rate": 20},
                delivery={"drain_timeout": 0.5},
            ),
            fleet=InlineFleet(),
        )
        truth = server.truth()
    delivery, connections = result.summary.delivery, result.summary.connections
    assert (connections.established or 0) > 60
    assert delivery.sent == truth.total.received
    assert (delivery.delivered, delivery.lost, delivery.unknown) == (
        truth.total.delivered,
        truth.total.lost,
        0,
    )
    assert truth.total.lost > 5
    assert (delivery.duplicated, delivery.reordered, delivery.unexpected) == (0, 0, 0)
    assert truth.bad_checksums_in == 0


def test_in_an_open_model_new_ones_arrive_and_nobody_comes_again(make: Any, run: Any) -> None:
    scenario = make({"hold": 2.5}, sessions={"length": 0.4}, traffic={"rate": 10})
    load = scenario.load.model_copy(update={"arrivals": 50.0})
    load.model_fields_set.discard("connections")
    result = run(scenario.model_copy(update={"load": load}), fleet=InlineFleet())
    delivery, connections = result.summary.delivery, result.summary.connections
    assert delivery.intended == delivery.delivered
    # Half the rate in each ramp of 0.5 s, the whole rate in the hold.
    assert 145 <= (connections.established or 0) <= 152
    assert connections.established == connections.closed
    hold = [each.planned for each in open_run(result.folder).intervals if 1e9 < each.at_ns < 3e9]
    assert all(18 <= planned <= 22 for planned in hold)  # by Little's law 20


def reconnects_by_second(ran: Ran) -> list[tuple[int, int]]:
    """How many connects were tried and how many drops replaced, in each second of the record."""
    return [
        (sum(cell.attempted for cell in each.connections), sum(cell.reconnected for cell in each.connections))
        for each in open_run(ran.folder).intervals
    ]


def test_a_service_that_is_killed_and_started_again_is_survived_and_told(tmp_path: Path) -> None:
    connections = 90
    with served() as (process, port):
        scenario = {
            "target": {"url": f"ws://127.0.0.1:{port}/", "close_timeout": 2},
            "load": {
                "connections": connections,
                "ramp_up": {"kind": "linear", "duration": 0.5},
                "hold": 4,
                "ramp_down": {"kind": "linear", "duration": 0.5},
                "reconnect": {"after_drop": True, "backoff": "100ms", "rate_max": RATE_MAX},
            },
            "traffic": {"rate": 10},
            "delivery": {"drain_timeout": 1},
            "engine": {"workers": WORKERS},
        }
        with start_squall(scenario, tmp_path) as running:
            wait_until(
                running.folder, lambda seen: any(each.held >= connections for each in seen), "all are held"
            )
            process.kill()
            process.wait()
            with served(port):
                ran = running.wait()
    ran.assert_adds_up()
    delivery, held = ran.delivery, ran.connections
    assert (held["dropped"], held["reconnected"], held["abandoned"]) == (connections, connections, 0)
    assert delivery["unknown"] + delivery["not_sent"] > 0
    assert (delivery["lost"], delivery["duplicated"], delivery["unexpected"]) == (0, 0, 0)
    assert ran.code in (ExitCode.FAILED, ExitCode.UNKNOWN), ran.stdout
    tried = reconnects_by_second(ran)
    first = next(number for number, (_, again) in enumerate(tried) if again)
    assert all(attempts <= RATE_MAX + WORKERS for attempts, _ in tried[first:])
    assert ran.summary is not None
    [outage] = ran.summary["outages"]
    assert (outage["dropped"], outage["reconnected"], outage["abandoned"]) == (connections, connections, 0)
    assert outage["back_s"] * 1000 == pytest.approx(ran.summary["reconnect"]["max"])
    # A cap of 60 a second lets the last of 90 come after a second and a half at the earliest.
    assert 1.0 < outage["back_s"] < outage["end_s"] - outage["start_s"] + 0.1
    assert f"{connections} connections dropped within" in ran.stdout
    assert "all connected again, the last after" in ran.stdout
    assert f"of {connections} dropped {connections} connected again and 0 did not" in ran.stdout
    record = open_run(ran.folder)
    kinds = Counter(event.kind for event in record.events)
    assert kinds[OUTAGE] == 1
    assert kinds["drop"] <= WORKERS * 2 * 21  # a burst is told in short


def test_a_limit_of_tries_ends_them(make: Any, run: Any) -> None:
    """Once the service is gone, each session tries as often as the policy says, and not for ever."""
    with served() as (process, port):
        scenario = make(
            {
                "hold": 2,
                "reconnect": {"after_drop": True, "backoff": "5ms", "backoff_max": "10ms", "attempts_max": 3},
            },
            target={"url": f"ws://127.0.0.1:{port}/", "close_timeout": 1},
        )
        result = run(scenario, Killer(process, after_s=1.2), fleet=InlineFleet())
    connections = result.summary.connections
    assert (connections.established, connections.dropped, connections.reconnected) == (40, 40, 0)
    assert (connections.failed, connections.abandoned) == (3 * 40, 40)
    [outage] = result.summary.outages
    assert (outage.dropped, outage.abandoned, outage.back_s) == (40, 40, None)
    assert result.exit_code == ExitCode.FAILED
