"""What the fault proxy adds to a response time, and what it costs: with and without it, in interleaved pairs.

The same run goes to the same echo server, once straight and once through the proxy; all of it shares this machine's
cores. The added time is the difference of the two p99 of the response time, over the steady seconds of the hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

import psutil

from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server, proxy_before
from benchmarks.rows import CouldNotRun, Part, Row, judged, span
from benchmarks.squall_runs import Load, SquallRun, run_squall

__all__ = ["at_five_thousand_connections"]

MANY: Final = 5_000
ADDED_P99_MAX_MS: Final = 5.0
STRIKES_NOTHING: Final = "drop:1e-12"
"""A fault of messages is on, so that all frames are read, and none is struck."""


@dataclass(frozen=True)
class Pair:
    """One run straight to the server, and one through the proxy."""

    straight_ms: float
    through_ms: float
    cpu_us: float
    """Of the proxy, for each message of either direction."""
    memory_kb: float
    """Resident memory of the proxy for each connection."""
    troubles: tuple[str, ...]

    @property
    def added_ms(self) -> float:
        """What the proxy added to the p99."""
        return self.through_ms - self.straight_ms


class Usage:
    """Looks at the proxy while a run holds its connections; a `Watch`."""

    def __init__(self, proxy: psutil.Process) -> None:
        self._proxy = proxy
        self._cpu_s = self._now_s()
        self.cpu_s = 0.0
        self.resident_bytes = 0

    def __call__(self, _process: psutil.Process, _folder: Path) -> None:
        """One look."""
        self.cpu_s = self._now_s() - self._cpu_s
        self.resident_bytes = max(self.resident_bytes, self._proxy.memory_info().rss)

    def _now_s(self) -> float:
        times = self._proxy.cpu_times()
        return float(times.user + times.system)


def at_five_thousand_connections(lab: Lab) -> Part:
    """5,000 connections × 1 message a second through one proxy, which only passes them, and which reads all frames."""
    load = Load(connections=MANY, rate_hz=1, hold_s=lab.seconds(12, 5))
    rows: list[Row] = []
    notes: list[str] = []
    for words, faults in (("no fault", ()), ("frames read, none struck", (STRIKES_NOTHING,))):
        pairs = [_pair(lab, load, place, faults) for place in range(lab.pairs if not faults else 1)]
        rows += _rows(words, pairs, is_judged=not faults)
        notes += [
            f"{words}, pair {place}: {why}" for place, pair in enumerate(pairs, 1) for why in pair.troubles
        ]
    return Part(rows=rows, notes=notes, commands=[load.command(), "squall proxy --listen 0 --upstream URL"])


def _pair(lab: Lab, load: Load, place: int, faults: tuple[str, ...]) -> Pair:
    with c_echo_server() as url:
        straight = run_squall(lab, load, url)
    with c_echo_server() as url, proxy_before(url, *faults) as (through_url, proxy):
        usage = Usage(proxy)
        through = run_squall(lab, load, through_url, usage)
    carried = 2 * sum(cell.sent for interval in through.record.intervals for cell in interval.messages)
    pair = Pair(
        straight_ms=_p99_ms(straight),
        through_ms=_p99_ms(through),
        cpu_us=usage.cpu_s * 1e6 / max(1, carried),
        memory_kb=usage.resident_bytes / 1e3 / load.connections,
        troubles=tuple(run.trouble for run in (straight, through) if run.trouble),
    )
    lab.say(
        f"pair {place + 1}: p99 {pair.straight_ms:.2f} ms straight, {pair.through_ms:.2f} ms through the proxy "
        f"({pair.cpu_us:.1f} µs CPU a message)" + "".join(f"; {why}" for why in pair.troubles)
    )
    return pair


def _p99_ms(run: SquallRun) -> float:
    [p99_ns] = run.messages.response.quantiles_ns(0.99)
    if p99_ns is None:
        raise CouldNotRun("a run had no response time")
    return p99_ns / 1e6


def _rows(words: str, pairs: list[Pair], *, is_judged: bool) -> list[Row]:
    added = [pair.added_ms for pair in pairs]
    bound = f"≤ {ADDED_P99_MAX_MS:g} ms" if is_judged else ""
    return [
        Row(
            what=f"p99 that the proxy adds, 5,000 connections × 1 msg/s: {words}",
            measured=f"{median(added):+.2f} ms ({median(pair.through_ms for pair in pairs):.2f} ms)",
            floor=f"{median(pair.straight_ms for pair in pairs):.2f} ms straight",
            spread=span(added),
            bound=bound,
            verdict=judged(median(added), ADDED_P99_MAX_MS) if is_judged else "stated",
        ),
        Row(
            what=f"what it takes: {words}",
            measured=f"{median(pair.cpu_us for pair in pairs):.1f} µs CPU a message, "
            f"{median(pair.memory_kb for pair in pairs):.1f} KB a connection",
            verdict="stated",
        ),
    ]
