from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

import msgspec
import psutil
import pytest

from squall.metrics.totals import RECENT_SECONDS, Totals
from squall.record.snapshots import Interval
from squall.store.reader import open_run
from squall.store.writer import RunWriter
from unit.store.samples import HEADER, PHASE, VERDICT, busy_interval

DAY_S = 86_400
WARM_S = 3_600
WATCHED_S = 1_000
OBJECT_GROWTH_MAX_BYTES = 40_000
"""In `WATCHED_S`: 40 bytes a second. To keep as little as one object of each second would take more."""
MEMORY_GROWTH_MAX_BYTES = 4 << 20
"""In the rest of the day: 51 bytes a second."""


class Recording:
    """The path that each second of a run takes: into the folder and into the totals."""

    def __init__(self, writer: RunWriter) -> None:
        # A few seconds, again and again: to make up a day of them would cost more than to record it.
        self._some = [busy_interval(index, messages=500, places=2) for index in range(8)]
        self._writer = writer
        self._next = 0
        self.totals = Totals(HEADER.populations, HEADER.types)
        self.totals.note(PHASE)
        writer.begin_phase(PHASE)

    def seconds(self, count: int) -> None:
        for index in range(self._next, self._next + count):
            interval = self._second(index)
            self._writer.accept(interval)
            self.totals.add(interval)
        self._next += count

    def _second(self, index: int) -> Interval:
        like = self._some[index % len(self._some)]
        places = like.places if index == 0 else []
        return msgspec.structs.replace(like, index=index, at_ns=(index + 1) * 1_000_000_000, places=places)


@pytest.mark.slow
def test_a_day_is_recorded_in_bounded_memory(tmp_path: Path) -> None:
    """After an hour's worth of seconds neither objects nor the process grow with those that follow."""
    process = psutil.Process()
    with RunWriter(tmp_path, HEADER) as writer:
        recording = Recording(writer)
        recording.seconds(WARM_S)
        tracemalloc.start()
        # The totals keep some seconds as figures: all of those must have been made while tracing.
        recording.seconds(RECENT_SECONDS)
        gc.collect()
        objects_bytes = tracemalloc.get_traced_memory()[0]
        recording.seconds(WATCHED_S)
        gc.collect()
        grown_bytes = tracemalloc.get_traced_memory()[0] - objects_bytes
        tracemalloc.stop()
        resident_bytes = process.memory_info().rss
        recording.seconds(DAY_S - WARM_S - RECENT_SECONDS - WATCHED_S)
        assert process.memory_info().rss - resident_bytes < MEMORY_GROWTH_MAX_BYTES
        writer.finish(VERDICT)
    assert grown_bytes < OBJECT_GROWTH_MAX_BYTES
    record = open_run(tmp_path)
    assert record.complete
    assert sum(1 for _ in record.intervals) == DAY_S
    assert recording.totals.messages().delivered == DAY_S * 500
    assert (tmp_path / "record.log").stat().st_size < DAY_S / 3_600 * 20e6
