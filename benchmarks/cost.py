"""CPU for each verified round trip, against the floor: the same work, the same server, in interleaved pairs.

The floor's figure is its own (`floor/client.c`), squall's that of `squall_runs`. Both are the CPU of the
client side alone; squall's ratio counts its workers, and a second row adds the coordinator.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server, floor
from benchmarks.rows import CouldNotRun, Part, Row, judged, span
from benchmarks.squall_runs import Load, SquallRun, run_squall

__all__ = ["at_ten_thousand_connections", "at_the_highest_rate", "fast_load", "many_load"]

MANY, FAST = 10_000, 100
TRIAL_S = 6.0
PAIR_S = 32.0
"""What a pair over 100 connections takes, with all that starts and ends."""
RATES_HZ = (50_000, 45_000, 40_000, 35_000, 30_000, 25_000, 20_000, 15_000, 10_000, 5_000)


@dataclass(frozen=True)
class Pair:
    """The floor and squall on the same work, one after the other."""

    floor_us: float
    squall: SquallRun

    @property
    def ratio(self) -> float:
        """What counts: the workers' CPU over the floor's."""
        return self.squall.worker_cpu_us / self.floor_us

    @property
    def ratio_with_coordinator(self) -> float:
        """The same with the coordinator's CPU added."""
        return (self.squall.worker_cpu_us + self.squall.coordinator_cpu_us) / self.floor_us


def many_load(lab: Lab) -> Load:
    """10,000 connections at a message a second each."""
    return Load(connections=MANY, rate_hz=1, hold_s=lab.seconds(12, 6))


def fast_load(lab: Lab, rate_hz: float) -> Load:
    """100 connections that share a rate."""
    return Load(
        connections=FAST, rate_hz=rate_hz / FAST, hold_s=lab.seconds(12, 6), ramp_up_s=1, ramp_down_s=1
    )


def at_ten_thousand_connections(lab: Lab) -> Part:
    """10,000 connections × 1 message a second."""
    load = many_load(lab)
    pairs = [_pair(lab, load, place) for place in range(lab.pairs)]
    notes = _invalid(pairs)
    return Part(
        rows=_rows("10,000 connections × 1 msg/s", pairs, bound=2.4, goal=2.0),
        notes=notes,
        commands=[load.command(), _floor_words(load)],
    )


def at_the_highest_rate(lab: Lab) -> Part:
    """100 connections at the highest rate, of at most 50,000 messages a second, at which every run is valid."""
    refused: list[str] = []
    for rate_hz in RATES_HZ:
        load = fast_load(lab, rate_hz)
        pairs, trouble = _pairs_while_valid(lab, load)
        if trouble:
            refused.append(f"- {rate_hz:,} msg/s: {trouble}")
            lab.say(refused[-1])
            continue
        lab.fast_rate_hz = rate_hz
        return Part(
            rows=_rows(f"100 connections × {rate_hz / FAST:,.0f} msg/s", pairs, bound=2.0, goal=1.7),
            notes=["\n".join(["Rates at which a run was not valid:", "", *refused])] if refused else [],
            commands=[load.command(), _floor_words(load)],
        )
    raise CouldNotRun(f"no rate down to {RATES_HZ[-1]:,} msg/s at which all runs were valid; {refused[-1]}")


def _pairs_while_valid(lab: Lab, load: Load) -> tuple[list[Pair], str]:
    """All pairs after a short run for trial, or those up to the first run that was not valid, and why."""
    if time.monotonic() + lab.pairs * PAIR_S > lab.ends_s:
        raise CouldNotRun("no time is left to try lower rates")
    with c_echo_server() as url:
        if trouble := run_squall(lab, replace(load, hold_s=TRIAL_S), url).trouble:
            return [], trouble
    pairs: list[Pair] = []
    for place in range(lab.pairs):
        pairs.append(_pair(lab, load, place))
        if trouble := pairs[-1].squall.trouble:
            return pairs, trouble
    return pairs, ""


def _pair(lab: Lab, load: Load, place: int) -> Pair:
    rate_hz = load.rate_hz * load.connections
    with c_echo_server() as url:
        bare = floor(url, connections=load.connections, rate_hz=rate_hz, hold_s=load.hold_s)
    with c_echo_server() as url:
        ours = run_squall(lab, load, url)
    pair = Pair(bare["cpu_us_per_round_trip"], ours)
    lab.say(
        f"pair {place + 1} of {lab.pairs} at {rate_hz:,.0f} msg/s: floor {pair.floor_us:.2f} µs, squall "
        f"{ours.worker_cpu_us:.2f} µs + coordinator {ours.coordinator_cpu_us:.2f} µs, ratio {pair.ratio:.2f}"
        + (f"; {ours.trouble}" if ours.trouble else "")
    )
    return pair


def _rows(work: str, pairs: Sequence[Pair], *, bound: float, goal: float) -> list[Row]:
    bare = [pair.floor_us for pair in pairs]
    ours = [pair.squall.worker_cpu_us for pair in pairs]
    beside = [pair.squall.coordinator_cpu_us for pair in pairs]
    ratio = median(pair.ratio for pair in pairs)
    both = median(pair.ratio_with_coordinator for pair in pairs)
    return [
        Row(
            what=f"CPU per verified round trip, {work}: workers",
            measured=f"{median(ours):.2f} µs ({span(ours)})",
            floor=f"{median(bare):.2f} µs ({span(bare)})",
            ratio=f"{ratio:.2f}",
            spread=span(pair.ratio for pair in pairs),
            bound=f"≤ {bound}",
            goal=f"≤ {goal}",
            verdict=judged(ratio, bound, goal),
        ),
        Row(
            what="the same with the coordinator",
            measured=f"+ {median(beside):.2f} µs ({span(beside)})",
            ratio=f"{both:.2f}",
            spread=span(pair.ratio_with_coordinator for pair in pairs),
            verdict="stated",
        ),
    ]


def _invalid(pairs: Sequence[Pair]) -> list[str]:
    troubles = [
        f"- pair {place}: {pair.squall.trouble}" for place, pair in enumerate(pairs, 1) if pair.squall.trouble
    ]
    return (
        ["\n".join(["Runs that were not valid, and counted all the same:", "", *troubles])]
        if troubles
        else []
    )


def _floor_words(load: Load) -> str:
    return (
        f"floor client --port P --connections {load.connections} --rate {load.rate_hz * load.connections:g}"
        f" --seconds {load.hold_s:g} --window-us {load.window_ms * 1000:g} --payload {load.payload}"
    )
