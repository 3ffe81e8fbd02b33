"""Intervals and pictures as the views get them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from squall.live.picture import Checks, Delivery, Moment, Picture, Times
from squall.metrics.histogram import Histogram
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import (
    ConnectionCell,
    Event,
    Interval,
    MessageCell,
    SparseHistogram,
    WorkerSample,
)
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Judgement, Validity, Verdict


def phase(name: str = "hold", *, start_s: float = 0.0) -> Phase:
    return Phase(
        id=1,
        name=name,
        kind="sustained",
        start_ns=int(start_s * 1e9),
        end_ns=None,
        level_start=10,
        level_end=10,
        words="10 connections",
    )


def histogram(*values_ns: int) -> SparseHistogram:
    filled = Histogram()
    for value in values_ns:
        filled.record(value)
    taken = filled.take()
    assert taken is not None
    return taken


def interval(index: int, **changes: object) -> Interval:
    """A second of ten connections that sent 20 and got 19, one second after the other."""
    message = MessageCell(
        population=0,
        phase=1,
        type=0,
        place=0,
        intended=20,
        delivered=19,
        lost=1,
        response=histogram(*[2_000_000] * 19),
        service=histogram(*[1_000_000] * 19),
        lag=histogram(*[500_000] * 20),
    )
    connection = ConnectionCell(
        population=0,
        phase=1,
        place=0,
        attempted=3,
        established=2,
        failed=1,
        troubles=[(Trouble("upgrade", "status_403", "target"), 1)],
    )
    fields: dict[str, object] = {
        "index": index,
        "at_ns": (index + 1) * 1_000_000_000,
        "held": 10,
        "planned": 12,
        "messages": [message],
        "connections": [connection],
        "workers": [WorkerSample(worker=0, held=10, pending=2, blocked=4, loop_lag_max_ns=3_000_000)],
    }
    return Interval(**{**fields, **changes})  # type: ignore[arg-type] # what a test changes has its field's type


@pytest.fixture
def make_interval() -> Callable[..., Interval]:
    return interval


@pytest.fixture
def make_phase() -> Callable[..., Phase]:
    return phase


@pytest.fixture
def picture() -> Picture:
    """A hold in which a few things went wrong."""
    return Picture(
        at_ns=72_000_000_000,
        phase="hold",
        phase_start_ns=40_000_000_000,
        phase_duration_s=45.0,
        held=9_998,
        planned=10_000,
        pending=2,
        connects_hz=0.0,
        sent_hz=10_012.3,
        delivered_hz=10_011.2,
        response=Times(0.412, 0.92, 13.31, 912.2),
        service=Times(0.4, 0.91, 1.3, 9.0),
        lag=Times(0.011, 0.02, 0.1, 0.3),
        ping=Times(),
        delivery=Delivery(intended=1_234_567, sent=1_234_567, delivered=1_234_500, lost=3),
        attempted=10_004,
        established=10_000,
        connects_failed=2,
        closed=0,
        dropped=2,
        errors=4,
        troubles=(
            (Trouble("upgrade", "status_403", "target"), 2),
            (Trouble("open", "reset", "target"), 2),
        ),
        events=(
            Event(at_ns=41_500_000_000, kind="drop", text="session 17 was reset by the target"),
            Event(at_ns=60_000_000_000, kind="worker_lost", text="x" * 120),
        ),
        blocked=0,
        loop_lag_max_ms=1.0,
        blames=(("target", 4),),
        alerts=(
            Event(
                at_ns=41_000_000_000,
                kind="alert",
                text="connection_latency: mean response_time 123 ms, above 100 ms",
                name="connection_latency",
                figure=123.0,
                bound=100.0,
            ),
        ),
        resources=(
            ResourceSample(
                at_ns=70_000_000_000,
                source="target",
                role="target",
                cpu_share=0.62,
                cpu_cores=1.24,
                cpu_thread_max_cores=0.97,
                memory_share=0.41,
                memory_bytes=1_230_000_000,
                descriptors=10_012,
            ),
            ResourceSample(
                at_ns=70_000_000_000, source="host", role="host", cpu_share=0.97, memory_share=0.5
            ),
        ),
        checks=Checks(passed=3, failed=1, last_failed=failed_check()),
        trail=tuple(moment(number) for number in range(72)),
    )


@pytest.fixture
def header() -> RunHeader:
    return RunHeader(
        format_version=1,
        run_id="checkout-0000002a",
        name="checkout",
        squall_version="1.0",
        started_wall_ns=1_700_000_000_000_000_000,
        seed=7,
        run_number=42,
        scenario={"target": {"url": ["ws://host/?token=***"]}},
        populations=["main"],
        types=[["message"]],
        plan=["run: checkout, seed 7"],
        environment={"python": "3.11"},
        command="squall run checkout.yaml",
    )


@pytest.fixture
def check() -> StabilityCheck:
    return failed_check()


def moment(number: int) -> Moment:
    """One of a ramp, with a spike in second 50."""
    p99_ms = 90.0 if number == 50 else 10.0
    return Moment(
        held=min(10_000, number * 200),
        connects_hz=200.0,
        sent_hz=number * 200.0,
        delivered_hz=number * 200.0 if number else None,
        response=Times(1.0, 2.0, p99_ms, p99_ms),
        lag_p99_ms=0.1,
    )


def failed_check() -> StabilityCheck:
    """One in which a tenth of the connections dropped."""
    return StabilityCheck(
        phase=1,
        index=0,
        start_ns=0,
        end_ns=30_000_000_000,
        held=10,
        drops=1,
        drop_share=0.1,
        drop_tolerance=0.005,
        spiked=0,
        spike_share=0.0,
        spike_tolerance=0.02,
        sent=300,
        undelivered=0,
        failure_share=None,
        failure_tolerance=0.001,
    )


@pytest.fixture
def verdict() -> Verdict:
    return Verdict(
        outcome="failed",
        validity=Validity(valid=True),
        exit_code=99,
        reasons=("lost failed",),
        judgements=(
            Judgement(
                name="lost",
                source="integrity",
                bound="== 0",
                figure=3,
                truth="failed",
                required=True,
                evidence="3 of 1,000",
            ),
        ),
    )
