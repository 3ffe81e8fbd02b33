"""The small things: the steps of the hot path, compiled and from sources, and what recording a second costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec

from benchmarks.cost import MANY
from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server
from benchmarks.rows import CouldNotRun, Part, Row, judged
from benchmarks.squall_runs import Load, SquallRun, run_squall
from squall.engine.merge import Merger
from squall.metrics.totals import Totals
from squall.record.snapshots import Interval, Place, Snapshot
from squall.store.writer import RunWriter

__all__ = ["hot_steps", "recording"]

FIRST_TYPE_MB, FURTHER_TYPE_MB = 20.0, 6.0
TYPES: Final = 4
REPLAYED: Final = 300
"""Seconds of a run that are recorded again, to time it."""


def hot_steps(lab: Lab) -> Part:
    """Nanoseconds of each step of the hot path."""
    compiled, sources = _loops(pure=False), _loops(pure=True)
    empty_ns = {kind: found["ns"].pop("empty call") for kind, found in (("c", compiled), ("p", sources))}
    without = compiled["sources"]
    rows = [
        Row(
            what=name,
            measured=f"not compiled: {without}" if without else f"{cost_ns:.0f} ns compiled",
            floor="",
            ratio=f"{sources['ns'][name]:.0f} ns from sources",
            verdict="stated",
        )
        for name, cost_ns in compiled["ns"].items()
    ]
    lab.say("; ".join(f"{row.what} {row.measured}, {row.ratio}" for row in rows))
    note = (
        "Steps of the hot path are called from Python, best of five rounds; an empty call alone takes "
        f"{empty_ns['c']:.0f} ns there, which a compiled run does not pay."
    )
    return Part(rows=rows, notes=[note], commands=["python -m benchmarks.hot_loops"])


def recording(lab: Lab) -> Part:
    """Bytes on disk an hour, and the time that a second takes to record, for one message type and for four."""
    loads = [
        Load(connections=MANY, rate_hz=1, hold_s=lab.seconds(10, 5), types=types) for types in (1, TYPES)
    ]
    runs = []
    for load in loads:
        with c_echo_server() as url:
            runs.append(run_squall(lab, load, url))
    one, four = (run.log_bytes_per_hour / 1e6 for run in runs)
    further = (four - one) / (TYPES - 1)
    rows = [
        Row(
            what="on disk an hour, 10,000 msg/s, one type",
            measured=f"{one:.1f} MB",
            bound=f"≤ {FIRST_TYPE_MB:g} MB",
            verdict=judged(one, FIRST_TYPE_MB),
        ),
        Row(
            what=f"on disk an hour, each further type (of {TYPES})",
            measured=f"{further:.1f} MB",
            bound=f"≤ {FURTHER_TYPE_MB:g} MB",
            verdict=judged(further, FURTHER_TYPE_MB),
        ),
    ]
    for types, run in zip((1, TYPES), runs, strict=True):
        rows.append(
            Row(
                what=f"recording a second, types: {types} (merge, totals, write)",
                measured=f"{_recording_us(lab, run):.0f} µs",
                verdict="stated",
            )
        )
    lab.say("; ".join(f"{row.what}: {row.measured}" for row in rows))
    note = (
        "Bytes on disk are what the log of a real run grew by in its hold. A real second is recorded again, "
        f"{REPLAYED} times, by the classes that a run uses; the median is given, with the report of one worker."
    )
    return Part(rows=rows, notes=[note], commands=[load.command() for load in loads])


def _loops(*, pure: bool) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}
    command = [sys.executable, "-m", "benchmarks.hot_loops"]
    done = subprocess.run(
        command,
        env=environment | ({"SQUALL_PURE": "1"} if pure else {}),
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise CouldNotRun(f"the hot loops failed: {done.stderr.strip()[-200:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _recording_us(lab: Lab, run: SquallRun) -> float:
    """The median time that the way from a worker's report to the disk takes, in µs."""
    header = run.record.header
    merger = Merger([0], lambda _at_ns: MANY)
    totals = Totals(header.populations, header.types)
    for phase in run.record.phases:
        totals.note(phase)
    seconds = [interval for _, interval in run.steady[1:]]
    places = [place for interval in run.record.intervals for place in interval.places]
    took_us: list[float] = []
    folder = lab.fresh("replayed")
    folder.mkdir()
    with RunWriter(folder, header) as writer:
        for index in range(REPLAYED):
            report = _as_report(seconds[index % len(seconds)], index, [] if index else places)
            begun_ns = time.perf_counter_ns()
            for interval in merger.add(report):
                totals.add(interval)
                writer.accept(interval)
            took_us.append((time.perf_counter_ns() - begun_ns) / 1e3)
    return median(took_us)


def _as_report(interval: Interval, index: int, places: list[Place]) -> Snapshot:
    """An interval as the report of the only worker, on another second, with the places it tells of first."""
    return Snapshot(
        index=index,
        at_ns=(index + 1) * 1_000_000_000,
        sample=msgspec.structs.replace(interval.workers[0], worker=0),
        messages=interval.messages,
        connections=interval.connections,
        places=places,
    )
