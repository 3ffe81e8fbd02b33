"""The delivery test: many connections send messages of several types, each type with a guarantee of its own.

Every connection sends the same number of messages in the given time, evenly: that fixes its rate. It sends nothing
before the level is held, so that what is offered a second is the same throughout. Judged by the threshold set
`delivery` (`squall.metrics.delivery_bounds`), in place of integrity, which would allow no loss at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import msgspec

from squall.errors import PlanError
from squall.fleet.base import Fleet
from squall.metrics.delivery_test import DeliveryGuaranteeResult, delivery_result
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.run import run_scenario
from squall.runner.settings import Duration, why_refused
from squall.scale import Scale
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario
from squall.store.folder import write_whole
from squall.units import parse_duration_s

__all__ = [
    "DELIVERY_FILE",
    "MESSAGE_TYPES",
    "DeliverySize",
    "DeliveryTracking",
    "MessageTypeConfiguration",
    "converted",
    "delivered",
    "delivery_settings",
    "delivery_size",
    "execute_delivery_guarantee_test",
    "ramp_settings",
    "why_not",
]

DELIVERY_FILE: Final = "delivery.json"
CONNECTS_HZ: Final = 500
"""Connections a second by which the level is reached and left."""
RAMP_MIN_S: Final = 0.2

_DECIDED: Final = {
    "traffic.rate": "it follows from --messages and --duration",
    "traffic.pattern": "it sends evenly",
    "traffic.types": "its types have guarantees; types of your own stand in a scenario for squall run",
    "load.arrivals": "it holds a number of connections",
    "delivery.promise": "integrity is not judged in it: its bounds say what must hold",
}
"""Settings that a delivery test takes from nobody, each with the reason."""


class MessageTypeConfiguration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A message type of a delivery test. `max_latency` is in milliseconds, or text like "50ms"."""

    type: str
    priority: Literal["high", "medium", "normal", "low"] | None = None
    delivery_guarantee: float | None = None
    max_latency: float | str | None = None
    weight: float = 1.0

    def settings(self) -> dict[str, Any]:
        """The same as a message type of a scenario."""
        limit = self.max_latency
        return {
            "name": self.type,
            "priority": self.priority,
            "guarantee": self.delivery_guarantee,
            "max_latency": limit if limit is None or isinstance(limit, str) else limit / 1000,
            "weight": self.weight,
        }


MESSAGE_TYPES: Final = (
    MessageTypeConfiguration(
        type="critical_notification", priority="high", delivery_guarantee=0.9999, max_latency=50
    ),
    MessageTypeConfiguration(
        type="real_time_data", priority="medium", delivery_guarantee=0.999, max_latency=100
    ),
    MessageTypeConfiguration(
        type="user_activity", priority="normal", delivery_guarantee=0.995, max_latency=200
    ),
    MessageTypeConfiguration(
        type="background_sync", priority="low", delivery_guarantee=0.99, max_latency=500
    ),
)
"""The specification's four; a quarter of the messages each."""


class DeliveryTracking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept account of. What is switched off is not measured, and no bound on it is required."""

    enable_checksums: bool = True
    enable_sequence_numbers: bool = True
    enable_timestamps: bool = True
    enable_delivery_confirmations: bool = True

    def settings(self) -> dict[str, Any]:
        """The same as settings of a scenario, by path."""
        return {
            "delivery.tracking.checksums": self.enable_checksums,
            "delivery.tracking.sequence_numbers": self.enable_sequence_numbers,
            "delivery.tracking.timestamps": self.enable_timestamps,
            "delivery.tracking.confirmations": self.enable_delivery_confirmations,
        }


class DeliverySize(msgspec.Struct, frozen=True, kw_only=True):
    """How large a delivery test is. The rate follows: `messages_per_connection` in `duration_s`."""

    connections: int
    duration_s: float
    messages_per_connection: int


_SIZES: Final[dict[Scale, DeliverySize]] = {
    "full": DeliverySize(connections=10_000, duration_s=1800.0, messages_per_connection=1000),
    "standard": DeliverySize(connections=10_000, duration_s=180.0, messages_per_connection=100),
    # More than 10,000 messages of each type: then a single one decides no guarantee of 0.9999.
    "smoke": DeliverySize(connections=500, duration_s=20.0, messages_per_connection=100),
}


def delivery_size(
    scale: Scale,
    *,
    connections: int | None = None,
    duration: Duration | None = None,
    messages_per_connection: int | None = None,
) -> DeliverySize:
    """The size at a scale, with what is said otherwise.

    Raises:
        PlanError: it makes no sense.
    """
    usual = _SIZES[scale]
    try:
        duration_s = usual.duration_s if duration is None else parse_duration_s(duration)
    except ValueError as error:
        raise PlanError(f"duration: {error}") from None
    size = DeliverySize(
        connections=usual.connections if connections is None else connections,
        duration_s=duration_s,
        messages_per_connection=(
            usual.messages_per_connection if messages_per_connection is None else messages_per_connection
        ),
    )
    if size.connections < 1 or size.messages_per_connection < 1 or size.duration_s <= 0:
        raise PlanError(
            f"{size.connections} connections, {size.messages_per_connection} messages each in"
            f" {size.duration_s} s: a delivery test has one or more of each, and a time to send them in"
        )
    return size


def delivery_settings(
    size: DeliverySize,
    types: Sequence[MessageTypeConfiguration] = MESSAGE_TYPES,
    tracking: DeliveryTracking = DeliveryTracking(),
) -> dict[str, Any]:
    """The test as settings of a scenario, by path."""
    rate_hz = size.messages_per_connection / size.duration_s
    return {
        "name": "delivery",
        **ramp_settings(size.connections),
        # One period more than the time asks for: wherever in it a session begins, its last message is due.
        "load.hold": size.duration_s + 1 / rate_hz,
        "traffic.rate": rate_hz,
        "traffic.messages_per_session": size.messages_per_connection,
        "traffic.during_ramp": False,
        "traffic.types": [each.settings() for each in types],
        "threshold_sets": ["delivery"],
        "delivery.integrity": False,
        **tracking.settings(),
    }


def ramp_settings(connections: int) -> dict[str, Any]:
    """How a level is reached and left, as settings of a scenario."""
    ramp = {"kind": "linear", "duration": max(RAMP_MIN_S, connections / CONNECTS_HZ)}
    return {"load.connections": connections, "load.ramp_up": ramp, "load.ramp_down": ramp, "load.warm_up": 0}


def why_not(setting: str) -> str | None:
    """Why a delivery test takes no such setting from those who start it; None where it does."""
    return why_refused(_DECIDED, setting)


def delivered(scenario: Scenario, run: RunResult) -> DeliveryGuaranteeResult:
    """What the run of a delivery test came to, once it is in its folder.

    Raises:
        StoreError: it cannot be written.
    """
    result = delivery_result(scenario, run.summary, str(run.folder))
    write_whole(run.folder / DELIVERY_FILE, msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return result


async def execute_delivery_guarantee_test(
    url: str | Sequence[str] | None = None,
    *,
    connections: int | None = None,
    duration: Duration | None = None,
    message_configuration: Sequence[MessageTypeConfiguration | Mapping[str, Any]] | None = None,
    messages_per_connection: int | None = None,
    delivery_tracking: DeliveryTracking | Mapping[str, bool] | None = None,
    scale: Scale = "full",
    scenario: Scenario | str | Path | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    fleet: Callable[[], Fleet] | None = None,
    **settings: Any,
) -> DeliveryGuaranteeResult:
    """Send messages of several types, each with a delivery guarantee, and judge whether it was kept.

    Called on the class, as in the specification.

    Args:
        url: the entry point, or several; without one, and without a scenario, the bundled service is started.
        connections: held at once; by default what `scale` asks for.
        duration: in which each sends its messages: seconds, or text like "30m".
        message_configuration: the types with their guarantees; by default the specification's four.
        messages_per_connection: that each connection sends in all; each type's share is exact.
        delivery_tracking: what is kept account of.
        scale: `full`: 10,000 connections send 1,000 messages each in 30 minutes; `standard`: a tenth of the messages
            in a tenth of the time; `smoke`: 500 connections send 100 each in 20 s. No bound changes.
        scenario: a scenario, or a file with one, for all that the test leaves open.
        out: the run folder; by default a new one under runs/.
        fleet: makes where the workers run; processes of this host by default.
        settings: any other setting of a scenario (`seed=7`, `watch={"target": [{"pid": 7}]}`).

    Raises:
        SquallError: it could not begin: a mistake in what is asked, or too small a machine.
    """
    size = delivery_size(
        scale, connections=connections, duration=duration, messages_per_connection=messages_per_connection
    )
    types = MESSAGE_TYPES if message_configuration is None else _types(message_configuration)
    chosen = delivery_settings(size, types, converted(delivery_tracking or {}, DeliveryTracking))
    chosen |= settings if out is None else {**settings, "outputs.out": str(out)}
    if url is not None:
        chosen["target.url"] = url if isinstance(url, str) else list(url)
    own = url is None and scenario is None and "target" not in settings
    async with service_for(size.connections if own else None) as of_service:
        overrides = {path: Override(value, "code") for path, value in (of_service | chosen).items()}
        asked = load_scenario({} if scenario is None else scenario, overrides=overrides).scenario
        run = await run_scenario(asked, command="Python API", fleet=None if fleet is None else fleet())
    return delivered(asked, run)


def _types(given: Sequence[MessageTypeConfiguration | Mapping[str, Any]]) -> list[MessageTypeConfiguration]:
    if not given:
        raise PlanError("message_configuration: a delivery test has one message type or more")
    return [converted(each, MessageTypeConfiguration) for each in given]


def converted(given: Any, kind: type[Any]) -> Any:
    """A group of settings, from itself or from a mapping with its fields.

    Raises:
        PlanError: it is none.
    """
    if isinstance(given, kind):
        return given
    try:
        return msgspec.convert(given, kind)
    except msgspec.ValidationError as error:
        raise PlanError(f"{kind.__name__}: {error}") from None
