"""Watches the machine that squall runs on: everybody's processor time, memory, sockets, and its network.

By counters of the system alone, which cost nothing however much goes on. Network is that of all interfaces but
loopback. **tcp_states** is what the kernel counts: `in_use` (all but TIME_WAIT), `open` (ESTABLISHED or
CLOSE_WAIT), `time_wait`, `orphaned`. Processor time that a hypervisor gave to others counts as in use.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil

from squall.record.resources import ResourceSample, Role
from squall.sampling.base import rate_hz

__all__ = ["HostSampler"]

_PROC: Final = Path("/proc")
_LOOPBACK: Final = ("lo", "lo0")


class _Counters(NamedTuple):
    """What only grows."""

    clock_ns: int
    busy_s: float
    total_s: float
    received: int
    sent: int
    overflows: int | None


class HostSampler:
    """This machine. `proc` is where the system tells its counters."""

    source = "host"
    role: Role = "host"

    def __init__(self, *, proc: Path = _PROC) -> None:
        self._proc = proc
        self._before: _Counters | None = None

    def look(self, at_ns: int, clock_ns: int) -> ResourceSample:
        """What everybody uses now."""
        memory = psutil.virtual_memory()
        in_use = int(memory.total - memory.available)
        now, before = self._counters(clock_ns), self._before
        self._before = now
        return ResourceSample(
            at_ns=at_ns,
            source=self.source,
            role=self.role,
            memory_bytes=in_use,
            memory_share=in_use / memory.total,
            descriptors=self._descriptors(),
            threads=self._threads(),
            tcp_states=self._tcp_states(),
            **({} if before is None else _since(before, now)),
        )

    def close(self) -> None:
        """Holds nothing."""

    def _counters(self, clock_ns: int) -> _Counters:
        times = psutil.cpu_times()
        # What guests use is in `user` and `nice` already.
        total_s = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
        received = sent = 0
        for name, interface in psutil.net_io_counters(pernic=True).items():
            if name not in _LOOPBACK:
                received += interface.bytes_recv
                sent += interface.bytes_sent
        return _Counters(
            clock_ns=clock_ns,
            busy_s=total_s - times.idle - getattr(times, "iowait", 0.0),
            total_s=total_s,
            received=received,
            sent=sent,
            overflows=self._pairs("netstat", "TcpExt:").get("ListenOverflows"),
        )

    def _tcp_states(self) -> dict[str, int] | None:
        words = self._line("sockstat", "TCP:").split()[1:]
        counts = dict(zip(words[::2], words[1::2], strict=True))
        found = {
            "in_use": counts.get("inuse"),
            "orphaned": counts.get("orphan"),
            "time_wait": counts.get("tw"),
        }
        states = {name: int(count) for name, count in found.items() if count is not None}
        if (opened := self._pairs("snmp", "Tcp:").get("CurrEstab")) is not None:
            states["open"] = opened
        return states or None

    def _descriptors(self) -> int | None:
        words = self._text("sys/fs/file-nr").split()
        return int(words[0]) if words else None

    def _threads(self) -> int | None:
        words = self._text("loadavg").split()
        return int(words[3].partition("/")[2]) if len(words) > 3 else None

    def _pairs(self, file: str, head: str) -> dict[str, int]:
        """A table of /proc/net that has a line of names, then a line of values."""
        lines = [line.split()[1:] for line in self._text(f"net/{file}").splitlines() if line.startswith(head)]
        return dict(zip(lines[0], map(int, lines[1]), strict=False)) if len(lines) == 2 else {}

    def _line(self, file: str, head: str) -> str:
        lines = self._text(f"net/{file}").splitlines()
        return next((line for line in lines if line.startswith(head)), "")

    def _text(self, file: str) -> str:
        try:
            return (self._proc / file).read_text(encoding="ascii")
        except OSError:
            return ""


def _since(before: _Counters, now: _Counters) -> dict[str, Any]:
    elapsed_ns = now.clock_ns - before.clock_ns
    figures: dict[str, Any] = {
        "received_bytes_hz": rate_hz(now.received, before.received, elapsed_ns),
        "sent_bytes_hz": rate_hz(now.sent, before.sent, elapsed_ns),
    }
    if now.total_s > before.total_s:
        share = max(0.0, now.busy_s - before.busy_s) / (now.total_s - before.total_s)
        figures |= {"cpu_share": share, "cpu_cores": share * (os.cpu_count() or 1)}
    if before.overflows is not None and now.overflows is not None and now.overflows >= before.overflows:
        figures["accept_overflows"] = now.overflows - before.overflows
    return figures
