"""What coordinator and workers say to each other, and the ports through which others watch.

Every message is a tagged, closed struct. `PROTOCOL_VERSION` and the worker's identity go with the first of
each side, and every worker's clock is mapped to the coordinator's by an offset, so that nothing here assumes
one host: on one host the offset is zero, because CLOCK_MONOTONIC is shared.
"""

from __future__ import annotations

from typing import Protocol

import msgspec

from squall.record.run import Phase
from squall.record.snapshots import Event, Interval, Snapshot

__all__ = [
    "PROTOCOL_VERSION",
    "Begin",
    "Done",
    "End",
    "Failed",
    "FromWorker",
    "Hello",
    "PhaseOrder",
    "ProfileSpec",
    "Report",
    "Route",
    "SnapshotSink",
    "Steer",
    "StopSending",
    "ToWorker",
    "Welcome",
    "WorkerChannel",
]

PROTOCOL_VERSION = 1


class ProfileSpec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A load profile in base units, as `squall.profiles` makes it again: kind and parameters."""

    kind: str
    start: int
    target: int
    duration_s: float
    double_every_s: float | None = None
    steps: int = 0
    parts: tuple[ProfileSpec, ...] = ()


class PhaseOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phase for a worker to carry out: the level over time, when it starts, whether sessions send.

    `end_ns` None: until the next phase begins. `previous` is the level that the phase before ended with.
    """

    phase: Phase
    profile: ProfileSpec
    previous: int
    connect_rate_max_hz: float | None
    sends: bool
    retries: bool
    traffic: bytes | None = None
    """A scenario that has the traffic from this phase on; only as long as nothing was sent. Holds secrets."""
    check_interval_ns: int = 0
    """How often its stability is checked; 0 for never."""
    spike_ns: int = 0
    """A response above this makes its connection one that spiked, in such a check."""
    hold_ns: int = 0
    """How long the hold takes that begins with this phase; 0 where none begins. Client-side faults go by it."""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The first message to a worker: who it is, what it is to do. `scenario` holds secrets: never logged."""

    version: int
    worker: int
    workers: int
    run_number: int
    scenario: bytes


Route = tuple[tuple[str, int], ...]
"""Addresses in front of an entry point, that sessions share: its fault proxies."""


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The run starts at `start_monotonic_ns` on the worker's clock (first only), or a phase follows.

    It may come up to some seconds before the phase's `start_ns`: until then the phase before goes on.
    """

    order: PhaseOrder
    start_monotonic_ns: int
    routes: tuple[Route, ...] = ()
    """Of the first: by entry point, where to connect to instead; none: there."""


class Steer(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """From `at_ns` on, the rest of the present phase takes `stretch` times as long; None: nobody else comes.

    `level` is what the phase has reached by then. A worker that hears of a freeze too late lets go of those
    that it opened beyond that level meanwhile.
    """

    at_ns: int
    stretch: float | None
    level: int


class StopSending(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """Nothing due after now is intended; drain and close all, then report and end."""

    reason: str


class End(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """No phase will follow: once the last session has drained and closed, report a last time and end."""


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The first message of a worker."""

    version: int
    pid: int
    monotonic_ns: int
    compiled: bool


class Report(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """A worker's snapshot of one interval."""

    snapshot: Snapshot


class Done(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The worker has nothing left to do and leaves; its last report came before."""

    resources_left: int | None
    """Connections, descriptors or tasks that it could not get rid of; None where it cannot tell."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True, forbid_unknown_fields=True):
    """The worker cannot go on, and why. `exit_code` is that of the error, `BUG` for anything unforeseen."""

    message: str
    exit_code: int


ToWorker = Welcome | Begin | Steer | StopSending | End
FromWorker = Hello | Report | Done | Failed


class WorkerChannel(Protocol):
    """One worker as the coordinator sees it. The fleet makes these; where the worker runs is its secret."""

    worker: int
    clock_offset_ns: int
    """What turns the coordinator's monotonic clock into the worker's, added to it; 0 on one host."""

    async def send(self, message: ToWorker) -> None:
        """Hand a message over; a dead worker is noticed by `receive`, never here."""
        ...

    async def receive(self) -> FromWorker | None:
        """The next message; None once the worker is gone. Raises `FleetError` on what cannot be read."""
        ...

    def last_words(self) -> str:
        """How the worker ended, with the end of what it wrote; "" while it lives."""
        ...

    def kill(self) -> None:
        """End the worker at once."""
        ...

    async def close(self) -> None:
        """Wait for the worker to end (killing it after a grace period) and free what is held."""
        ...


class SnapshotSink(Protocol):
    """Whoever wants each merged interval as it is complete: the store, the live view, the thresholds."""

    def accept(self, interval: Interval) -> None:
        """Take one interval. Must not block: the coordinator waits for it."""
        ...

    def happened(self, event: Event) -> None:
        """Take one event, at once."""
        ...
