"""The faults of one run: its proxies, the windows, and at its end what they explain.

The rule: whatever ends the run, every fault is healed and no proxy is left. A run without faults pays nothing for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from squall.analysis.fault_deeds import FaultDeeds, Sending
from squall.analysis.reconcile import Ledger, Missing, reconcile
from squall.clock import Clock
from squall.engine.base import Route
from squall.engine.client_faults import strikes_of
from squall.engine.coordinator import Coordinator
from squall.errors import EnvironmentFailure, SquallError
from squall.faults.proxies import Proxies, proxies_for, read_log
from squall.faults.schedule import FaultSchedule
from squall.metrics.totals import Totals
from squall.record.reconciliation import Reconciliation
from squall.record.snapshots import Event
from squall.runner.plan import split_of
from squall.scenario.exchanges import Exchange
from squall.scenario.models import Scenario
from squall.scenario.run_faults import ClientFault, Cut, proxy_faults

__all__ = ["RunFaults"]

_SLOWING: Final = frozenset({"latency", "bandwidth", "slice", "blackhole", "stop_reading", "slow_frame"})
"""The kinds that make messages late without saying which."""


class RunFaults:
    """See the module. An async context manager, entered once the run has its folder.

    Args:
        scenario: what is run.
        folder: the run's; the proxies write their logs there.
        coordinator: of its workers.
        happened: told as a fault begins, and as it is over.
        clock: the coordinator's, by which the proxies tell the time too.
    """

    def __init__(
        self,
        scenario: Scenario,
        folder: Path,
        coordinator: Coordinator,
        happened: Callable[[Event], None],
        clock: Clock,
    ) -> None:
        self._scenario = scenario
        self._coordinator = coordinator
        self._clock = clock
        self._stack = AsyncExitStack()
        self._proxies: Proxies | None = None
        if proxy_faults(scenario.faults):
            self._proxies = Proxies(
                scenario.target,
                folder,
                each=proxies_for(scenario.level),
                seed=scenario.seed,
                lost=self._lost,
            )
        self._schedule: FaultSchedule | None = None
        self._happened = happened
        self._hold: tuple[int, int] | None = None
        self._logs: list[Path] = []
        self._problems: list[str] = []
        self.failure: SquallError | None = None
        """The first thing that went wrong with a fault, or with a proxy."""

    async def __aenter__(self) -> Self:
        if self._proxies is not None:
            await self._stack.enter_async_context(self._proxies)
            self._logs = self._proxies.logs
        self._schedule = FaultSchedule(
            self._scenario.faults,
            self._proxies,
            now_ns=self._coordinator.now_ns,
            wait_until=self._coordinator.wait_until,
            happened=self._happened,
            failed=self._failed,
        )
        await self._stack.enter_async_context(self._schedule)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def routes(self) -> tuple[Route, ...]:
        """By entry point, where sessions connect to instead; none without proxies."""
        return () if self._proxies is None else self._proxies.routes

    @property
    def is_hold_begun(self) -> bool:
        """Whether the windows have their times."""
        return self._hold is not None

    async def begin(self) -> None:
        """Let begin what is on for the whole run; before the first phase.

        Raises:
            EnvironmentFailure: it cannot.
        """
        if self._schedule is not None:
            await self._schedule.begin()

    def hold(self, from_ns: int, hold_ns: int) -> None:
        """The hold begins, and takes so long; only the first counts."""
        if self._hold is None and self._schedule is not None:
            self._hold = from_ns, hold_ns
            self._schedule.hold(from_ns, hold_ns)

    async def heal(self) -> None:
        """No worker is left: end every fault, and let go of the proxies."""
        if self._schedule is not None:
            await self._schedule.heal()
        await self._stack.aclose()

    async def reconciled(self, totals: Totals) -> Reconciliation | None:
        """What the faults did, held against what was counted; None without faults. To be asked once all is healed."""
        if not self._scenario.faults:
            return None
        return await asyncio.to_thread(self._reconcile, totals)

    def _reconcile(self, totals: Totals) -> Reconciliation:
        start_ns = self._clock.monotonic_ns() - self._coordinator.now_ns()
        deeds = FaultDeeds(_receivers(self._scenario), start_ns)
        problems = [*self._problems, *(self._proxies.problems if self._proxies is not None else ())]
        for number, log in enumerate(self._logs):
            try:
                for entry in read_log(log):
                    deeds.add(entry, number)
            except EnvironmentFailure as error:
                problems.append(error.message)
        if totals.workers_lost:
            problems.append("a worker died: where its connections and its messages went is not known")
        connections = totals.connections()
        for fault in self._scenario.faults:
            struck = connections.strikes[fault.label]
            if isinstance(fault, Cut):
                deeds.cut(fault.label, self._struck_by(fault), struck)
            elif isinstance(fault, ClientFault) and struck:
                deeds.struck(fault.label, struck)
            if fault.kind in _SLOWING and deeds.by_fault[fault.label]:
                deeds.slows(fault.label)
        kinds = {fault.label: fault.kind for fault in self._scenario.faults}
        return reconcile(_ledger(self._scenario, totals), deeds, kinds, problems)

    def _struck_by(self, fault: ClientFault) -> dict[int, int]:
        """The sessions that a fault strikes, and when, by the seed."""
        if self._hold is None:
            return {}
        strikes = strikes_of(fault, self._scenario, *self._hold)
        times = ((number, strikes.at_ns(number)) for number in range(self._scenario.level))
        return {number: at_ns for number, at_ns in times if at_ns is not None}

    def _lost(self, words: str) -> None:
        """A proxy ended by itself: there is no way to the service any more."""
        self._problems.append(f"{words}: what it did behind its last entry is not known")
        self._failed(EnvironmentFailure(words, hint="the run ends with what it has"))

    def _failed(self, error: SquallError) -> None:
        self.failure = self.failure or error
        self._coordinator.stop(error.message)


def _ledger(scenario: Scenario, totals: Totals) -> Ledger:
    """What was counted, as the reconciliation asks for it."""
    messages, connections = totals.messages(), totals.connections()
    ways, split = [_sending(each.exchange) for each in scenario.populations], split_of(scenario)
    owed = _owed(scenario)
    missing, cut_short = _missing(totals, owed)
    return Ledger(
        lost=messages.lost,
        unknown=messages.unknown + messages.unsettled,
        late=messages.late,
        duplicated=messages.duplicated,
        corrupted=messages.corrupted_body + connections.corrupted_header,
        dropped=connections.dropped,
        troubles=connections.troubles,
        missing=missing,
        cut_short=cut_short,
        # Which of several receivers had it late is not known to the proxies.
        late_messages=totals.late_messages if max(owed) == 1 else (),
        sending_of=lambda stream: ways[split.population_of(stream)],
    )


def _owed(scenario: Scenario) -> list[int]:
    """By population, to how many receivers each of its messages is owed."""
    return [max(1, getattr(each.exchange, "members", 2) - 1) for each in scenario.populations]


def _receivers(scenario: Scenario) -> Callable[[int], int]:
    """To how many receivers the messages of a stream are owed."""
    owed, split = _owed(scenario), split_of(scenario)
    if max(owed) == 1:
        return lambda _stream: 1
    return lambda stream: owed[split.population_of(stream)]


def _missing(totals: Totals, owed: Sequence[int]) -> tuple[list[Missing], frozenset[int]]:
    """The numbers that the ledger lists, and the streams of which it does not list all."""
    found: list[Missing] = []
    cut_short = set()
    for trouble in totals.streams.all:
        if trouble.member >= 0 and owed[trouble.population] > 1:
            continue  # which member a proxy's connection belongs to is not known
        times = trouble.first_sent_ns, trouble.last_sent_ns
        sent = None if times[0] is None or times[1] is None else (times[0], times[1])
        for ranges, unknown in ((trouble.lost_ranges, False), (trouble.unknown_ranges, True)):
            found += [
                Missing(trouble.stream, first, last + 1, unknown, trouble.member, sent)
                for first, last in ranges
            ]
        listed = sum(last + 1 - first for first, last in trouble.lost_ranges + trouble.unknown_ranges)
        if listed < trouble.lost + trouble.unknown or not trouble.is_whole:
            cut_short.add(trouble.stream)
    return found, frozenset(cut_short)


def _sending(exchange: Exchange) -> Sending:
    """How often a message of an exchange is sent at most, and by whom again."""
    by_whom = exchange.acknowledged_by
    return Sending(
        attempts=1 + getattr(exchange, "retries", 0) if by_whom else 1,
        by_service=by_whom == "client",
        delivered_once=by_whom == "service" and exchange.evidence == "receiver",
        is_named=exchange.enveloped,
    )
