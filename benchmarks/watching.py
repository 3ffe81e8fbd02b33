"""What it costs to watch: samples each 5 s, the live views each second, and the record, at 10,000 connections.

The share of one core is that of squall's coordinating process in the hold of a real run, which does nothing
else. The looks themselves are timed beside it, in this process, at the same sockets.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import Final

import psutil

from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server
from benchmarks.rows import CouldNotRun, Part, Row, judged
from benchmarks.squall_runs import Load, run_squall
from benchmarks.viewer import viewer
from squall.sampling.base import Sampler
from squall.sampling.generator import GeneratorSampler
from squall.sampling.host import HostSampler
from squall.sampling.ports import PortSampler

__all__ = ["at_ten_thousand_connections"]

MANY: Final = 10_000
CORE_SHARE_MAX: Final = 0.05
LOOKS: Final = 4
LOOK_EVERY_S: Final = 2.0


class Looks:
    """Times looks of our own while a run holds its connections; a `Watch`."""

    def __init__(self, port: int) -> None:
        self.took_ms: dict[str, list[float]] = {}
        self.seen = 0
        """The most established connections that a look saw."""
        self._port = port
        self._samplers: list[Sampler] = []
        self._next_s = 0.0

    def __call__(self, process: psutil.Process, _folder: Path) -> None:
        """Take the looks, if it is time for some."""
        if time.monotonic() < self._next_s or len(self.took_ms.get("host", ())) >= LOOKS:
            return
        self._next_s = time.monotonic() + LOOK_EVERY_S
        workers = [child.pid for child in process.children()]
        if not self._samplers:
            self._samplers = [
                PortSampler("target", self._port),
                GeneratorSampler(lambda: workers, [self._port], here=True),
                HostSampler(),
            ]
        for sampler in self._samplers:
            begun_s = time.thread_time()
            found = sampler.look(0, time.monotonic_ns())
            took_ms = (time.thread_time() - begun_s) * 1e3
            established = 0 if found is None else (found.tcp_states or {}).get("established", 0)
            if sampler.source == "target":
                self.seen = max(self.seen, established)
            if self.seen >= MANY:  # before, there is less to see
                self.took_ms.setdefault(sampler.source, []).append(took_ms)


def at_ten_thousand_connections(lab: Lab) -> Part:
    """10,000 connections × 1 message a second, watched by port, with dashboard and live page, both looked at."""
    with c_echo_server() as url, viewer() as looking:
        port = int(url.rstrip("/").rpartition(":")[2])
        load = Load(
            connections=MANY,
            rate_hz=1,
            hold_s=lab.seconds(30, 12),
            progress="live",
            watched_port=port,
            web_port=looking.port,
        )
        looks = Looks(port)
        run = run_squall(lab, load, url, looks)
    if not looks.took_ms:
        raise CouldNotRun(f"no look saw {MANY:,} connections, but {looks.seen:,}")
    if not (looking.frames and looking.scrapes):
        raise CouldNotRun(f"the live page sent {looking.frames} frames and {looking.scrapes} scrapes")
    share = run.coordinator_cores
    rows = [
        Row(
            what="sampling and scrapes each 5 s, dashboard and live page each 1 s, record: 10,000 connections × 1 msg/s",
            measured=f"{share:.1%} of a core",
            bound=f"≤ {CORE_SHARE_MAX:.0%}",
            verdict=judged(share, CORE_SHARE_MAX),
        ),
        *(
            Row(
                what=f"one look at 10,000 connections: {source}",
                measured=f"{median(took):.1f} ms CPU",
                verdict="stated",
            )
            for source, took in looks.took_ms.items()
        ),
    ]
    lab.say("; ".join(f"{row.what}: {row.measured}" for row in rows))
    note = (
        "The share is that of the coordinating process over the hold: it merges the workers' reports, keeps the record, "
        "draws dashboard and live page, answers a scraper, and looks at target (by port), squall and host each 5 s."
    )
    return Part(rows=rows, notes=[note], commands=[load.command()])
