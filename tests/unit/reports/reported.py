"""Three runs to report on, made by hand: one that passed, one in which much went wrong, one that was killed."""

from __future__ import annotations

from typing import Any

import msgspec

from made_runs import S, check, connections, messages, phase, scenario, second, times
from squall.metrics.summary import summarise
from squall.metrics.summary_document import Summary
from squall.metrics.totals import Totals
from squall.metrics.verdict import judge
from squall.record.outcomes import Trouble
from squall.record.resources import ResourceSample
from squall.record.run import FORMAT_VERSION, Phase, RunHeader, RunRecord
from squall.record.snapshots import ConnectionCell, Event, Interval, MessageCell, WorkerSample
from squall.record.stability import StabilityCheck
from squall.scenario.models import Scenario

HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="20260131-142530-checkout-3f9a",
    name="checkout",
    squall_version="0.1.0",
    started_wall_ns=1_769_869_530 * S,
    seed=42,
    run_number=7,
    scenario={},
    populations=["main"],
    types=[["message", "critical"]],
    plan=["ramp up to 10 connections in 1 s", "hold them for 3 s"],
    environment={"cores": 2, "compiled": True, "limits": {"files": 20000}, "kernel": None},
    command="squall run checkout.yaml --seed 42",
)
PHASES = (
    phase(0, "ramp_up", "ramp_up", 0, 1),
    phase(1, "hold", "sustained", 1, 4),
    phase(2, "ramp_down", "ramp_down", 4, 5),
)
LOOKS = (
    ResourceSample(at_ns=0, source="target", role="target", memory_share=0.1, memory_bytes=800_000_000),
    ResourceSample(at_ns=0, source="host", role="host", memory_share=0.5, memory_bytes=4_000_000_000),
    ResourceSample(
        at_ns=2 * S,
        source="target",
        role="target",
        cpu_cores=1.1,
        cpu_share=0.55,
        cpu_thread_max_cores=0.998,
        cpu_throttled_share=0.25,
        memory_share=0.12,
        memory_bytes=960_000_000,
        received_bytes_hz=12_345_678.9,
        tcp_states={"established": 10, "close_wait": 2},
        accept_overflows=3,
        custom={"queue": 7.25},
    ),
    ResourceSample(at_ns=3 * S, source="target", role="target", problem="process 9 | has \x1b[31mended"),
    ResourceSample(at_ns=3 * S, source="host", role="host", cpu_share=0.9, memory_share=0.5),
    ResourceSample(at_ns=3 * S, source="page", role="target", problem="the connection was refused"),
)
Run = tuple[RunRecord, Summary]


def passed() -> Run:
    return _judged(
        _intervals(), scenario(thresholds=[{"metric": "ws_response_time", "threshold": "p(95)<200"}])
    )


def troubled() -> Run:
    """Losses, copies, drops, refused connects, a node whose name is hostile: and a bound that does not hold."""
    much = messages(
        12,
        type=1,
        response_ms=[250.5] * 6,
        lag_ms=[0.4] * 6,
        delivered=6,
        lost=3,
        unknown=1,
        not_sent_target=2,
        duplicated=1,
        reordered=2,
        reorder_extent_sum=5,
        reorder_extent_max=4,
        reorder_late_ns_sum=3_000_000,
        reorder_late_ns_max=2_000_000,
        corrupted_body=1,
    )
    ended = connections(
        phase=1,
        attempted=3,
        failed=3,
        dropped=1,
        close_codes={1006: 1},
        troubles=[
            (Trouble("upgrade", "status_403", "target"), 2),
            (Trouble("resolve", "unknown | \x1b[31mname", "network"), 1),
        ],
        unexpected=1,
    )
    return _judged(
        _intervals(much, ended, closed=9),
        events=(
            Event(at_ns=2 * S, kind="alert", text="", name="connection_latency", figure=123.4, bound=100),
            Event(at_ns=3 * S, kind="alert", text="", name="cpu_usage", figure=0.91, bound=0.8),
            Event(
                at_ns=4 * S, kind="alert_cleared", text="", name="connection_latency", figure=50, bound=100
            ),
        ),
        resources=LOOKS,
        checks=(check(end_ns=3 * S), check(index=1, spiked=3, spike_share=0.03, drop_share=0.001, drops=1)),
        asked=scenario(
            thresholds=[
                {"metric": "ws_response_time{type:critical}", "threshold": "p(95)<200"},
                {"metric": "ws_ping", "threshold": "p(95)<50"},
            ]
        ),
    )


def killed() -> Run:
    return _run(_intervals()[:2], None, phases=PHASES[:2])


def nothing() -> Run:
    """Killed before its first second."""
    return _run([], None, phases=())


def only_held() -> Run:
    intervals = [
        msgspec.structs.replace(each, messages=[]) if each.messages else each for each in _intervals()
    ]
    return _judged(intervals, scenario(populations=[{"exchange": {"kind": "idle"}}]))


def fed() -> Run:
    """Pushes with a gap, one stamped ahead, and messages that were not what was waited for."""
    cell = connections(
        0,
        phase=1,
        pushed=1_234,
        push_sequenced=1_230,
        push_missing=3,
        push_gaps=2,
        push_early=1,
        push_delay=times(4, 5, 9),
        opening=times(7, 8),
        misfits={"sequence_missing": 4},
    )
    quiet = [
        msgspec.structs.replace(each, messages=[]) if each.messages else each for each in _intervals(cell)
    ]
    return _judged(quiet, scenario(populations=[{"exchange": {"kind": "push", "sequence": "n"}}]))


def _intervals(*extra: MessageCell | ConnectionCell, closed: int = 10) -> list[Interval]:
    hold = messages(10, response_ms=[20, 21.5, 22, 23, 24, 25, 26, 27, 28, 40], lag_ms=[0.1] * 10)
    workers = [
        WorkerSample(worker=0, held=10, cpu_ns=S // 2, rss_bytes=48_200_000, loop_lag_max_ns=1_234_567)
    ]
    return [
        second(0, connections(10, connect=times(1, 2, 3)), workers=workers),
        *(second(1 + at, hold, *(extra if at == 0 else ()), workers=workers) for at in range(3)),
        second(4, connections(phase=2, closed=closed, graceful=9, close_codes={1000: closed}), held=0),
    ]


def _judged(intervals: list[Interval], asked: Scenario, **more: Any) -> Run:
    return _run(intervals, asked, **more)


def _run(
    intervals: list[Interval],
    asked: Scenario | None,
    *,
    phases: tuple[Phase, ...] = PHASES,
    events: tuple[Event, ...] = (),
    checks: tuple[StabilityCheck, ...] = (),
    resources: tuple[ResourceSample, ...] = (),
) -> Run:
    header = (
        HEADER if asked is None else msgspec.structs.replace(HEADER, scenario=asked.model_dump(mode="json"))
    )
    totals = Totals(header.populations, header.types)
    for each in phases:
        totals.note(each)
    for interval in intervals:
        totals.add(interval)
    for event in events:
        totals.alerts.add(event)
    for sample in resources:
        totals.sampled(sample)
    for made in checks:
        totals.checks.add(made)
    verdict = None if asked is None else judge(asked, totals)
    if asked is not None:
        events = (*events, Event(at_ns=2 * S, kind="stop", text="the plan was carried out"))
    record = RunRecord(
        header=header,
        phases=phases,
        intervals=tuple(intervals),
        events=events,
        verdict=verdict,
        complete=asked is not None,
        checks=checks,
        resources=resources,
    )
    return record, summarise(header, phases, totals, verdict)
