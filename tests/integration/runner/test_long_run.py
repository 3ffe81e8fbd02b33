"""A long run as its coordinator lives through it: the reports of two workers are merged, added up, recorded, judged, shown.

Each second leaves something behind that is kept for a while, or up to so many: seconds, alerts, checks, outages, events,
points of charts. Once all of these are full nothing may grow any more. What still did within as long again is told for the
length of a day; `make controls` feeds all 86,400 seconds of one.
"""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TextIO

import msgspec
import psutil
import pytest

from squall.engine.merge import Merger
from squall.live.base import LiveView
from squall.live.plain import PlainView
from squall.metrics.alerts import ALERTS_KEPT
from squall.metrics.history import History
from squall.metrics.outages import OUTAGES_MAX
from squall.metrics.stability import CHECKS_KEPT
from squall.metrics.totals import FORCED, FORCED_KEPT, RECENT_SECONDS
from squall.record.resources import ResourceSample
from squall.record.run import Phase
from squall.record.snapshots import CheckCell, ConnectionCell, Event, Interval, MessageCell, Place, Snapshot
from squall.record.stability import StabilityCheck
from squall.record.streams import SentSecond
from squall.runner.recording import Recording
from squall.scenario.loader import load_scenario
from squall.scenario.models import Stability
from squall.store.reader import open_run
from squall.store.writer import RunWriter
from unit.store.samples import HEADER, PHASE, VERDICT, busy_interval

FULL_S = 4_096
"""By then all that is bounded is full. What holds two seconds as one from then on is as full after twice as long."""
DAY_S = 86_400
OBJECTS_MAX = 28_000
"""Grown in a day: to keep as little as one object of every third second would take more."""
MEMORY_MAX_BYTES = 3 << 20
"""Grown by the process while it is watched: what no count of objects shows."""

HELD = 100
"""Connections of a worker, and its messages whenever it sends."""
SEND_EVERY_S = 2
OUTAGE_EVERY_S = 16
FORCED_EVERY_S = 8
ALERT_EVERY_S = 8
SAMPLE_EVERY_S = 2
PLACE = Place("ws://127.0.0.1:9000/", "")
NS = 1_000_000_000

SCENARIO = {
    "target": PLACE.entry_point,
    "monitoring": {"interval": "1s"},
    "thresholds": {
        "ws_msgs_lost": {"threshold": "count<1", "abortOnFail": True},
        "ws_response_time": {"threshold": "p(99)<10000", "abortOnFail": True},
    },
}


class Page(LiveView):
    """What the live page keeps of a run, in fewer points: so that two became one several times already."""

    def __init__(self) -> None:
        self.history = History(points_max=50)

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:  # noqa: ARG002 - the view's form
        self.history.begin_phase(phase)

    def accept(self, interval: Interval) -> None:
        self.history.accept(interval)

    def happened(self, event: Event) -> None:
        self.history.happened(event)

    def sampled(self, sample: ResourceSample) -> None:
        self.history.sampled(sample)

    def checked(self, check: StabilityCheck) -> None:
        self.history.checked(check)


class Reports:
    """What a worker says each second: much the same again and again, since to make it up would cost more than the rest."""

    def __init__(self, worker: int) -> None:
        self._worker = worker
        self._some = [busy_interval(index, messages=HELD, seed=worker) for index in range(8)]

    def second(self, index: int) -> Snapshot:
        """The report on one second of the run."""
        like = self._some[index % len(self._some)]
        at_ns = (index + 1) * NS
        return Snapshot(
            index=index,
            at_ns=at_ns,
            sample=msgspec.structs.replace(
                like.workers[self._worker], held=HELD, rss_bytes=(100 << 20) + index
            ),
            messages=self._messages(like, index),
            connections=self._connections(like, index),
            places=[PLACE] if index == 0 else [],
            events=[Event(at_ns=at_ns, kind=FORCED, text="no close frame", stream=index)]
            if index % FORCED_EVERY_S == 0
            else [],
            checks=[CheckCell(PHASE.id, index, held=HELD, sent=HELD, delivered=HELD - index % 2)],
            seconds=[SentSecond(index, retried=1)],
        )

    def _messages(self, like: Interval, index: int) -> list[MessageCell]:
        if index % SEND_EVERY_S:
            return []
        return [msgspec.structs.replace(each, recovered=index % 3) for each in like.messages]

    def _connections(self, like: Interval, index: int) -> list[ConnectionCell]:
        """Now and then half of them are gone, and back a second later."""
        gone, back = (HELD // 2 * (index % OUTAGE_EVERY_S == place) for place in (1, 2))
        return [
            msgspec.structs.replace(each, dropped=gone, established=back, reconnected=back)
            for each in like.connections
        ]


class LongRun:
    """All that a second of a run passes on its way from the workers."""

    def __init__(self, writer: RunWriter, stream: TextIO) -> None:
        scenario = load_scenario(SCENARIO).scenario
        self.plain = PlainView(stream)
        self.page = Page()
        self.recording = Recording(scenario, [self.plain, self.page])
        self.recording.open(writer)
        self.recording.begin_phase(PHASE, None, Stability(check_interval=1))
        self._merger = Merger(range(2), lambda _at_ns: 2 * HELD)
        self._workers = [Reports(worker) for worker in range(2)]
        self._next = 0

    def seconds(self, count: int) -> None:
        for index in range(self._next, self._next + count):
            for worker in self._workers:
                for interval in self._merger.add(worker.second(index)):
                    self.recording.accept(interval)
            if index % SAMPLE_EVERY_S == 0:
                self.recording.sampled(self._sample(index))
        self._next += count

    def _sample(self, index: int) -> ResourceSample:
        return ResourceSample(
            at_ns=(index + 1) * NS,
            source="target",
            role="target",
            cpu_share=0.9 if index % ALERT_EVERY_S == 0 else 0.4,
            memory_share=0.3,
            memory_bytes=(1 << 30) + index,
            descriptors=2 * HELD,
        )


def measured() -> tuple[int, int]:
    """Objects that live in this process, and its memory in bytes."""
    gc.collect()
    return sys.getallocatedblocks(), psutil.Process().memory_info().rss


@pytest.mark.slow
@pytest.mark.parametrize(
    "watched_s",
    [
        pytest.param(FULL_S, id="hours"),
        pytest.param(DAY_S - FULL_S, id="day", marks=[pytest.mark.matrix, pytest.mark.timeout(900)]),
    ],
)
def test_a_long_run_is_recorded_in_bounded_memory(tmp_path: Path, watched_s: int) -> None:
    """Once all is full, neither objects nor the process grow with the seconds that follow."""
    with RunWriter(tmp_path, HEADER) as writer, open(os.devnull, "w") as nowhere:
        run = LongRun(writer, nowhere)
        run.seconds(FULL_S)
        objects, memory_bytes = measured()
        run.seconds(watched_s)
        objects_later, memory_later_bytes = measured()
        assert (objects_later - objects) * DAY_S / watched_s < OBJECTS_MAX
        assert memory_later_bytes - memory_bytes < MEMORY_MAX_BYTES
        run.plain.finish()
        writer.finish(VERDICT)
    totals = run.recording.totals
    assert totals.messages().delivered == 2 * HELD * (FULL_S + watched_s) // SEND_EVERY_S
    # What is kept up to so many is full, or its growth was not watched.
    assert len(totals.recent) == RECENT_SECONDS
    assert len(totals.alerts.kept) == ALERTS_KEPT
    assert len(totals.checks.kept) == CHECKS_KEPT
    assert len(totals.outages.kept) == OUTAGES_MAX
    assert len(totals.forced) == FORCED_KEPT
    record = open_run(tmp_path)
    assert record.complete
    assert sum(1 for _ in record.intervals) == FULL_S + watched_s
    assert len(record.checks) > CHECKS_KEPT
