"""The ordering test: its patterns of sending, their bounds, and what each came to. Pure.

Each pattern is a run of its own, on echo, judged by the bounds that are put on it here:

- **ordering accuracy** = 1 − reordered / distinct arrived ≥ what the pattern is expected to have;
- **ordering latency** < 50 ms: how long a receiver that wants the messages in order would have held one back, waiting
  only for predecessors that did arrive; the mean over all messages;
- **gaps**: numbers that never came, with a later one behind them, < 0.1 % of the messages offered. The specification
  counts gaps and bounds messages; a run of missing numbers is one gap, and the bound is on the messages in them;
- **delivered** > 99 % of the messages offered: order over a part says nothing of the whole.

The patterns: `sequential` sends the next message on the reply to the last; `burst` ten at once every second;
`mixed_priority` four priorities with equal weights, 4 a second; `high_frequency` 20 a second of 64 bytes.
Where priorities may reorder across types, the order within each type and the latency of each stand beside it.

**Causality** needs rooms: members answer what they read, and a message that is seen before the one that it answers is
a violation. There is none to be; over fewer than 1,000 pairs of cause and effect it is not known. On echo, where no
message follows from another's, it is not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec

from squall.errors import ExitCode, PlanError, strongest
from squall.metrics.delivery_test import outcome_of, sentence_of
from squall.metrics.figures import percent
from squall.metrics.summary_document import Delivery, Judged, Ordering, Percentiles, Summary
from squall.record.verdicts import Outcome
from squall.scale import Scale

__all__ = [
    "LATENCY_MAX_MS",
    "ORDERING_TESTS",
    "ROOMS",
    "ROOM_SIZE",
    "OrderingChecks",
    "OrderingResult",
    "OrderingSeriesResult",
    "OrderingTest",
    "OrderingValidation",
    "SendPattern",
    "TypeOrder",
    "checked_tests",
    "concluded",
    "ordering_result",
    "ordering_thresholds",
    "rooms_at",
    "settle_at",
    "test_at",
    "tests_at",
]

SendPattern = Literal["sequential", "burst", "mixed_priority", "high_frequency", "rooms"]
"""How the messages of a test are sent; `rooms` is the one for causality."""

LATENCY_MAX_MS: Final = 50
GAPS_MAX: Final = 0.001
DELIVERED_MIN: Final = 0.99

ROOM_SIZE: Final = 4

ACCURACY: Final = "ws_ordering_accuracy"
LATENCY: Final = "ws_ordering_latency"
GAPS: Final = "ws_msgs_in_gaps"
DELIVERED: Final = "ws_msgs_delivered"
CAUSAL: Final = "ws_causal_violations"

_SETTLE_S: Final[dict[Scale, float]] = {"smoke": 0.2, "standard": 2.0, "full": 10.0}
_SHARE_OF_CONNECTIONS: Final[dict[Scale, int]] = {"smoke": 10, "standard": 2, "full": 1}


class OrderingTest(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern of sending at a size, and the ordering accuracy that it is expected to have."""

    scenario: str
    connections: int
    messages_per_connection: int
    send_pattern: SendPattern
    expected_ordering_accuracy: float | None = None

    @property
    def offered(self) -> int:
        """Messages that are sent, if every connection is held."""
        return self.connections * self.messages_per_connection


ORDERING_TESTS: Final = (
    OrderingTest(
        scenario="Sequential Message Streams",
        connections=1000,
        messages_per_connection=100,
        send_pattern="sequential",
        expected_ordering_accuracy=0.999,
    ),
    OrderingTest(
        scenario="Burst Message Delivery",
        connections=2000,
        messages_per_connection=50,
        send_pattern="burst",
        expected_ordering_accuracy=0.995,
    ),
    OrderingTest(
        scenario="Mixed Priority Messages",
        connections=5000,
        messages_per_connection=20,
        send_pattern="mixed_priority",
        expected_ordering_accuracy=0.98,
    ),
    OrderingTest(
        scenario="High Frequency Micro-Messages",
        connections=10000,
        messages_per_connection=10,
        send_pattern="high_frequency",
        expected_ordering_accuracy=0.99,
    ),
)
"""The specification's four."""

ROOMS: Final = OrderingTest(
    scenario="Causal Order in Rooms of Four",
    connections=1000,
    messages_per_connection=20,
    send_pattern="rooms",
)
"""What causality is judged in."""


class OrderingValidation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept account of. What is switched off is not measured, and no bound on it is required."""

    enable_sequence_numbers: bool = True
    enable_timestamp_validation: bool = True
    enable_causal_ordering_check: bool = True

    def settings(self) -> dict[str, Any]:
        """The same as settings of a scenario, by path."""
        return {
            "delivery.tracking.sequence_numbers": self.enable_sequence_numbers,
            "delivery.tracking.timestamps": self.enable_timestamp_validation,
            "delivery.tracking.causality": self.enable_causal_ordering_check,
        }


class TypeOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of one type: in what order they came among themselves, and how fast, in milliseconds."""

    priority: str | None
    order_in_type: float | None
    latency: Percentiles


class OrderingChecks(msgspec.Struct, frozen=True, kw_only=True):
    """Which bounds hold. None: not known, not measured, or not asked."""

    meets_ordering_requirement: bool | None
    low_latency_ordering: bool | None
    minimal_gaps: bool | None


class OrderingResult(msgspec.Struct, frozen=True, kw_only=True):
    """A pattern that was carried out. `average_ordering_latency` is in milliseconds."""

    scenario: str
    test: OrderingTest
    ordering_accuracy: float | None
    average_ordering_latency: float | None
    out_of_order_messages: int | None
    sequence_gaps: int | None
    messages_in_gaps: int | None
    causal_order_violations: int | None
    """None on echo, where there is no cause and effect."""
    timestamps_wrong: int | None
    validation: OrderingChecks
    types: dict[str, TypeOrder]
    delivery: Delivery
    bounds: tuple[Judged, ...]
    folder: str
    """The folder of its run, within that of the series."""
    outcome: Outcome
    valid: bool
    exit_code: int
    reasons: tuple[str, ...]
    verdict: str


class OrderingSeriesResult(msgspec.Struct, frozen=True, kw_only=True):
    """An ordering test. `left_out` are the scenarios that were not carried out."""

    tests: tuple[OrderingResult, ...]
    left_out: tuple[str, ...]
    outcome: Outcome
    exit_code: int
    verdict: str
    """In one sentence."""
    folder: str = ""


def tests_at(scale: Scale) -> tuple[OrderingTest, ...]:
    """The specification's four at a scale: a share of their connections, and all of their messages."""
    return tuple(_sized(each, scale) for each in ORDERING_TESTS)


def test_at(scale: Scale, pattern: str) -> OrderingTest:
    """The one with this pattern.

    Raises:
        PlanError: there is none.
    """
    for each in (*ORDERING_TESTS, ROOMS):
        if each.send_pattern == pattern:
            return _sized(each, scale)
    patterns = ", ".join(each.send_pattern for each in (*ORDERING_TESTS, ROOMS))
    raise PlanError(f"send_pattern is {pattern!r}; there are {patterns}")


def rooms_at(scale: Scale) -> OrderingTest:
    """What causality is judged in, at a scale."""
    return _sized(ROOMS, scale)


def settle_at(scale: Scale) -> float:
    """How long the service is left alone between two runs, in seconds."""
    return _SETTLE_S[scale]


def _sized(test: OrderingTest, scale: Scale) -> OrderingTest:
    return msgspec.structs.replace(test, connections=test.connections // _SHARE_OF_CONNECTIONS[scale])


def checked_tests(tests: Iterable[OrderingTest]) -> tuple[OrderingTest, ...]:
    """The tests, if they are such.

    Raises:
        PlanError: there is none, or one makes no sense.
    """
    found = tuple(tests)
    if not found:
        raise PlanError("an ordering test needs a pattern at least")
    for each in found:
        expected = each.expected_ordering_accuracy
        if each.connections < 1 or each.messages_per_connection < 1:
            raise PlanError(
                f"{each.scenario}: {each.connections} connections, {each.messages_per_connection} messages each:"
                " there is one or more of both"
            )
        if expected is not None and not 0 <= expected <= 1:
            raise PlanError(
                f"{each.scenario}: expected_ordering_accuracy is {expected}, and a share is 0 to 1"
            )
    return found


def ordering_thresholds(
    test: OrderingTest, validation: OrderingValidation = OrderingValidation()
) -> list[dict[str, Any]]:
    """The bounds on a pattern, as the thresholds of its run."""
    ordered, causal = validation.enable_sequence_numbers, validation.enable_causal_ordering_check
    if test.send_pattern == "rooms":
        owed = test.offered * (ROOM_SIZE - 1)
        return [
            _threshold(CAUSAL, "count==0", required=causal),
            _threshold(DELIVERED, f"count>{DELIVERED_MIN * owed:.12g}"),
        ]
    found = []
    if test.expected_ordering_accuracy is not None:
        bound = f"rate>={test.expected_ordering_accuracy:.12g}"
        found.append(_threshold(ACCURACY, bound, required=ordered))
    return [
        *found,
        _threshold(LATENCY, f"avg<{LATENCY_MAX_MS}", required=ordered),
        _threshold(GAPS, f"count<{GAPS_MAX * test.offered:.12g}", required=ordered),
        _threshold(DELIVERED, f"count>{DELIVERED_MIN * test.offered:.12g}"),
    ]


def _threshold(metric: str, bound: str, *, required: bool = True) -> dict[str, Any]:
    return {"metric": metric, "threshold": bound, "required": required}


def ordering_result(
    test: OrderingTest, summary: Summary, folder: str, *, priorities: Mapping[str, str | None]
) -> OrderingResult:
    """What the run of a pattern came to.

    Args:
        test: what was asked.
        summary: of its run, which was judged by `ordering_thresholds`.
        folder: of its run.
        priorities: of each type.
    """
    judged, order = tuple(summary.verdict.judgements or ()), summary.ordering
    return OrderingResult(
        scenario=test.scenario,
        test=test,
        ordering_accuracy=order.accuracy,
        average_ordering_latency=order.latency_mean_ms,
        out_of_order_messages=order.out_of_order,
        sequence_gaps=order.gaps,
        messages_in_gaps=order.in_gaps,
        causal_order_violations=order.causal_violations,
        timestamps_wrong=order.timestamps_wrong,
        validation=OrderingChecks(
            meets_ordering_requirement=_holds(judged, ACCURACY),
            low_latency_ordering=_holds(judged, LATENCY),
            minimal_gaps=_holds(judged, GAPS),
        ),
        types={
            name: TypeOrder(
                priority=priority,
                order_in_type=summary.ordering_by_type[name].in_type,
                latency=summary.latency_by_type[name].response,
            )
            for name, priority in priorities.items()
        },
        delivery=summary.delivery,
        bounds=judged,
        folder=folder,
        outcome=outcome_of(summary),
        valid=bool(summary.verdict.valid),
        exit_code=summary.verdict.exit_code or 0,
        reasons=tuple(summary.verdict.reasons or ()),
        verdict=sentence_of(summary, _kept(test, order)),
    )


def concluded(
    results: Sequence[OrderingResult], *, left_out: Sequence[str] = (), folder: str = ""
) -> OrderingSeriesResult:
    """The ordering test as a whole: its patterns, and the verdict on them."""
    codes = {ExitCode(each.exit_code) for each in results} | ({ExitCode.UNKNOWN} if left_out else set())
    code = strongest(codes)
    failed = any(each.outcome == "failed" for each in results)
    outcome: Outcome = "failed" if failed else "passed" if code is ExitCode.PASSED else "warning"
    return OrderingSeriesResult(
        tests=tuple(results),
        left_out=tuple(left_out),
        outcome=outcome,
        exit_code=int(code),
        verdict=_sentence(outcome, results, left_out),
        folder=folder,
    )


def _sentence(outcome: Outcome, results: Sequence[OrderingResult], left_out: Sequence[str]) -> str:
    said = [
        f"{each.scenario}: {each.reasons[0].removeprefix('failed: ')}"
        for each in results
        if each.outcome == outcome and each.reasons
    ]
    if left_out:
        said.append(f"{len(left_out)} of {len(left_out) + len(results)} scenarios were not carried out")
    if outcome == "passed" or not said:
        return f"{outcome.upper()}: every bound held in all {len(results)} scenarios."
    more = f", and {len(said) - 1} more" if len(said) > 1 else ""
    return f"{outcome.upper()}: {said[0]}{more}."


def _kept(test: OrderingTest, order: Ordering) -> str:
    if test.send_pattern == "rooms":
        return f"every bound held; no effect before its cause in {order.causal_pairs or 0:,} pairs"
    accuracy = "not measured" if order.accuracy is None else percent(order.accuracy)
    return f"every bound held; {accuracy} in order"


def _holds(judged: tuple[Judged, ...], name: str) -> bool | None:
    """Whether the bound on a metric holds."""
    truths = {each.truth for each in judged if each.name == name}
    return {frozenset({"passed"}): True, frozenset({"failed"}): False}.get(frozenset(truths))
