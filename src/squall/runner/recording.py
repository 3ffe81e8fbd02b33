"""Where everything that happens in a run goes: the totals, the record on disk, whoever watches.

One interval is one call: it is added to the totals, written, shown, and looked at by the thresholds that may
end the run. A record that can no longer be written ends the run gracefully; a view never does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from squall.errors import StoreError
from squall.live.base import LiveView
from squall.metrics.alerts import AlertWatch
from squall.metrics.outages import OUTAGE, Outage, in_words
from squall.metrics.ramp_checks import RampInterval
from squall.metrics.readiness import ramp_failures
from squall.metrics.stability import StabilityWatch, stability_event
from squall.metrics.thresholds import Monitor
from squall.metrics.totals import Totals
from squall.record.reconciliation import Reconciliation
from squall.record.resources import ResourceSample
from squall.record.run import Freeze, Phase
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Judgement
from squall.scenario.models import Scenario, Stability
from squall.store.writer import RunWriter

__all__ = ["Recording"]


class Recording:
    """The sink of one run. `stop` is how it ends the run, with a reason; it is set by whoever owns both."""

    def __init__(self, scenario: Scenario, views: Sequence[LiveView]) -> None:
        populations = [population.name for population in scenario.populations]
        types = [[each.name for each in population.traffic.types] for population in scenario.populations]
        unseen = [each.name for each in scenario.populations if each.exchange.evidence == "acknowledgement"]
        acknowledged = {
            each.name: each.exchange.acknowledged_by
            for each in scenario.populations
            if each.exchange.acknowledged_by and getattr(each.exchange, "acknowledges", True)
        }
        unconfirmed = [each.name for each in scenario.populations if not each.exchange.confirms]
        self.totals = Totals(
            populations, types, scenario.delivery.tracking, unseen, acknowledged, unconfirmed
        )
        self.phases: list[Phase] = []
        self.aborted: Judgement | None = None
        """The judgement that ended the run."""
        self.failure: StoreError | None = None
        """Why the record is not whole."""
        self.reached_ns: dict[int, int] = {}
        """By phase, when its last level was first reported held."""
        self.stop: Callable[[str], None] = _nobody
        self._writer: RunWriter | None = None
        self.views = list(views)
        """Told of everything after the totals."""
        self._outage: Outage | None = None
        self._arrivals = scenario.load.arrivals is not None
        self._come_and_go = any(each.sessions.length is not None for each in scenario.populations)
        self._monitor = Monitor(scenario)
        self._alerts = AlertWatch(scenario.monitoring)
        self._stability = StabilityWatch(round(scenario.drain_s * 1e9))
        self._checks_ramps = "readiness" in scenario.threshold_sets
        self._checked: RampInterval | None = None
        self._came = asyncio.Event()

    def open(self, writer: RunWriter) -> None:
        """From now on all is written, too."""
        self._writer = writer

    def begin_phase(self, phase: Phase, duration_s: float | None, stability: Stability | None = None) -> None:
        """A phase begins, and the one before it is over.

        `duration_s` None: its length is open. `stability` None: it is not checked.
        """
        self.end_phase(phase.start_ns)
        if phase.types is not None:
            self.totals.types = tuple(tuple(names) for names in phase.types)
        self.phases.append(phase)
        self.totals.note(phase)
        if stability is not None:
            self._stability.begin(phase, stability)
        self._write(lambda writer: writer.begin_phase(phase))
        for view in self.views:
            view.begin_phase(phase, duration_s)

    def end_phase(self, end_ns: int) -> None:
        """The last phase is over, if there is one that is not."""
        if not self.phases or self.phases[-1].end_ns is not None:
            return
        phase = self.phases[-1] = msgspec.structs.replace(
            self.phases[-1], end_ns=max(end_ns, self.phases[-1].start_ns)
        )
        self.totals.note(phase)
        self._stability.end(phase)
        self._write(lambda writer: writer.end_phase(phase.id, phase.end_ns or 0, phase.freeze))

    def freeze(self, freeze: Freeze) -> None:
        """The present phase, a ramp, goes no further."""
        phase = self.phases[-1] = msgspec.structs.replace(self.phases[-1], freeze=freeze)
        self.totals.note(phase)

    def accept(self, interval: Interval) -> None:
        """Take one interval."""
        self.totals.add(interval)
        phase = self.phases[-1] if self.phases else None
        begun = phase is not None and interval.at_ns >= phase.start_ns
        if phase is not None and begun and not self._arrivals and self.is_reached(phase.level_end):
            self.reached_ns.setdefault(phase.id, interval.at_ns)
        self._write(lambda writer: writer.accept(interval))
        self._check_ramp()
        self._tell_outage()
        for view in self.views:
            view.accept(interval)
        for check in self._stability.add(interval):
            self.checked(check)
        for event in self._alerts.add(interval):
            self.happened(event)
        if self.aborted is None:
            self.aborted = self._monitor.check(self.totals)
            if self.aborted is not None:
                self.stop(f"{self.aborted.name} {self.aborted.bound} failed")
        self._came.set()

    def _tell_outage(self) -> None:
        """Say so where many connections were dropped, and what became of them, once that is known of each."""
        closed = self.totals.outages.closed
        if closed is None or closed is self._outage:
            return
        self._outage = closed
        self.happened(
            Event(at_ns=self.totals.last_at_ns, kind=OUTAGE, text=in_words(closed), figure=closed.back_s)
        )

    def _check_ramp(self) -> None:
        """Say so where an interval of a ramp up did not hold what the set `readiness` asks of each."""
        closed = self.totals.ramp_checks.closed
        if not self._checks_ramps or closed is None or closed is self._checked:
            return
        self._checked = closed
        for each in ramp_failures(closed):
            event = Event(
                at_ns=self.totals.last_at_ns,
                kind="ramp_check",
                text=each.words,
                name=each.name,
                figure=each.figure,
                bound=each.bound,
            )
            self.happened(event)

    def happened(self, event: Event) -> None:
        """Take one event."""
        self.totals.happened(event)
        self._write(lambda writer: writer.happened(event))
        for view in self.views:
            view.happened(event)

    def sampled(self, sample: ResourceSample) -> None:
        """Take one look at a watched machine."""
        self.totals.sampled(sample)
        self._alerts.sampled(sample)
        self._write(lambda writer: writer.sampled(sample))
        for view in self.views:
            view.sampled(sample)

    def checked(self, check: StabilityCheck) -> None:
        """Take one stability check; one that failed is an event, too."""
        self.totals.checks.add(check)
        self._write(lambda writer: writer.checked(check))
        for view in self.views:
            view.checked(check)
        event = stability_event(check, self.totals.phases[check.phase].name)
        if event is not None:
            self.happened(event)

    def reconciled(self, reconciliation: Reconciliation) -> None:
        """Take what the faults of the run explain."""
        self.totals.reconciliation = reconciliation
        self._write(lambda writer: writer.reconciled(reconciliation))

    def finish(self) -> None:
        """Nothing more will happen: what waited for that is known now."""
        for check in self._stability.finish():
            self.checked(check)

    def has_checked(self, phase: Phase) -> bool:
        """Whether every stability check of a phase that is over is known."""
        return not self._stability.waits_for(phase)

    def is_reached(self, level: int) -> bool:
        """Whether a level is held.

        Where sessions come and go by themselves, it is once each of them has been here.
        """
        recent = self.totals.recent
        if self._come_and_go:
            return sum(sample.started for sample in self.totals.workers.values()) >= level
        return bool(recent) and recent[-1].held >= level

    async def next_interval(self, timeout_s: float) -> bool:
        """Wait for another interval; False where none came in time."""
        self._came.clear()
        try:
            async with asyncio.timeout(timeout_s):
                await self._came.wait()
        except TimeoutError:
            return False
        return True

    def _write(self, write: Callable[[RunWriter], None]) -> None:
        if self._writer is None:
            return
        try:
            write(self._writer)
        except StoreError as error:
            self.failure = error
            self.stop(f"the record cannot be written: {error.message}")


def _nobody(_reason: str) -> None:
    """Nobody can be told yet."""
