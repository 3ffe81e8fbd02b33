"""Runs made by hand, interval by interval, for the tests of what is computed on them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from squall.metrics.histogram import Histogram
from squall.metrics.totals import Totals
from squall.record.run import Phase, PhaseKind
from squall.record.snapshots import (
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    Place,
    SparseHistogram,
    WorkerSample,
)
from squall.record.stability import StabilityCheck
from squall.scenario.models import Scenario

__all__ = [
    "S",
    "a_run",
    "check",
    "connections",
    "listed",
    "lost_worker",
    "messages",
    "phase",
    "scenario",
    "second",
    "some_totals",
    "times",
]

S = 1_000_000_000
MS = 1_000_000


def times(*values_ms: float) -> SparseHistogram | None:
    """A histogram of times in milliseconds."""
    histogram = Histogram()
    for value_ms in values_ms:
        histogram.record(round(value_ms * MS))
    return histogram.take()


def listed(values: NDArray[np.float64]) -> list[float | None]:
    """A series as a list, None where nothing was measured."""
    return [None if math.isnan(value) else value for value in values.tolist()]


def messages(
    intended: int = 0,
    *,
    response_ms: Iterable[float] = (),
    service_ms: Iterable[float] | None = None,
    lag_ms: Iterable[float] = (),
    **counts: Any,
) -> MessageCell:
    """A cell of messages; by default all that were intended were delivered."""
    response = list(response_ms)
    keys = {"population": 0, "phase": 1, "type": 0, "place": 0, "delivered": intended}
    return MessageCell(
        **(keys | counts),
        intended=intended,
        response=times(*response),
        service=times(*(response if service_ms is None else service_ms)),
        lag=times(*lag_ms),
    )


def connections(established: int = 0, **counts: Any) -> ConnectionCell:
    """A cell of connections; by default all attempts were established."""
    keys = {"population": 0, "phase": 0, "place": 0, "attempted": established}
    return ConnectionCell(**(keys | counts), established=established)


def check(**given: Any) -> StabilityCheck:
    """The first stability check of the hold, on a hundred connections and a thousand messages, without a fault."""
    shares = {"drop_share": 0.0, "spike_share": 0.0, "failure_share": 0.0}
    tolerances = {"drop_tolerance": 0.005, "spike_tolerance": 0.02, "failure_tolerance": 0.001}
    keys = {"phase": 1, "index": 0, "start_ns": 0, "end_ns": 30 * S, "held": 100, "sent": 1000}
    counts = {"drops": 0, "spiked": 0, "undelivered": 0}
    return StabilityCheck(**{**keys, **counts, **shares, **tolerances, **given})


def second(index: int, *cells: MessageCell | ConnectionCell, held: int = 10, **fields: Any) -> Interval:
    """The interval that ends `index + 1` seconds into the run."""
    keys: dict[str, Any] = {"at_ns": (index + 1) * S, "held": held, "planned": held}
    if index == 0:
        keys["places"] = [Place("ws://one", "a"), Place("ws://two", "b")]
    return Interval(
        index=index,
        messages=[cell for cell in cells if isinstance(cell, MessageCell)],
        connections=[cell for cell in cells if isinstance(cell, ConnectionCell)],
        **(keys | fields),
    )


def phase(
    number: int, name: str, kind: PhaseKind, start_s: float, end_s: float | None, level: int = 10
) -> Phase:
    return Phase(
        id=number,
        name=name,
        kind=kind,
        start_ns=round(start_s * S),
        end_ns=None if end_s is None else round(end_s * S),
        level_start=0 if kind == "ramp_up" else level,
        level_end=0 if kind == "ramp_down" else level,
        words=name,
    )


def some_totals(*intervals: Interval, phases: Iterable[Phase] = (), **names: Any) -> Totals:
    """Totals of intervals; by default of one population `main` with the types `message` and `critical`."""
    totals = Totals(names.get("populations", ["main"]), names.get("types", [["message", "critical"]]))
    for each in phases:
        totals.note(each)
    for interval in intervals:
        totals.add(interval)
    return totals


def a_run(*extra: MessageCell | ConnectionCell, hold_s: int = 5, **fields: Any) -> Totals:
    """One second of ramp, a hold, one second of ramp down: ten connections, ten messages a second, no fault.

    `extra` cells are added to the first second of the hold, `fields` replace that interval's own.
    """
    phases = [
        phase(0, "ramp_up", "ramp_up", 0, 1),
        phase(1, "hold", "sustained", 1, 1 + hold_s),
        phase(2, "ramp_down", "ramp_down", 1 + hold_s, 2 + hold_s),
    ]
    hold = [messages(10, response_ms=[20] * 10, lag_ms=[0.1] * 10)]
    intervals = [second(0, connections(10, connect=times(*[3] * 10)))]
    intervals += [
        second(1 + at, *hold, *(extra if at == 0 else ()), **(fields if at == 0 else {}))
        for at in range(hold_s)
    ]
    intervals.append(second(1 + hold_s, connections(phase=2, closed=10, graceful=10), held=0))
    totals = some_totals(*intervals, phases=phases)
    totals.checks.add(check(start_ns=S, end_ns=(1 + hold_s) * S))
    return totals


def lost_worker(worker: int = 1) -> dict[str, Any]:
    """What an interval says in which a worker died."""
    event = Event(at_ns=2 * S, kind="worker_lost", text=f"worker {worker} died", worker=worker)
    return {"events": [event], "workers": [WorkerSample(worker=0, held=10)], "complete": False}


def scenario(**settings: Any) -> Scenario:
    return Scenario.model_validate({"target": {"url": ["ws://127.0.0.1:9"]}} | settings)
