"""How fast squall connects, and how many connections it holds, on one machine with the bundled service."""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median

import psutil

from benchmarks.cost import MANY
from benchmarks.lab import Lab
from benchmarks.parties import Service, bundled_service
from benchmarks.rows import Part, Row, judged, span
from benchmarks.squall_runs import Load, run_squall

__all__ = ["connections_per_second", "sixty_thousand"]

LEAST_PER_S = 2000
MOST = 60_000
WORKERS = 4
SOURCES = ("127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4")


class FirstAndLast:
    """Watches the service's own count of connections: when the first was there, and when all were."""

    def __init__(self, service: Service, wanted: int) -> None:
        self._service = service
        self._wanted = wanted
        self._before_first_s = 0.0
        self.seconds: float | None = None
        """From the last look without any connection to the first look with all; None until then."""

    def look(self, _process: psutil.Process, _folder: Path) -> None:
        """One look."""
        if self.seconds is not None:
            return
        asked_s = time.monotonic()
        there = self._service.counters()["connections"]
        if there == 0:
            self._before_first_s = asked_s
        elif there >= self._wanted:
            self.seconds = time.monotonic() - self._before_first_s


def connections_per_second(lab: Lab) -> Part:
    """10,000 connections asked for at once, with their traffic, from the first to the last."""
    load = Load(connections=MANY, rate_hz=1, hold_s=3, ramp_up_s=0)
    rates: list[float] = []
    troubles: list[str] = []
    for _ in range(1 if lab.quick else 3):
        with bundled_service() as service:
            watch = FirstAndLast(service, MANY)
            run = run_squall(lab, load, service.url, watch.look)
        if watch.seconds is None or run.held_least < MANY:
            troubles.append(f"only {run.held_least:,} of {MANY:,} connections were held")
        else:
            rates.append(MANY / watch.seconds)
            lab.say(f"{MANY:,} connections in {watch.seconds:.2f} s: {rates[-1]:,.0f} a second")
        if run.trouble:
            troubles.append(run.trouble)
    middle = median(rates) if rates else 0.0
    row = Row(
        what="connections a second, bundled service on the same cores",
        measured=f"{middle:,.0f}/s" if rates else "not measured",
        spread=span(rates, 0) if rates else "",
        bound=f"≥ {LEAST_PER_S:,}/s",
        verdict=judged(middle, LEAST_PER_S, at_most=False) if rates else "not met",
    )
    how = (
        "Timed by the service's own count, asked ten times a second: from the last look without a connection to "
        "the first with all. Each connection sends its message a second as soon as it is there."
    )
    return Part(rows=[row], notes=[how, *dict.fromkeys(troubles)], commands=[load.command()])


def sixty_thousand(lab: Lab) -> Part:
    """60,000 connections from several source addresses, as many service processes as workers."""
    load = Load(
        connections=MOST,
        rate_hz=0.1,
        hold_s=lab.seconds(15, 6),
        ramp_up_s=40,
        ramp_down_s=10,
        workers=WORKERS,
        source_addresses=SOURCES,
    )
    theirs = 0

    def watch(_process: psutil.Process, _folder: Path) -> None:
        nonlocal theirs
        theirs = max(theirs, service.resident_bytes())

    with bundled_service(processes=WORKERS) as service:
        base = service.resident_bytes()
        run = run_squall(lab, load, service.url, watch)
    messages = run.messages
    p99_ns = messages.response.quantile_ns(0.99)
    lost = sum(cell.lost for interval in run.record.intervals for cell in interval.messages)
    dropped = sum(cell.dropped for interval in run.record.intervals for cell in interval.connections)
    row = Row(
        what=f"{MOST:,} connections at 0.1 msg/s, {WORKERS} workers, {WORKERS} service processes",
        measured=f"{run.held_least:,} held, lost {lost}, dropped {dropped}, response p99 "
        + ("not measured" if p99_ns is None else f"{p99_ns / 1e6:.1f} ms"),
        bound=f"{MOST:,} held, lost 0",
        verdict="met" if run.held_least >= MOST and not lost and not dropped else "not met",
    )
    memory = Row(
        what="memory of both sides at that level",
        measured=f"squall {run.resident_bytes / 1e6:,.0f} MB, service {theirs / 1e6:,.0f} MB "
        f"(before: {base / 1e6:,.0f} MB)",
        verdict="stated",
    )
    lab.say(f"{row.what}: {row.measured}; {memory.measured}")
    notes = [f"The run was not valid: {run.trouble}."] if run.trouble else []
    return Part(
        rows=[row, memory], notes=notes, commands=[f"squall serve --processes {WORKERS}", load.command()]
    )
