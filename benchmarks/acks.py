"""What an acknowledgement costs: acknowledged send over plain echo, at the same service, in interleaved rounds.

The bundled service echoes at its root and acknowledges at `/ack`; at `/ack/echo` it does both, so that there are two
messages back for each one sent. Plain echo is judged message by message for loss, copies and damage, and no more; the
others with all tracking on. What is compared is the CPU of squall's workers for each message delivered; each round
begins with another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from benchmarks.cost import fast_load, many_load
from benchmarks.lab import Lab
from benchmarks.parties import bundled_service
from benchmarks.rows import Part, Row, judged, span
from benchmarks.squall_runs import Load, run_squall

__all__ = ["over_plain_echo"]

SHARE_MAX: Final = 0.40
RATE_HZ: Final = 5_000
"""Over 100 connections: what the bundled service, in Python, carries beside squall."""
HOLD_S: Final = 6.0


@dataclass(frozen=True, kw_only=True)
class Way:
    """How messages are sent: at which path of the service, by which exchange."""

    what: str
    path: str
    exchange: str
    settings: tuple[tuple[str, str], ...] = ()
    bound: float | None = None

    def load(self, load: Load) -> Load:
        """The same work in this way."""
        tracking = self.exchange != "echo"
        return replace(
            load, hold_s=HOLD_S, exchange=self.exchange, exchange_settings=self.settings, tracking=tracking
        )


ECHO: Final = Way(what="plain echo", path="", exchange="echo")
ACK: Final = Way(what="acknowledged send over plain echo", path="ack", exchange="ack", bound=SHARE_MAX)
RECEIVED: Final = Way(
    what="the same, delivered to its sender too",
    path="ack/echo",
    exchange="ack",
    settings=(("evidence", "receiver"),),
)


def over_plain_echo(lab: Lab) -> Part:
    """At 10,000 connections × 1 message a second, and at 100 connections that are fast."""
    many, fast = many_load(lab), fast_load(lab, RATE_HZ)
    rows = [
        *_rows(lab, "10,000 connections × 1 msg/s", many, (ECHO, ACK)),
        *_rows(lab, f"100 connections × {RATE_HZ / 100:,.0f} msg/s", fast, (ECHO, ACK, RECEIVED)),
    ]
    note = (
        "Each message waits in a window with a time-out, is found there by its acknowledgement, and is timed twice; an "
        "acknowledgement has 48 bytes where the echo has 128."
    )
    return Part(rows=rows, notes=[note], commands=[way.load(fast).command() for way in (ECHO, ACK, RECEIVED)])


def _rows(lab: Lab, work: str, load: Load, ways: Sequence[Way]) -> list[Row]:
    rounds = [_round(lab, load, ways, place) for place in range(lab.pairs)]
    rows = []
    for way in ways[1:]:
        shares = [each[way.path] / each[ECHO.path] - 1 for each in rounds]
        share = median(shares)
        rows.append(
            Row(
                what=f"{way.what}: {work}",
                measured=f"{median(each[way.path] for each in rounds):.2f} µs over "
                f"{median(each[ECHO.path] for each in rounds):.2f} µs",
                ratio=f"+ {share:.1%}",
                spread=span((100 * each for each in shares), 1) + " %",
                bound="" if way.bound is None else f"≤ + {way.bound:.0%}",
                verdict="stated" if way.bound is None else judged(share, way.bound),
            )
        )
    return rows


def _round(lab: Lab, load: Load, ways: Sequence[Way], place: int) -> dict[str, float]:
    """µs of CPU a message, by path."""
    first = place % len(ways)
    found: dict[str, float] = {}
    for way in (*ways[first:], *ways[:first]):
        with bundled_service() as service:
            found[way.path] = run_squall(lab, way.load(load), service.url + way.path).worker_cpu_us
    lab.say(
        f"round {place + 1} of {lab.pairs}: "
        + ", ".join(f"/{way.path} {found[way.path]:.2f} µs" for way in ways)
    )
    return found
