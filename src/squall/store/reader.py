"""Reads a run folder back, whole or up to where its writer was killed. Needs no engine and no clock.

The intervals stay on disk and are read each time they are iterated. A run that was killed, or is still being
written, is not `complete`; a phase that it was in ends, as far as the record knows, with its last interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from squall.errors import StoreError
from squall.record.reconciliation import Reconciliation
from squall.record.resources import ResourceSample
from squall.record.run import FORMAT_VERSION, Phase, RunHeader, RunRecord
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict
from squall.store.codec import End, Kind, LogHeader, PhaseEnd, decode, kind_of
from squall.store.columns import check_columns
from squall.store.folder import RUN_FILE, VERDICT_FILE
from squall.store.log import LOG_FILE, FrameReader, store_failure, unknown_version

__all__ = ["IntervalHead", "LoggedIntervals", "duration_and_peak", "open_run", "read_header"]


class IntervalHead(msgspec.Struct, frozen=True, array_like=True):
    """The first columns of an interval; what follows them is skipped, which is faster by far."""

    index: int
    at_ns: int
    held: int
    planned: int


class LoggedIntervals:
    """The intervals of a run, read from its log one by one, each time from the first.

    Iterating raises `StoreError` where the log is gone or can no longer be read as far as when it was opened.
    """

    def __init__(self, path: Path, whole_bytes: int, count: int, end: End | None) -> None:
        self.end = end
        """The last frame of the log; None where the run was killed or goes on."""
        self._path = path
        self._whole_bytes = whole_bytes
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Interval]:
        return (decode(payload, Interval) for payload in self._payloads())

    def heads(self) -> Iterator[IntervalHead]:
        """Only when each interval was and how many connections it held."""
        return (decode(payload, IntervalHead) for payload in self._payloads())

    def _payloads(self) -> Iterator[bytes]:
        seen = 0
        for payload in FrameReader(self._path, limit_bytes=self._whole_bytes):
            if kind_of(payload) == Kind.INTERVAL:
                seen += 1
                yield payload
        if seen < self._count:
            raise StoreError(f"{self._path} held {self._count} intervals when it was opened, and now {seen}")


def open_run(path: Path | str) -> RunRecord:
    """Read a run folder.

    Raises:
        StoreError: there is none, it is none, or it may not be read.
        FormatError: it is of a format version that this squall does not know.
    """
    folder = Path(path)
    header = read_header(folder)
    log = _Log(folder / LOG_FILE)
    header = log.header or header
    if header is None:
        raise StoreError(f"{folder}: the run was killed before it began; nothing was recorded")
    return RunRecord(
        header=header,
        phases=log.closed_phases(),
        intervals=LoggedIntervals(log.path, log.whole_bytes, log.intervals, log.end),
        events=tuple(log.events),
        verdict=log.verdict or _verdict_aside(folder),
        complete=log.end is not None,
        resources=tuple(log.resources),
        checks=tuple(log.checks),
        reconciliation=log.reconciliation,
    )


def read_header(folder: Path) -> RunHeader | None:
    """What run.json says; None where a killed run has not come as far as writing it, or it was damaged since.

    Raises:
        StoreError: the folder is missing, or no run folder, or may not be read.
        FormatError: of a format version that this squall does not know.
    """
    path = folder / RUN_FILE
    try:
        names = {entry.name for entry in folder.iterdir()}
        if LOG_FILE not in names:
            raise _no_run(folder, names)
        content = path.read_bytes() if RUN_FILE in names else b""
    except FileNotFoundError:
        raise StoreError(
            f"there is no run at {folder}", hint="`squall runs` lists those under runs/"
        ) from None
    except NotADirectoryError:
        raise StoreError(f"{folder} is a file, not the folder of a run", hint="give the folder") from None
    except OSError as error:
        raise store_failure(error, path) from None
    try:
        version = msgspec.json.decode(content, type=_Version).format_version
        if version != FORMAT_VERSION:
            raise unknown_version(path, version)
        return msgspec.json.decode(content, type=RunHeader)
    except msgspec.DecodeError:
        return None


def duration_and_peak(record: RunRecord) -> tuple[int | None, int | None]:
    """When the last interval ended, in ns of the run, and the most connections held at an interval's end.

    Both None where no interval was recorded. Read from the last frame where the run has one.
    """
    intervals = record.intervals
    if isinstance(intervals, LoggedIntervals):
        if intervals.end is not None:
            return (intervals.end.at_ns, intervals.end.held_max) if intervals.end.intervals else (None, None)
        heads: Iterable[IntervalHead | Interval] = intervals.heads()
    else:
        heads = intervals
    duration_ns = peak = None
    for head in heads:
        duration_ns = head.at_ns
        peak = head.held if peak is None else max(peak, head.held)
    return duration_ns, peak


class _Version(msgspec.Struct):
    format_version: int


class _Log:
    """One pass over a log: everything but the intervals, of which only the last is looked at."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.header: RunHeader | None = None
        self.phases: dict[int, Phase] = {}
        self.events: list[Event] = []
        self.resources: list[ResourceSample] = []
        self.checks: list[StabilityCheck] = []
        self.verdict: Verdict | None = None
        self.reconciliation: Reconciliation | None = None
        self.end: End | None = None
        self.intervals = 0
        self.last_ns = 0
        last = b""
        reader = FrameReader(path)
        for payload in reader:
            if kind_of(payload) == Kind.INTERVAL:
                self.intervals += 1
                last = payload
            else:
                self._take(payload)
        if last:
            self.last_ns = decode(last, IntervalHead).at_ns
        self.whole_bytes = reader.whole_bytes
        if reader.end == "damaged":
            text = f"{path.name} is damaged after {reader.whole_bytes} bytes; what followed cannot be read"
            self.events.append(Event(at_ns=self.last_ns, kind="store", text=text))

    def closed_phases(self) -> tuple[Phase, ...]:
        """The phases in the order in which they began; of a run that ended in the middle, all closed."""
        if self.end is not None:
            return tuple(self.phases.values())
        return tuple(
            phase
            if phase.end_ns is not None
            else msgspec.structs.replace(phase, end_ns=max(phase.start_ns, self.last_ns))
            for phase in self.phases.values()
        )

    def _take(self, payload: bytes) -> None:
        """Take in a frame that is no interval; kinds that are not known are left out."""
        kind = kind_of(payload)
        if kind == Kind.HEADER:
            found = decode(payload, LogHeader)
            check_columns(found.columns, self.path)
            self.header = found.header
        elif kind == Kind.PHASE_BEGUN:
            phase = decode(payload, Phase)
            self.phases[phase.id] = phase
            if phase.types is not None and self.header is not None:
                self.header = msgspec.structs.replace(self.header, types=phase.types)
        elif kind == Kind.PHASE_ENDED:
            ended = decode(payload, PhaseEnd)
            if ended.id not in self.phases:
                raise StoreError(f"{self.path}: phase {ended.id} ends and never began")
            self.phases[ended.id] = msgspec.structs.replace(
                self.phases[ended.id], end_ns=ended.end_ns, freeze=ended.freeze
            )
        elif kind == Kind.VERDICT:
            self.verdict = decode(payload, Verdict)
        elif kind == Kind.END:
            self.end = decode(payload, End)
        else:
            self._take_one_of_many(kind, payload)

    def _take_one_of_many(self, kind: int, payload: bytes) -> None:
        if kind == Kind.EVENT:
            self.events.append(decode(payload, Event))
        elif kind == Kind.RESOURCES:
            self.resources.append(decode(payload, ResourceSample))
        elif kind == Kind.CHECK:
            self.checks.append(decode(payload, StabilityCheck))
        elif kind == Kind.RECONCILIATION:
            self.reconciliation = decode(payload, Reconciliation)


def _verdict_aside(folder: Path) -> Verdict | None:
    """The verdict of a run whose log could take no more."""
    path = folder / VERDICT_FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Verdict)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise store_failure(error, path) from None
    except msgspec.DecodeError as error:
        raise StoreError(f"{path} is damaged: {error}") from error


def _no_run(folder: Path, names: set[str]) -> StoreError:
    if not names:
        return StoreError(f"{folder} is empty: no run was recorded in it")
    if RUN_FILE in names:
        return StoreError(f"{folder} has lost its {LOG_FILE}: nothing is left but what was asked")
    return StoreError(
        f"{folder} is not the folder of a run", hint=f"such a folder has a {RUN_FILE} and a {LOG_FILE}"
    )
