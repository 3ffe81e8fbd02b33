"""What it costs to keep account of everything: four types with all tracking on, over plain echo of one type.

Plain echo is judged message by message for loss, copies and damage, and no more: order, times, acknowledgements and
causes are switched off. Both run the same work against the same C echo server, in interleaved pairs, and each pair
begins with the other one. What is compared is the CPU of the workers for each verified round trip.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from benchmarks.cost import fast_load, many_load
from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server
from benchmarks.rows import Part, Row, judged, span
from benchmarks.squall_runs import Load, run_squall

__all__ = ["cost_of_all"]

TYPES: Final = 4
SHARE_MAX: Final = 0.15
RATE_HZ: Final = 20_000


@dataclass(frozen=True)
class Pair:
    """Plain echo and all tracking on the same work, one after the other; µs of CPU a round trip."""

    plain_us: float
    all_us: float

    @property
    def share(self) -> float:
        """What tracking adds, as a share of plain echo."""
        return self.all_us / self.plain_us - 1


def cost_of_all(lab: Lab) -> Part:
    """At 10,000 connections × 1 message a second, and at 100 connections that are fast."""
    rows: list[Row] = []
    commands: list[str] = []
    for work, load in (
        ("10,000 connections × 1 msg/s", many_load(lab)),
        (f"100 connections × {RATE_HZ / 100:,.0f} msg/s", fast_load(lab, RATE_HZ)),
    ):
        plain, whole = replace(load, tracking=False), replace(load, types=TYPES)
        pairs = [_pair(lab, plain, whole, place) for place in range(lab.pairs)]
        share = median(pair.share for pair in pairs)
        rows.append(
            Row(
                what=f"all tracking, {TYPES} types, over plain echo of one: {work}",
                measured=f"{median(pair.all_us for pair in pairs):.2f} µs over "
                f"{median(pair.plain_us for pair in pairs):.2f} µs",
                ratio=f"+ {share:.1%}",
                spread=span((100 * pair.share for pair in pairs), 1) + " %",
                bound=f"≤ + {SHARE_MAX:.0%}",
                verdict=judged(share, SHARE_MAX),
            )
        )
        commands += [plain.command(), whole.command()]
    note = (
        "Tracking is order (within the stream and the type), ordering latency, gaps, times and causes; checksums are "
        "on in both, and there are no acknowledgements in either."
    )
    return Part(rows=rows, notes=[note], commands=commands)


def _pair(lab: Lab, plain: Load, whole: Load, place: int) -> Pair:
    found: dict[bool, float] = {}
    for load in (plain, whole) if place % 2 else (whole, plain):
        with c_echo_server() as url:
            found[load.tracking] = run_squall(lab, load, url).worker_cpu_us
    pair = Pair(found[False], found[True])
    lab.say(
        f"pair {place + 1} of {lab.pairs}: {pair.plain_us:.2f} and {pair.all_us:.2f} µs, {pair.share:+.1%}"
    )
    return pair
