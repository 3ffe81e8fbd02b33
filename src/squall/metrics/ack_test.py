"""The acknowledgement test: its parts, their bounds, and what they came to. Pure.

Messages are lost, delayed and left unanswered on purpose, and the retries are to make up for it. What the specification
has as one test asks three things that no single exchange can show, so it has three parts, one after another:

- **send**: the client sends, the service acknowledges, the client retries. Network drops (whole messages, half of the
  rate in each direction) and delayed responses. Here are **acknowledgment success** > 98 % (within all attempts / sent),
  the **average acknowledgment time** < 100 ms (from the attempt that the acknowledgement names; from the first send, a
  time-out of 5 s on 2 % of the messages makes 100 ms by itself), **retry success** > 95 %, the **network fault
  recovery time** < 2,000 ms (the mean from a message's first time-out to its acknowledgement: these faults have no
  window to recover from), **server delay handling** > 99 % (delayed messages that ended acknowledged exactly once).
- **receiver**: the same, and the service delivers each message to its sender, so that somebody sees whether a retry was
  delivered twice: **duplicate delivery rate** < 0.2 %, after the service's own de-duplication. Drops on the way up only:
  a delivery that the network loses on its way down is nobody's duplicate. Clients stop reading for a while, time out
  on what they were sent, and send it again.
- **push**: the service sends, the client acknowledges, the service retries. Drops and delays on the way down; clients
  that stop acknowledging. **Client timeout handling** > 99.5 %, here and in the part before: silent sessions of which
  nothing was missing.

A target of the user's own has the first part only, on its own URL; what that cannot show is not measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from squall.errors import ExitCode, PlanError, strongest
from squall.metrics.delivery_test import outcome_of, sentence_of
from squall.metrics.summary_document import Acknowledgements, Delivery, Judged, Summary
from squall.record.verdicts import Outcome
from squall.scale import Scale
from squall.units import parse_duration_s

__all__ = [
    "PARTS",
    "AckPart",
    "AckSize",
    "AcknowledgmentResult",
    "FaultInjection",
    "MessageConfiguration",
    "PartResult",
    "ack_size",
    "ack_thresholds",
    "checked",
    "concluded",
    "exchange_settings",
    "fault_settings",
    "part_result",
    "path_of",
]

AckPart = Literal["send", "receiver", "push"]
PARTS: Final[tuple[AckPart, ...]] = ("send", "receiver", "push")

SUCCESS: Final = "ws_ack_success"
ACK_TIME: Final = "ws_ack_time"
RETRIES: Final = "ws_retry_success"
RECOVERY: Final = "ws_retry_recovery"
DUPLICATES: Final = "ws_duplicate_rate"
DELAYS: Final = "ws_server_delay_handling"
TIMEOUTS: Final = "ws_client_timeout_handling"
BROKEN: Final = "ws_msgs_acknowledged_lost"

_BOUNDS: Final = {
    SUCCESS: "rate>0.98",
    ACK_TIME: "avg<100",
    RETRIES: "rate>0.95",
    RECOVERY: "avg<2000",
    DUPLICATES: "rate<0.002",
    DELAYS: "rate>0.99",
    TIMEOUTS: "rate>0.995",
    BROKEN: "count==0",
}
_JUDGED: Final[dict[AckPart, tuple[str, ...]]] = {
    "send": (SUCCESS, ACK_TIME, RETRIES, RECOVERY, DELAYS),
    "receiver": (SUCCESS, DUPLICATES, BROKEN, TIMEOUTS),
    "push": (TIMEOUTS,),
}
"""Which bounds are judged in which part."""


class MessageConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How messages are acknowledged and sent again. Durations are seconds, or text like "5s".

    `retry_backoff_strategy`: `exponential` pauses up to 500 ms · 2^n, at most 5 s; `constant` up to 500 ms.
    """

    require_acknowledgment: bool = True
    acknowledgment_timeout: float | str = 5.0
    max_retry_attempts: int = 3
    retry_backoff_strategy: Literal["exponential", "constant"] = "exponential"
    message_frequency: float | str = 1.0
    """Messages a second and connection, or text like "30/min"; the specification gives none."""


class FaultInjection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What goes wrong on purpose, as shares: of messages lost, of messages delayed, of clients that fall silent.

    How long a message is held and a client is silent stands beside it: seconds, or text.
    """

    network_drop_rate: float = 0.02
    server_delay_simulation: float = 0.01
    client_unresponsive_rate: float = 0.005
    server_delay: float | str = 1.0
    client_silence: float | str = 10.0


class AckSize(msgspec.Struct, frozen=True, kw_only=True):
    """How large an acknowledgement test is. `quicker`: how many times shorter time-outs, pauses and faults are."""

    connections: int
    duration_s: float
    others_s: float
    """How long each part but the first takes."""
    quicker: float = 1.0


_SIZES: Final[dict[Scale, AckSize]] = {
    "full": AckSize(connections=5000, duration_s=900.0, others_s=180.0),
    "standard": AckSize(connections=5000, duration_s=90.0, others_s=30.0),
    "smoke": AckSize(connections=400, duration_s=12.0, others_s=6.0, quicker=5.0),
}


class PartResult(msgspec.Struct, frozen=True, kw_only=True):
    """A part that was carried out."""

    part: AckPart
    acknowledgements: Acknowledgements
    delivery: Delivery
    bounds: tuple[Judged, ...]
    folder: str
    """The folder of its run, within that of the series."""
    outcome: Outcome
    valid: bool
    exit_code: int
    reasons: tuple[str, ...]
    verdict: str


class AcknowledgmentResult(msgspec.Struct, frozen=True, kw_only=True):
    """An acknowledgement test. Times in milliseconds; None is not measured."""

    acknowledgment_success_rate: float | None
    average_acknowledgment_time: float | None
    average_acknowledgment_time_total: float | None
    """From the first send, retries included."""
    retry_success_rate: float | None
    duplicate_delivery_rate: float | None
    duplicate_arrivals: int | None
    """Copies before the receiver's own de-duplication, in the push part."""
    network_fault_recovery_time: float | None
    network_fault_recovery_time_p99: float | None
    server_delay_handling: float | None
    client_timeout_handling: float | None
    """The worse of the two parts that have it."""
    parts: tuple[PartResult, ...]
    left_out: tuple[AckPart, ...]
    outcome: Outcome
    exit_code: int
    verdict: str
    """In one sentence."""
    folder: str = ""


def ack_size(scale: Scale, *, connections: int | None = None, duration: float | str | None = None) -> AckSize:
    """The size at a scale, with what is said otherwise.

    Raises:
        PlanError: it makes no sense.
    """
    size = _SIZES[scale]
    if connections is not None:
        size = msgspec.structs.replace(size, connections=connections)
    if duration is not None:
        size = msgspec.structs.replace(size, duration_s=_seconds("test_duration", duration))
    if size.connections < 1 or size.duration_s <= 0:
        raise PlanError(
            f"{size.connections} connections for {size.duration_s} s: an acknowledgement test has some of both"
        )
    return size


def checked(messages: MessageConfiguration, faults: FaultInjection) -> None:
    """Refuse what makes no sense.

    Raises:
        PlanError: there is such a thing.
    """
    if not messages.require_acknowledgment:
        raise PlanError("require_acknowledgment is false: without acknowledgements there is nothing to test")
    if not 0 <= messages.max_retry_attempts <= 14:
        raise PlanError(f"max_retry_attempts is {messages.max_retry_attempts}; there are 0 to 14")
    for name in ("network_drop_rate", "server_delay_simulation", "client_unresponsive_rate"):
        share = getattr(faults, name)
        if not 0 <= share <= 1:
            raise PlanError(f"{name} is {share}, and a share is 0 to 1")


def exchange_settings(part: AckPart, messages: MessageConfiguration, size: AckSize) -> dict[str, Any]:
    """The exchange of a part, as a setting of a scenario."""
    timeout_s = _seconds("acknowledgment_timeout", messages.acknowledgment_timeout) / size.quicker
    factor = 2.0 if messages.retry_backoff_strategy == "exponential" else 1.0
    exchange: dict[str, Any] = {
        "kind": "acked_push" if part == "push" else "ack",
        "timeout": timeout_s,
        "retries": messages.max_retry_attempts,
        "backoff": {"first": 0.5 / size.quicker, "factor": factor, "max": 5.0 / size.quicker},
    }
    if part == "push":
        del exchange["backoff"]  # that of the service
    if part == "receiver":
        exchange["evidence"] = "receiver"
    return exchange


def path_of(part: AckPart, messages: MessageConfiguration, size: AckSize) -> str:
    """Where the bundled service does what a part needs."""
    if part == "push":
        timeout_s = _seconds("acknowledgment_timeout", messages.acknowledgment_timeout) / size.quicker
        return f"push/acked?timeout={round(timeout_s * 1000)}&retries={messages.max_retry_attempts}"
    return {"send": "ack", "receiver": "ack/echo"}[part]


def fault_settings(part: AckPart, faults: FaultInjection, size: AckSize) -> list[dict[str, Any]]:
    """The faults of a part, as a setting of a scenario; those with a share of 0 are left out."""
    drops, delays = faults.network_drop_rate, faults.server_delay_simulation
    delay_s = _seconds("server_delay", faults.server_delay) / size.quicker
    silence_s = _seconds("client_silence", faults.client_silence) / size.quicker
    directions: dict[AckPart, tuple[str, float]] = {
        "send": ("both", drops / 2),
        "receiver": ("up", drops),
        "push": ("down", drops),
    }
    direction, probability = directions[part]
    found: list[dict[str, Any]] = [
        {"name": "network_drops", "kind": "drop", "direction": direction, "probability": probability},
        {
            "name": "delayed_responses",
            "kind": "delay",
            "direction": "down",
            "probability": delays,
            "delay": delay_s,
        },
    ]
    if part != "send":
        silent = {
            "name": "unresponsive_clients",
            "kind": "stop_acknowledging" if part == "push" else "stop_reading",
            "probability": faults.client_unresponsive_rate,
            "pause": silence_s,
        }
        found.append(silent)
    return [each for each in found if each["probability"]]


def ack_thresholds(part: AckPart, faults: FaultInjection) -> list[dict[str, Any]]:
    """The bounds on a part, as the thresholds of its run; one about a fault that is left out is not required."""
    needs = {
        RETRIES: faults.network_drop_rate,
        RECOVERY: faults.network_drop_rate,
        DELAYS: faults.server_delay_simulation,
        TIMEOUTS: faults.client_unresponsive_rate,
    }
    return [
        {"metric": name, "threshold": _BOUNDS[name], "required": bool(needs.get(name, True))}
        for name in _JUDGED[part]
    ]


def part_result(part: AckPart, summary: Summary, folder: str) -> PartResult:
    """What the run of a part came to."""
    return PartResult(
        part=part,
        acknowledgements=summary.acknowledgements,
        delivery=summary.delivery,
        bounds=tuple(summary.verdict.judgements or ()),
        folder=folder,
        outcome=outcome_of(summary),
        valid=bool(summary.verdict.valid),
        exit_code=summary.verdict.exit_code or 0,
        reasons=tuple(summary.verdict.reasons or ()),
        verdict=sentence_of(summary, "every bound held"),
    )


def concluded(
    results: Sequence[PartResult], *, left_out: Sequence[AckPart] = (), folder: str = ""
) -> AcknowledgmentResult:
    """The acknowledgement test as a whole."""
    of = {each.part: each for each in results}
    codes = {ExitCode(each.exit_code) for each in results} | ({ExitCode.UNKNOWN} if left_out else set())
    code = strongest(codes)
    failed = any(each.outcome == "failed" for each in results)
    outcome: Outcome = "failed" if failed else "passed" if code is ExitCode.PASSED else "warning"
    acks = of["send"].acknowledgements if "send" in of else Acknowledgements()
    return AcknowledgmentResult(
        acknowledgment_success_rate=_figure(of, "send", SUCCESS),
        average_acknowledgment_time=_figure(of, "send", ACK_TIME),
        average_acknowledgment_time_total=acks.ack_time_total.mean,
        retry_success_rate=_figure(of, "send", RETRIES),
        duplicate_delivery_rate=_figure(of, "receiver", DUPLICATES),
        duplicate_arrivals=of["push"].acknowledgements.duplicate_arrivals if "push" in of else None,
        network_fault_recovery_time=_figure(of, "send", RECOVERY),
        network_fault_recovery_time_p99=acks.retry_recovery.p99,
        server_delay_handling=_figure(of, "send", DELAYS),
        client_timeout_handling=_least(_figure(of, "receiver", TIMEOUTS), _figure(of, "push", TIMEOUTS)),
        parts=tuple(results),
        left_out=tuple(left_out),
        outcome=outcome,
        exit_code=int(code),
        verdict=_sentence(outcome, results, left_out),
        folder=folder,
    )


def _figure(of: dict[AckPart, PartResult], part: AckPart, name: str) -> float | None:
    """What was measured for a bound of a part."""
    bounds = of[part].bounds if part in of else ()
    return next((each.figure for each in bounds if each.name == name), None)


def _least(*figures: float | None) -> float | None:
    """The worst of shares that were measured."""
    return min((each for each in figures if each is not None), default=None)


def _sentence(outcome: Outcome, results: Sequence[PartResult], left_out: Sequence[AckPart]) -> str:
    said = [
        f"{each.part}: {each.reasons[0].removeprefix('failed: ')}"
        for each in results
        if each.outcome == outcome and each.reasons
    ]
    if left_out:
        said.append(f"not carried out: {', '.join(left_out)}")
    if outcome == "passed" or not said:
        parts = "the one part" if len(results) == 1 else f"all {len(results)} parts"
        return f"{outcome.upper()}: every bound held in {parts}."
    more = f", and {len(said) - 1} more" if len(said) > 1 else ""
    return f"{outcome.upper()}: {said[0]}{more}."


def _seconds(name: str, given: float | str) -> float:
    try:
        return parse_duration_s(given)
    except ValueError as error:
        raise PlanError(f"{name}: {error}") from None
