"""Writes one run into its folder as it goes. Keeps nothing of it in memory but three numbers.

When the disk is full the run is told once, by a `StoreError`; what was recorded until then stays readable,
what follows is left out (and the record is never called complete), and `finish` still finds room for the
verdict.
"""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from squall.errors import StoreError
from squall.record.reconciliation import Reconciliation
from squall.record.resources import ResourceSample
from squall.record.run import FORMAT_VERSION, Freeze, Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict
from squall.store.codec import End, Kind, LogHeader, PhaseEnd, encode
from squall.store.columns import COLUMNS
from squall.store.folder import RUN_FILE, VERDICT_FILE, release_room, reserve_room, write_whole
from squall.store.log import LOG_FILE, FrameLog

__all__ = ["CHECKPOINT_EVERY", "RunWriter"]

CHECKPOINT_EVERY = 30
"""Intervals between two checkpoints: as many seconds are at stake if the machine (not the process) dies."""


class RunWriter:
    """The recording of one run: a `SnapshotSink`, and a context manager that closes itself.

    Raises:
        StoreError: the folder holds a run already, or cannot be written; then nothing is left in it.
    """

    def __init__(self, folder: Path, header: RunHeader, *, checkpoint_every: int = CHECKPOINT_EVERY) -> None:
        if header.format_version != FORMAT_VERSION:
            raise StoreError(f"format version {FORMAT_VERSION} is written, not {header.format_version}")
        self.folder = folder
        self.failure: StoreError | None = None
        """What ended the recording early; None while all is well."""
        self.left_out = 0
        """Records that came after `failure`."""
        self._checkpoint_every = checkpoint_every
        self._intervals = 0
        self._at_ns = 0
        self._held_max = 0
        self._log = FrameLog(folder / LOG_FILE)
        try:
            reserve_room(folder)
            write_whole(folder / RUN_FILE, msgspec.json.format(msgspec.json.encode(header), indent=2) + b"\n")
            self._log.begin()
            self._log.append(encode(Kind.HEADER, LogHeader(header=header, columns=COLUMNS)))
            self._log.sync()
        except BaseException:
            self._log.close()
            _leave_nothing(folder)
            raise

    def begin_phase(self, phase: Phase) -> None:
        """A phase has begun."""
        self._append(Kind.PHASE_BEGUN, phase)

    def end_phase(self, phase_id: int, end_ns: int, freeze: Freeze | None = None) -> None:
        """A phase that had begun is over, `end_ns` after the start of the run."""
        self._append(Kind.PHASE_ENDED, PhaseEnd(id=phase_id, end_ns=end_ns, freeze=freeze))

    def accept(self, interval: Interval) -> None:
        """Write one interval.

        Raises:
            StoreError: there is no room, or the disk failed; raised once, by whichever record meets it first.
        """
        self._append(Kind.INTERVAL, interval)
        if self.failure is not None:
            return
        self._intervals += 1
        self._at_ns = interval.at_ns
        self._held_max = max(self._held_max, interval.held)
        if self._intervals % self._checkpoint_every == 0:
            try:
                self._log.checkpoint()
            except StoreError as error:
                raise self._failed(error) from error

    def happened(self, event: Event) -> None:
        """Write one event, at once. Those that an interval brings along are written with it."""
        self._append(Kind.EVENT, event)

    def sampled(self, sample: ResourceSample) -> None:
        """Write one look at a watched machine."""
        self._append(Kind.RESOURCES, sample)

    def checked(self, check: StabilityCheck) -> None:
        """Write one stability check."""
        self._append(Kind.CHECK, check)

    def reconciled(self, reconciliation: Reconciliation) -> None:
        """Write what the faults of the run explain."""
        self._append(Kind.RECONCILIATION, reconciliation)

    def finish(self, verdict: Verdict) -> None:
        """Write the verdict and, if nothing is missing, that the record is complete; free the reserved room.

        Raises:
            StoreError: the log could not take it. Then the verdict stands in a file of its own if that fits.
        """
        release_room(self.folder)
        whole = self.failure is None
        try:
            if self.failure is not None:
                text = f"{self.failure.message}; {self.left_out} records after it are missing"
                self._log.append(encode(Kind.EVENT, Event(at_ns=self._at_ns, kind="store", text=text)))
            self._log.append(encode(Kind.VERDICT, verdict))
            if whole:
                end = End(at_ns=self._at_ns, intervals=self._intervals, held_max=self._held_max)
                self._log.append(encode(Kind.END, end))
            self._log.sync()
        except StoreError as error:
            self._verdict_aside(verdict)
            if whole:
                raise self._failed(error) from error

    def close(self) -> None:
        """Let go of the folder. Without `finish` before, the record ends as that of a killed run does."""
        release_room(self.folder)
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _append(
        self,
        kind: Kind,
        record: Phase | PhaseEnd | Interval | Event | ResourceSample | StabilityCheck | Reconciliation,
    ) -> None:
        if self.failure is not None:
            self.left_out += 1
            return
        try:
            self._log.append(encode(kind, record))
        except StoreError as error:
            self.left_out += 1
            raise self._failed(error) from error

    def _failed(self, error: StoreError) -> StoreError:
        """The recording ends here: remembered, and worded for whoever reads the run's output."""
        until_s = self._at_ns / 1e9
        self.failure = type(error)(
            f"{error.message}; the record ends {until_s:.0f} s into the run", hint=error.hint
        )
        return self.failure

    def _verdict_aside(self, verdict: Verdict) -> None:
        try:
            write_whole(self.folder / VERDICT_FILE, msgspec.json.encode(verdict))
        except StoreError:
            pass  # the caller hears of the first failure; this one has the same cause


def _leave_nothing(folder: Path) -> None:
    """Take back what was written before a run could begin, so that its folder can be used again."""
    release_room(folder)
    for name in (RUN_FILE, LOG_FILE):
        (folder / name).unlink(missing_ok=True)
    try:
        os.rmdir(folder)
    except OSError:
        pass  # somebody else put something into it, or stands in it: an empty folder harms nobody
