"""The shape of the lines of `--progress json`. Keys may be added within a format version, never changed.

One line is one JSON object, and `kind` says which. Numbers count up by one in `line`: where one is left out,
the reader was too slow for lines, and those between are lost to it (the run folder has all). Times of the run
are seconds since its start, latencies milliseconds, rates per second over the interval; null is not measured.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from squall.record.outcomes import Blame, Step
from squall.record.resources import ResourceSample
from squall.record.run import PhaseKind
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Judgement, Outcome

__all__ = [
    "CheckLine",
    "EventLine",
    "IntervalLine",
    "Line",
    "LineConnections",
    "LineDelivery",
    "LineErrors",
    "LineLatency",
    "LineRates",
    "LineTimes",
    "PhaseLine",
    "ResourcesLine",
    "RunLine",
    "VerdictLine",
    "progress_schema",
]


class Line(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """What every line has."""

    line: Annotated[int, Meta(description="1, 2, 3, …; a gap tells of lines that were left out")]


class RunLine(Line, frozen=True, kw_only=True, tag="run"):
    """The first: which run this is, of what, and where its record is kept."""

    format_version: int
    run_id: str
    name: str
    target: Annotated[list[str], Meta(description="without secrets")]
    squall_version: str
    seed: int
    started_wall_ns: int
    folder: str
    plan: list[str]


class PhaseLine(Line, frozen=True, kw_only=True, tag="phase"):
    """A phase begins. It may be told of shortly before it does, and the one before lasts until then."""

    at_s: float
    phase: str
    phase_kind: PhaseKind
    duration_s: Annotated[float | None, Meta(description="as planned; null: open")]
    level_start: int
    level_end: int
    words: str


class LineConnections(msgspec.Struct, frozen=True, kw_only=True):
    """`held`, `planned` and `pending` are levels at the interval's end, the others counts of the whole run."""

    held: int
    planned: int
    pending: int
    attempted: int
    established: int
    failed: int
    closed: int
    dropped: int


class LineRates(msgspec.Struct, frozen=True, kw_only=True):
    """Per second over the interval."""

    connects: float | None
    sent: float | None
    delivered: float | None
    pushed: Annotated[
        float | None, Meta(description="what came unasked; null: nothing has, or none is counted")
    ]


class LineTimes(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution over the interval, in milliseconds."""

    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    max: float | None = None


class LineLatency(msgspec.Struct, frozen=True, kw_only=True):
    """Response time counts from the intended send, service time from the actual one; lag lies between."""

    response: LineTimes
    service: LineTimes
    lag: LineTimes
    ping: LineTimes


class LineDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of the whole run so far. What is still under way is sent, and has no outcome yet."""

    intended: int
    sent: int
    not_sent: int
    delivered: int
    lost: int
    unknown: int
    duplicated: int
    reordered: int
    late: int
    corrupted: int
    unexpected: int
    push_missing: int


class LineErrors(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which connections went wrong, and how often it did in the whole run so far."""

    step: Step
    kind: str
    blame: Blame
    count: int


class IntervalLine(Line, frozen=True, kw_only=True, tag="interval"):
    """One second of the run, whole from all workers; its end is `at_s`."""

    at_s: float
    phase: str
    connections: LineConnections
    rates: LineRates
    latency_ms: LineLatency
    delivery: LineDelivery
    errors: Annotated[list[LineErrors], Meta(description="the most frequent ones, at most five")]
    errors_total: int
    blocked: Annotated[int, Meta(description="messages that wait since their peer does not read; at its end")]
    loop_lag_max_ms: Annotated[float | None, Meta(description="the longest wait of a worker's own loop")]


class EventLine(Line, frozen=True, kw_only=True, tag="event"):
    """Something worth a line. Of an alert (`alert`, and when it is over `alert_cleared`) `name` says which."""

    at_s: float
    event: Annotated[str, Meta(description="drop, stop, worker_lost, alert, alert_cleared, …")]
    text: str
    name: str
    figure: float | None
    bound: float | None


class ResourcesLine(Line, frozen=True, kw_only=True, tag="resources"):
    """One look at a watched machine. What it has no key for was not measured."""

    at_s: float
    sample: ResourceSample


class CheckLine(Line, frozen=True, kw_only=True, tag="check"):
    """One stability check of a held level."""

    passed: bool
    check: StabilityCheck


class VerdictLine(Line, frozen=True, kw_only=True, tag="verdict"):
    """The last: how the run was judged. A run that was killed has none."""

    outcome: Outcome
    valid: bool
    exit_code: int
    reasons: list[str]
    stopped_by: Annotated[str, Meta(description="empty where the plan was carried to its end")]
    judgements: list[Judgement]
    folder: str


_LINES = RunLine | PhaseLine | IntervalLine | EventLine | ResourcesLine | CheckLine | VerdictLine


def progress_schema() -> dict[str, Any]:
    """The JSON Schema of a line: every key is always there, but for those of a sample."""
    schema = msgspec.json.schema(_LINES)
    for name, definition in schema["$defs"].items():
        definition["description"] = " ".join(definition["description"].split())
        if name != ResourceSample.__name__:
            definition["required"] = list(definition["properties"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A line of squall --progress json",
        **schema,
    }
