"""Ctrl-C, sent to a real run in each of its phases: it ends in order with 105, keeps what there is, leaves nothing behind.

Each moment is told by the record, which the run writes while it lasts. What is interrupted would go on for long, so that
it does not matter how busy the machine is.
"""

from __future__ import annotations

import errno
import os
import select
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from squall.errors import StoreError
from squall.record.run import RunRecord
from squall.record.snapshots import Interval
from squall.store.reader import open_run
from squall.testing import serve
from squall_run import Ran, Running, start_squall

CONNECTIONS = 30
LONG = "10m"
WAIT_S = 40.0
HELD_UP_S = 4.0
"""How late the answers come where a run is to be met in its drain."""

Shows = Callable[[RunRecord], bool]


def scenario(url: str, **load: Any) -> dict[str, Any]:
    """Thirty connections of ten messages a second, all at once and for long, but for what `load` says."""
    return {
        "target": url,
        "load": {"connections": CONNECTIONS, "ramp_up": "200ms", "hold": LONG, "ramp_down": "0s", **load},
        "traffic": {"rate": "10/s"},
        "engine": {"workers": 2},
        "delivery": {"drain_timeout": "1m"},
    }


# --- when ---


def wait_until(happened: Callable[[], bool], running: Running) -> None:
    deadline = time.monotonic() + WAIT_S
    while not happened():
        assert time.monotonic() < deadline, "it never came to that"
        if running.process.poll() is not None:
            pytest.fail(f"the run has ended: {running.wait()}")
        select.select([], [], [], 0.02)


def wait_for(running: Running, shows: Shows) -> list[psutil.Process]:
    """Until the record shows it; the run's processes by then."""

    def happened() -> bool:
        try:
            return shows(open_run(running.folder))
        except StoreError:  # not begun yet
            return False

    wait_until(happened, running)
    process = psutil.Process(running.process.pid)
    return [process, *process.children(recursive=True)]


def in_phase(record: RunRecord, name: str) -> bool:
    return bool(record.phases) and record.phases[-1].name == name


def is_stopping(record: RunRecord) -> bool:
    return any(event.kind == "stop" for event in record.events)


def last(record: RunRecord) -> Interval | None:
    """The last second so far."""
    return max(record.intervals, key=lambda each: each.index, default=None)


def are_held(record: RunRecord, least: int = CONNECTIONS) -> bool:
    second = last(record)
    return second is not None and second.held >= least


def some_have_left(record: RunRecord) -> bool:
    second = last(record)
    return in_phase(record, "ramp_down") and second is not None and 0 < second.held < CONNECTIONS


MOMENTS: dict[str, tuple[str, dict[str, Any], Shows]] = {
    "first second": ("ramp_up", {"ramp_up": "20s"}, lambda record: in_phase(record, "ramp_up")),
    "ramp up": ("ramp_up", {"ramp_up": "20s"}, lambda record: are_held(record, 2)),
    "warm-up": (
        "warm_up",
        {"warm_up": "9m"},
        lambda record: in_phase(record, "warm_up") and are_held(record),
    ),
    "hold": ("hold", {}, lambda record: in_phase(record, "hold") and are_held(record)),
    "ramp down": ("ramp_down", {"hold": "1s", "ramp_down": "20s"}, some_have_left),
}
"""By name: the phase that the run ends in, its load, and what the record shows then."""


# --- what then ---


def kept(ran: Ran, processes: list[psutil.Process], phase: str) -> RunRecord:
    """The record, which is whole and says what the summary says; and neither process, socket nor half a file is left."""
    assert ran.code == 105, ran.stdout + ran.stderr
    assert "stopped by: interrupted" in ran.stdout
    assert "Traceback" not in ran.stderr
    ran.assert_adds_up()
    record = open_run(ran.folder)
    assert record.complete
    assert record.verdict is not None
    assert record.verdict.exit_code == 105
    assert record.phases[-1].name == phase
    seconds = list(record.intervals)
    assert sum(each.delivered for second in seconds for each in second.messages) == ran.delivery["delivered"]
    assert sum(each.closed for second in seconds for each in second.connections) == ran.connections["closed"]
    assert ran.connections["open"] == 0
    assert_nothing_left(ran, processes)
    return record


def assert_nothing_left(ran: Ran, processes: list[psutil.Process]) -> None:
    assert psutil.wait_procs(processes, timeout=10)[1] == []
    [target] = open_run(ran.folder).header.scenario["target"]["url"]
    port = int(target.rstrip("/").rsplit(":", 1)[1])
    of_processes = {psutil.CONN_ESTABLISHED, psutil.CONN_SYN_SENT, psutil.CONN_CLOSE_WAIT}
    connected = [each for each in psutil.net_connections("tcp") if each.raddr and each.raddr.port == port]
    assert [each for each in connected if each.status in of_processes] == []
    names = {each.name for each in ran.folder.iterdir()}
    assert {"record.log", "run.json", "summary.json", "summary.md", "report.html", "timeseries.csv"} <= names
    assert not {each for each in names if each.startswith(".") or each == "reserve"}


@pytest.mark.parametrize("moment", MOMENTS)
def test_once_it_ends_in_order_and_keeps_the_results(moment: str, service_url: str, tmp_path: Path) -> None:
    phase, load, shows = MOMENTS[moment]
    with start_squall(scenario(service_url, **load), tmp_path) as running:
        processes = wait_for(running, shows)
        running.interrupt()
        ran = running.wait()
    kept(ran, processes, phase)
    assert ran.delivery["delivered"] == ran.delivery["intended"]
    assert ran.connections["closed"] == ran.connections["established"]
    if moment != "first second":
        assert ran.delivery["delivered"] > 0


def test_while_nothing_answers_it_does_not_wait_for_the_target(tmp_path: Path) -> None:
    """A service that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=CONNECTIONS) as silent:
        asked = scenario(f"ws://127.0.0.1:{silent.getsockname()[1]}/")
        asked["target"] = {"url": asked["target"], "connect_timeout": "2m"}
        with start_squall(asked, tmp_path) as running:
            processes = wait_for(running, lambda record: has_pending(last(record)))
            running.interrupt()
            ran = running.wait()
        kept(ran, processes, "ramp_up")
    held = ran.connections
    assert held["established"] == 0
    assert held["attempted"] == held["failed"] + held["pending"] == CONNECTIONS
    assert ran.delivery["intended"] == 0


def has_pending(second: Interval | None) -> bool:
    return second is not None and sum(worker.pending for worker in second.workers) == CONNECTIONS


# --- the hold is over, and the answers have not come ---


def drains(record: RunRecord) -> bool:
    second = last(record)
    return in_phase(record, "ramp_down") and second is not None and second.at_ns > record.phases[-1].start_ns


def test_once_in_the_drain_what_is_out_is_waited_for(tmp_path: Path) -> None:
    with serve(bugs=[f"delay:1:{HELD_UP_S}"]) as service:
        with start_squall(scenario(service.url, hold="500ms"), tmp_path) as running:
            processes = wait_for(running, drains)
            running.interrupt()
            ran = running.wait()
        record = kept(ran, processes, "ramp_down")
    [stop] = [event for event in record.events if event.kind == "stop"]
    after = [second for second in record.intervals if second.at_ns > stop.at_ns]
    assert sum(each.delivered for second in after for each in second.messages) > 0
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0


def test_twice_in_the_drain_what_is_out_is_given_up_at_once(tmp_path: Path) -> None:
    """Nothing would come for a minute, and so long the drain would last."""
    with serve(bugs=["delay:1:60"]) as service:
        with start_squall(scenario(service.url, hold="500ms"), tmp_path) as running:
            processes = wait_for(running, drains)
            running.interrupt()
            wait_for(running, is_stopping)  # two signals that wait to be taken would be one
            running.interrupt()
            ran = running.wait(30)
        kept(ran, processes, "ramp_down")
    assert ran.delivery["unknown"] == ran.delivery["sent"] > 0
    assert ran.connections["dropped"] == CONNECTIONS


# --- all is over, and the reports are written ---


class Held:
    """Holds a run up where it reads what it has recorded, to write its reports of it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "run.json"
        self._content = self._file.read_bytes()
        os.mkfifo(folder.parent / "pipe")
        (folder.parent / "pipe").replace(self._file)
        self._pipe = -1

    def has_come(self) -> bool:
        try:
            self._pipe = os.open(self._file, os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody reads it
                raise
            return False
        return True

    def go_on(self) -> None:
        other = self._file.parent.parent / "other"
        other.write_bytes(self._content)
        other.replace(self._file)
        os.write(self._pipe, self._content)
        os.close(self._pipe)


@pytest.mark.parametrize("before", [True, False], ids=["again", "first"])
def test_while_the_reports_are_written_they_are_written_whole(
    before: bool, service_url: str, tmp_path: Path
) -> None:
    """A run that was over by its plan has its verdict, which no Ctrl-C changes any more."""
    with start_squall(scenario(service_url, hold=LONG if before else "1s"), tmp_path) as running:
        processes = wait_for(running, MOMENTS["hold" if before else "first second"][2])
        held = Held(running.folder)
        if before:
            running.interrupt()
        wait_until(held.has_come, running)
        running.interrupt()
        held.go_on()
        ran = running.wait()
    if before:
        kept(ran, processes, "hold")
    else:
        assert ran.summary is not None
        assert ran.code == ran.summary["verdict"]["exit_code"]
        assert ran.code in {0, 110}
        assert_nothing_left(ran, processes)
    assert ran.delivery["delivered"] == ran.delivery["intended"] > 0
