"""A whole run of squall against the bundled service in one process, on virtual time: no sockets, no waiting.

Production code from the scenario to the summary, and from the service's connections to its answers; of paper are the
clock, the network between them (`simulated_network`), and how a connection is opened. Needs the sources of the hot path:
compiled, a session takes a real transport only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from controls.simulated_network import LATENCY_NS, Link, record_of
from controls.virtual_time import VirtualLoop
from controls.wire_log import Record
from squall.engine import setup as setup_module
from squall.engine import worker as worker_module
from squall.engine.connector import ConnectFailed
from squall.engine.timer import LoopTimer
from squall.fleet.inline import InlineFleet
from squall.record.outcomes import Trouble
from squall.reference.bugs import Strikes, find, parse_bug
from squall.reference.connection import Connection
from squall.reference.counters import Tally
from squall.reference.paths import Paths
from squall.reference.priorities import PriorityEcho
from squall.runner import active as active_module
from squall.runner.run import run_scenario
from squall.scenario.loader import load_scenario
from squall.testing import Run, read_run

__all__ = ["Simulated", "simulate"]


@dataclass(frozen=True)
class Simulated:
    """A run that is over, and the log of the service that it was held against."""

    run: Run
    log: list[Record]
    exit_code: int
    start_ns: int
    """The run's start, on the clock of the log."""
    refused: int
    """Upgrades that the service refused: its log has connections only."""


class SimulatedService:
    """One node of the bundled service, without its process and its sockets."""

    def __init__(self, loop: VirtualLoop, bugs: Sequence[str], seed: int) -> None:
        self._loop = loop
        self._tally = Tally()
        self._held: set[Connection] = set()
        strikes = [Strikes(parse_bug(each), seed) for each in bugs]
        self._paths = Paths(self._tally, strikes, loop, seed)
        self._refusals = find("refuse", strikes)
        self._connections = 0
        self.start_ns = 0
        self.refused = 0
        self.log: list[Record] = []

    def admit(self, path: str, session: Any) -> bool:
        """Open a connection; False where it is refused."""
        if self._refusals is not None and self._refusals.next():
            self.refused += 1
            return False
        self._connections += 1
        bare, _, query = path.partition("?")
        link = Link(self._loop, self._connections, bare, self._note)
        behaviour = self._paths.behaviour(bare, query)
        link.open(session, Connection(self._loop, behaviour, self._tally, self._held))
        return True

    def _note(self, what: str, conn: int, op: str, payload: bytes, **more: Any) -> None:
        self.log.append(record_of(len(self.log) + 1, self._loop.now_ns(), what, conn, op, payload, **more))


class SimulatedConnector:
    """In place of `squall.engine.connector.Connector`."""

    service: SimulatedService

    def __init__(self, *_: object) -> None:
        self.start_ns = 0

    async def connect(self, attempt: Any) -> Any:
        loop = asyncio.get_running_loop()
        self.service.start_ns = self.start_ns
        attempt.begun_ns = loop.now_ns() - self.start_ns
        await asyncio.sleep(2 * LATENCY_NS / 1e9)
        attempt.tcp_ns = attempt.secured_ns = loop.now_ns() - self.start_ns
        await asyncio.sleep(2 * LATENCY_NS / 1e9)
        if not self.service.admit(attempt.resource, attempt.session):
            raise ConnectFailed(Trouble("upgrade", "status_503", "target"))
        return attempt.session.transport


RUN_NUMBER = 0x5EED
"""It stands in each envelope, and the service draws its pauses by that."""
NO_REPORTS = {"csv": False, "markdown": False, "html": False}
GC = SimpleNamespace(**dict.fromkeys(("collect", "freeze", "disable", "enable"), lambda *_: None))
"""A worker freezes the heap of its process; here that is the one of all tests."""


@contextmanager
def paper_world(loop: VirtualLoop) -> Iterator[type[SimulatedConnector]]:
    """Production code finds the loop's clock, its timers, and a connector that is told its service."""

    class ConnectorOf(SimulatedConnector):
        pass

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "monotonic_ns", loop.now_ns)
        # Its clock is the default of an argument, which was bound when the module was read.
        patch.setattr(PriorityEcho.__init__, "__defaults__", (loop.now_ns,))
        patch.setattr(worker_module, "make_timer", LoopTimer)
        patch.setattr(worker_module, "gc", GC)
        patch.setattr(setup_module, "Connector", ConnectorOf)
        patch.setattr(active_module, "make_samplers", lambda *_, **__: [])
        patch.setattr(active_module, "run_number_of", lambda *_: RUN_NUMBER)
        yield ConnectorOf


def simulate(
    scenario: Mapping[str, Any], folder: Path, bugs: Sequence[str] = (), *, seed: int = 0, workers: int = 1
) -> Simulated:
    """Carry out a run of a scenario, against a service with these bugs."""
    asked = load_scenario({**scenario, "outputs": {"out": str(folder), **NO_REPORTS}}).scenario
    loop = VirtualLoop()
    try:
        with paper_world(loop) as connector:
            service = connector.service = SimulatedService(loop, bugs, seed)
            running = run_scenario(asked, fleet=InlineFleet(workers), command="simulation")
            result = loop.run_until_complete(running)
    finally:
        loop.close()
    if result.error is not None:
        raise result.error
    return Simulated(
        read_run(result.folder), service.log, result.exit_code, service.start_ns, service.refused
    )
