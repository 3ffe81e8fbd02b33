"""Runs squall as a person does, by its command line, and reads what it cost from the run folder and from outside.

**Where the figures come from.** The *steady seconds* are the intervals of the record that begin and end within
the phase `hold`. A worker's CPU time (user and system, of its whole process) and its resident memory stand in
its report on each second; the round trips are the messages delivered in the same seconds. The coordinator does
not report on itself: it is watched from outside, ten times a second, and a second of the record is found again
in what was watched by the length of the log, which grows as each second is written.
"""

from __future__ import annotations

import os
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Final

import psutil

from benchmarks.lab import Lab
from benchmarks.rows import CouldNotRun
from squall.errors import StoreError
from squall.metrics.cells import MessageTotals
from squall.record.run import Phase, RunRecord
from squall.record.snapshots import Interval
from squall.record.verdicts import Verdict
from squall.store.codec import Kind, kind_of
from squall.store.log import LOG_FILE, FrameReader
from squall.store.reader import open_run

__all__ = ["USABLE_EXIT_CODES", "Load", "SquallRun", "Watch", "run_squall", "trouble_of"]

USABLE_EXIT_CODES: Final = frozenset({0, 99, 110, 112})
"""Passed, failed, invalid, unknown: the run was carried out. Whether it was valid is the caller's question."""
LOOK_EVERY_S: Final = 0.1
RUN_MAX_S: Final = 240.0
_PREAMBLE_BYTES, _FRAME_BYTES = 12, 8

Watch = Callable[[psutil.Process, Path], None]
"""Called at every look with squall's process and the run folder."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """A run, in the terms of the command line. `rate_hz` is that of one connection."""

    connections: int
    rate_hz: float
    hold_s: float
    ramp_up_s: float = 4.0
    ramp_down_s: float = 2.0
    window_ms: float = 1.0
    payload: str = "128"
    types: int = 1
    workers: int | None = None
    source_addresses: tuple[str, ...] = ()
    ca_file: Path | None = None
    progress: str = "none"
    watched_port: int | None = None
    web_port: int | None = None
    exchange: str = "echo"
    exchange_settings: tuple[tuple[str, str], ...] = ()
    """Settings of it, by name."""
    tracking: bool = True
    """False: order, times, acknowledgements and causes are not kept account of."""
    latency_bound_ms: float = 50.0
    """A bound on the response time's p99: only a run with one can be invalid by squall's own lag."""

    def arguments(self, url: str) -> list[str]:
        """As a person would type them."""
        ramp = ["--ramp", "linear", "--ramp-up", f"{self.ramp_up_s:g}s"] if self.ramp_up_s else _AT_ONCE
        given = ["--target", url, "-c", str(self.connections), *ramp, "-d", f"{self.hold_s:g}s"]
        given += ["--ramp-down", f"{self.ramp_down_s:g}s", "--rate", f"{self.rate_hz:g}/s"]
        given += ["--payload", self.payload, "--pacing-window", f"{self.window_ms:g}ms"]
        if self.exchange != "echo":
            given += ["--exchange", self.exchange]
        for number in range(self.types if self.types > 1 else 0):
            given += ["--type", f"type{number}:1"]
        for address in self.source_addresses:
            given += ["--source-address", address]
        if self.workers is not None:
            given += ["--workers", str(self.workers)]
        if self.watched_port is not None:
            given += ["--watch-port", str(self.watched_port)]
        if self.web_port is not None:
            given += ["--web", str(self.web_port)]
        if self.ca_file is not None:
            given += ["--ca-file", str(self.ca_file)]
        return [*given, "--threshold", f"ws_response_time{{phase:hold}}: p(99)<{self.latency_bound_ms:g}"]

    def environment(self) -> dict[str, str]:
        """Settings that no flag has."""
        exchange = {f"SQUALL_EXCHANGE__{name.upper()}": value for name, value in self.exchange_settings}
        return exchange if self.tracking else exchange | dict.fromkeys(_TRACKED, "no")

    def command(self) -> str:
        """The whole command, with words for what differs each time."""
        shown = replace(self, ca_file=Path("AUTHORITY.pem") if self.ca_file else None).arguments("URL")
        words = [f"'{word}'" if " " in word else word for word in shown]
        return " ".join(
            [
                *(f"{name}={value}" for name, value in self.environment().items()),
                "squall run",
                *words,
                f"--out DIR --progress {self.progress}",
            ]
        )


_TRACKED: Final = tuple(
    f"SQUALL_DELIVERY__TRACKING__{name}"
    for name in ("SEQUENCE_NUMBERS", "TIMESTAMPS", "CONFIRMATIONS", "CAUSALITY")
)
_AT_ONCE: Final = ["--ramp", "constant", "--ramp-up", "0s"]


@dataclass(frozen=True)
class Look:
    """What was seen of the coordinator at one look."""

    log_bytes: int
    cpu_s: float
    resident_bytes: int


class SquallRun:
    """A run that is over.

    Raises:
        CouldNotRun: its record has fewer than two steady seconds.
    """

    def __init__(self, folder: Path, looks: list[Look]) -> None:
        self.record: RunRecord = open_run(folder)
        self._looks = looks
        self._ends = _log_ends(folder)
        hold = self.phase("hold")
        every = list(self.record.intervals)
        self.steady = [
            (place, interval)
            for place, interval in enumerate(every)
            if hold.start_ns <= interval.at_ns <= (hold.end_ns or 0)
        ]
        """Those that end within the hold, each with its place in the record; the first is where it begins."""
        if len(self.steady) < 3:
            raise CouldNotRun(f"the hold of a run has only {len(self.steady)} intervals")

    def phase(self, name: str) -> Phase:
        """A phase by its name.

        Raises:
            CouldNotRun: the run never came to it.
        """
        for phase in self.record.phases:
            if phase.name == name:
                return phase
        raise CouldNotRun(f"a run ended before its {name}")

    @cached_property
    def messages(self) -> MessageTotals:
        """The messages of the steady seconds."""
        totals = MessageTotals()
        for _, interval in self.steady[1:]:
            for cell in interval.messages:
                totals.add(cell)
        return totals

    @property
    def seconds(self) -> float:
        """How long the steady seconds are."""
        return (self._last.at_ns - self._first.at_ns) / 1e9

    @property
    def worker_cpu_us(self) -> float:
        """CPU of all workers for each round trip, in µs."""
        spent_ns = _cpu_ns(self._last) - _cpu_ns(self._first)
        return spent_ns / 1e3 / self.messages.delivered

    @property
    def coordinator_cpu_us(self) -> float:
        """CPU of the coordinator for each round trip, in µs."""
        spent_s = self._look(-1).cpu_s - self._look(0).cpu_s
        return spent_s * 1e6 / self.messages.delivered

    @property
    def coordinator_cores(self) -> float:
        """Cores that the coordinator uses."""
        return (self._look(-1).cpu_s - self._look(0).cpu_s) / self.seconds

    @property
    def resident_bytes(self) -> int:
        """The most that all workers and the coordinator had at the end of any steady second."""
        return max(
            sum(sample.rss_bytes for sample in interval.workers) + self._look(index).resident_bytes
            for index, (_, interval) in enumerate(self.steady)
        )

    @property
    def held_least(self) -> int:
        """The fewest connections at the end of any steady second."""
        return min(interval.held for _, interval in self.steady)

    @property
    def log_bytes_per_hour(self) -> float:
        """What the log grew by in the steady seconds."""
        grown = self._ends[self.steady[-1][0]] - self._ends[self.steady[0][0]]
        return grown / self.seconds * 3600

    @property
    def trouble(self) -> str:
        """Why the run is no good as a measurement; empty where it is valid and nothing went wrong."""
        return trouble_of(self.record.verdict)

    @property
    def _first(self) -> Interval:
        return self.steady[0][1]

    @property
    def _last(self) -> Interval:
        return self.steady[-1][1]

    def _look(self, index: int) -> Look:
        """The first look after a steady second was written."""
        found = bisect_left(self._looks, self._ends[self.steady[index][0]], key=lambda look: look.log_bytes)
        return self._looks[min(found, len(self._looks) - 1)]


def trouble_of(verdict: Verdict | None) -> str:
    """Why a run with this verdict does not count; empty where it is valid and every required bound held."""
    if verdict is None:
        return "it has no verdict"
    if not verdict.validity.valid:
        return "; ".join(verdict.validity.reasons)
    failed = [each for each in verdict.judgements if each.required and each.truth != "passed"]
    return "; ".join(f"{each.name}: {each.truth}, {each.evidence}" for each in failed)


def run_squall(lab: Lab, load: Load, url: str, watch: Watch | None = None) -> SquallRun:
    """Carry out a run, watched from outside.

    Raises:
        CouldNotRun: squall did not carry it out; with the end of what it wrote.
    """
    folder, printed = lab.fresh("run"), lab.fresh("printed")
    command = [sys.executable, "-m", "squall", "run", *load.arguments(url)]
    command += ["--out", str(folder), "--progress", load.progress, "--no-csv", "--no-markdown"]
    looks: list[Look] = []
    with _started(command, printed, load.environment()) as process:
        for _ in _until_ended(process):
            looks += _look_at(process, folder)
            if watch is not None:
                watch(process, folder)
    if process.returncode not in USABLE_EXIT_CODES:
        raise CouldNotRun(f"squall ended with {process.returncode}: {_reason(folder, printed)}")
    return SquallRun(folder, looks)


@contextmanager
def _started(command: list[str], printed: Path, settings: dict[str, str]) -> Iterator[psutil.Popen]:
    """A process that is killed if it still runs at the end; squall's workers end with their coordinator."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")
    } | settings
    with printed.open("wb") as file:
        process = psutil.Popen(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def _until_ended(process: psutil.Popen) -> Iterator[None]:
    """Yield at each look, until the process has ended."""
    for _ in range(int(RUN_MAX_S / LOOK_EVERY_S)):
        try:
            process.wait(LOOK_EVERY_S)
        except psutil.TimeoutExpired:
            yield
        else:
            return
    raise CouldNotRun(f"squall did not end within {RUN_MAX_S:.0f} s")


def _reason(folder: Path, printed: Path) -> str:
    """Why squall was not content: what the record says, else the end of what was printed."""
    try:
        verdict = open_run(folder).verdict
    except StoreError:
        verdict = None
    if verdict is not None and verdict.reasons:
        return "; ".join(verdict.reasons)
    return " ".join(printed.read_text(errors="replace").split())[-300:]


def _look_at(process: psutil.Process, folder: Path) -> list[Look]:
    """One look; none while there is no log, or if the process has ended meanwhile."""
    try:
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info()
        return [Look((folder / LOG_FILE).stat().st_size, times.user + times.system, memory.rss)]
    except (psutil.Error, FileNotFoundError):
        return []


def _log_ends(folder: Path) -> list[int]:
    """How long the log was when each interval had been written."""
    ends, at = [], _PREAMBLE_BYTES
    for payload in FrameReader(folder / LOG_FILE):
        at += _FRAME_BYTES + len(payload)
        if kind_of(payload) == Kind.INTERVAL:
            ends.append(at)
    return ends


def _cpu_ns(interval: Interval) -> int:
    return sum(sample.cpu_ns for sample in interval.workers)
