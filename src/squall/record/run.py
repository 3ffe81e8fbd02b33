"""The record of a run: header, phases, intervals, events, verdict. Reading one needs no engine and no clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from squall.record.reconciliation import Reconciliation
from squall.record.resources import ResourceSample
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict

__all__ = ["FORMAT_VERSION", "Freeze", "Phase", "PhaseKind", "RunHeader", "RunRecord"]

FORMAT_VERSION = 1
"""The version of everything in a run folder; keys may be added within one, never changed."""

PhaseKind = Literal["ramp_up", "sustained", "ramp_down", "idle", "end"]


class Freeze(msgspec.Struct, frozen=True, kw_only=True):
    """An adaptive ramp stopped before its target: at which level, when in the run, and why."""

    level: int
    at_ns: int
    why: str


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of the run. `end_ns` is None while it lasts, or where the record ends inside it."""

    id: int
    name: str
    kind: PhaseKind
    start_ns: int
    end_ns: int | None
    level_start: int
    level_end: int
    words: str
    warm_up_ns: int = 0
    types: list[list[str]] | None = None
    """Each population's message types, where they become known only now: who runs it may say late."""
    adaptive: bool = False
    """It grows as fast as the target takes it."""
    freeze: Freeze | None = None
    """What ended it before its `level_end`; known once it is over."""


class RunHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What is known before the first connection: what was asked, of what, by what, where."""

    format_version: int
    run_id: str
    name: str
    squall_version: str
    started_wall_ns: int
    seed: int
    run_number: int
    scenario: dict[str, Any]
    populations: list[str]
    types: list[list[str]]
    plan: list[str]
    environment: dict[str, Any]
    command: str = ""


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run, read back. `intervals` may be read from disk as it is iterated, as often as wanted."""

    header: RunHeader
    phases: tuple[Phase, ...]
    intervals: Iterable[Interval]
    events: tuple[Event, ...]
    verdict: Verdict | None
    complete: bool
    """False where the run was killed: the record ends at its last whole frame and has no verdict."""
    resources: tuple[ResourceSample, ...] = ()
    """In the order in which they were taken."""
    checks: tuple[StabilityCheck, ...] = ()
    reconciliation: Reconciliation | None = None
    """Of a run with faults that was not killed."""
