"""Where the distance to the floor goes: both clients sampled by `perf` while they hold, grouped by whose code ran.

A group's µs are its share of the samples times the CPU per round trip of the same run, so that groups add up
to it. Sampling itself costs a little, in both: the figures of the table are measured without it. Symbols are
those that the binaries carry; what a library inlined is counted to whoever inlined it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import psutil

from benchmarks.cost import fast_load, many_load
from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server, ended, floor_command, floor_started, runs_on
from benchmarks.rows import CouldNotRun, Part, Row
from benchmarks.squall_runs import Load, run_squall
from squall.errors import StoreError
from squall.store.reader import open_run

__all__ = ["distance"]

HERTZ: Final = 999
"""Beside a round number, so that samples do not fall in step with the pacing window."""
TOP: Final = 16
FLOOR_CONNECTS_PER_S: Final = 4000
SETTLE_S: Final = 1.5
SAMPLE: Final = re.compile(r"\s*[0-9a-f]+ (?P<symbol>.+) \((?P<binary>[^()]*)\)$")
GROUPS: Final = (
    ("kernel", ("[kernel", "[guest.kernel", "[vdso]", ".ko")),
    ("picows", ("/picows/",)),
    ("uvloop", ("/uvloop/",)),
    ("aiofastnet", ("/aiofastnet/",)),
    ("squall", ("/squall/",)),
    ("floor client", ("floor-client-",)),
    ("checksum of bodies (xxhash)", ("xxhash",)),
    ("python", ("/python3", "/libpython")),
    ("C library", ("/libc.", "/libc-", "/libm.", "/ld-linux")),
)
"""The first whose mark stands in the binary's path."""

Sample = tuple[str, str]
"""The group, and the symbol."""


def distance(lab: Lab) -> Part:
    """Both clients at both loads of the cost benches, by group and by symbol."""
    if shutil.which("perf") is None:
        raise CouldNotRun("no profiler here: perf is not on the PATH (Debian: linux-perf)")
    rows: list[Row] = []
    notes: list[str] = []
    for load in (many_load(lab), fast_load(lab, lab.fast_rate_hz)):
        work = f"{load.connections:,} connections, {load.connections * load.rate_hz:,.0f} msg/s"
        bare, ours = _floor_profile(lab, load), _squall_profile(lab, load)
        lab.say(f"profiles at {work}: {len(bare[1])} samples of the floor, {len(ours[1])} of squall")
        largest = _differences(bare, ours)[0]
        rows.append(
            Row(
                what=f"where the distance goes, {work}",
                measured=f"{ours[0] - bare[0]:+.2f} µs to the floor",
                floor=f"{bare[0]:.2f} µs",
                ratio=f"{ours[0] / bare[0]:.2f}",
                verdict=f"most to {largest[0]}: {largest[3]:+.2f} µs",
            )
        )
        notes.append(_words(work, bare, ours))
    return Part(rows=rows, notes=notes, commands=[f"perf record -F {HERTZ} -p PID -- sleep S"])


def _floor_profile(lab: Lab, load: Load) -> tuple[float, list[Sample]]:
    rate_hz = load.rate_hz * load.connections
    with c_echo_server() as url:
        command = floor_command(url, connections=load.connections, rate_hz=rate_hz, hold_s=load.hold_s)
        with floor_started(command) as client:
            runs_on(client, load.connections / FLOOR_CONNECTS_PER_S + SETTLE_S)
            data = _record(lab, client.pid, load.hold_s - 2 * SETTLE_S)
            figures = ended(client)
    return figures["cpu_us_per_round_trip"], _samples(data)


def _squall_profile(lab: Lab, load: Load) -> tuple[float, list[Sample]]:
    taken: list[Path] = []

    def sample_the_worker(process: psutil.Process, folder: Path) -> None:
        if not taken and _is_holding(folder):
            workers = [each for each in process.children() if "squall.fleet.process" in each.cmdline()]
            if len(workers) != 1:
                raise CouldNotRun(f"the run has {len(workers)} workers, not one")
            taken.append(_record(lab, workers[0].pid, load.hold_s - 2 * SETTLE_S))

    with c_echo_server() as url:
        run = run_squall(lab, load, url, sample_the_worker)
    if not taken:
        raise CouldNotRun("the run was over before its worker could be profiled")
    return run.worker_cpu_us, _samples(taken[0])


def _is_holding(folder: Path) -> bool:
    try:
        return any(phase.name == "hold" for phase in open_run(folder).phases)
    except StoreError:
        return False


def _record(lab: Lab, pid: int, seconds: float) -> Path:
    """Sample a process.

    Raises:
        CouldNotRun: perf may not, or cannot.
    """
    data = lab.fresh("perf")
    command = ["perf", "record", "-q", "-F", str(HERTZ), "-p", str(pid), "-o", str(data)]
    done = subprocess.run(
        [*command, "--", "sleep", f"{seconds:g}"], capture_output=True, text=True, check=False
    )
    if done.returncode or not data.exists():
        raise CouldNotRun(f"perf could not sample: {done.stderr.strip() or done.returncode}")
    return data


def _samples(data: Path) -> list[Sample]:
    command = ["perf", "script", "-i", str(data), "-F", "ip,sym,dso"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [_sample(match) for line in done.stdout.splitlines() if (match := SAMPLE.fullmatch(line))]
    if not found:
        raise CouldNotRun(f"perf took no samples: {done.stderr.strip()[:200] or 'it said nothing'}")
    return found


def _sample(match: re.Match[str]) -> Sample:
    binary = match["binary"]
    group = next((name for name, marks in GROUPS if any(mark in binary for mark in marks)), "others")
    symbol = match["symbol"].partition("+0x")[0]
    return group, "(no symbol)" if symbol == "[unknown]" else symbol


def _differences(
    bare: tuple[float, list[Sample]], ours: tuple[float, list[Sample]]
) -> list[tuple[str, float, float, float]]:
    """Group, µs of the floor, µs of squall, the difference; the largest difference first."""
    theirs, own = _costs(bare, lambda sample: sample[0]), _costs(ours, lambda sample: sample[0])
    found = [
        (name, theirs.get(name, 0.0), own.get(name, 0.0), own.get(name, 0.0) - theirs.get(name, 0.0))
        for name in {*theirs, *own}
    ]
    return sorted(found, key=lambda each: -each[3])


def _costs(profile: tuple[float, list[Sample]], key: Callable[[Sample], str]) -> dict[str, float]:
    cpu_us, samples = profile
    return {name: cpu_us * count / len(samples) for name, count in Counter(map(key, samples)).most_common()}


def _words(work: str, bare: tuple[float, list[Sample]], ours: tuple[float, list[Sample]]) -> str:
    lines = [
        f"**{work}**, µs a round trip ({len(bare[1]):,} samples of the floor, {len(ours[1]):,} of squall):"
    ]
    lines += ["", "| whose code | floor | squall | difference |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {name} | {theirs:.2f} | {own:.2f} | {more:+.2f} |"
        for name, theirs, own, more in _differences(bare, ours)
    ]
    lines.append(f"| all | {bare[0]:.2f} | {ours[0]:.2f} | {ours[0] - bare[0]:+.2f} |")
    lines += [
        "",
        "The dearest symbols of squall's worker:",
        "",
        "| whose code | symbol | µs |",
        "| --- | --- | --- |",
    ]
    lines += [f"| {name} | `{symbol}` | {cost:.2f} |" for name, symbol, cost in _dearest(ours)]
    return "\n".join(lines)


def _dearest(profile: tuple[float, list[Sample]]) -> Iterable[tuple[str, str, float]]:
    cpu_us, samples = profile
    for (name, symbol), count in Counter(samples).most_common(TOP):
        yield name, symbol, cpu_us * count / len(samples)
