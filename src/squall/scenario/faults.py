"""The faults of a bad network, as the proxy inflicts them: one frozen model a kind.

Faults of a connection act on its bytes from then on, and draw once for each connection: latency, bandwidth,
slice, blackhole, reset, half_close, byte_limit, slow_close, corrupt_bytes. Faults of messages act on whole
WebSocket messages, and draw for each: drop, delay, duplicate, reorder, corrupt, truncate, close; swallow_pings
draws for each ping. Which of them act on a message that several would strike: the first of the list.

The rule: a new kind is a model here, with the facts about it that others go by. How it is done is
`squall.proxy`'s.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from squall.errors import ScenarioError
from squall.scenario.base import NAME, Model
from squall.scenario.mistakes import did_you_mean, path_text
from squall.scenario.quantities import Count, Duration, Size

__all__ = [
    "FAULTS_MAX",
    "PROXY_KINDS",
    "Bandwidth",
    "Blackhole",
    "ByteLimit",
    "CloseFrame",
    "Corrupt",
    "CorruptBytes",
    "Delay",
    "Drop",
    "Duplicate",
    "FaultKind",
    "HalfClose",
    "Latency",
    "ProxyFault",
    "Reorder",
    "Reset",
    "Slice",
    "SlowClose",
    "SwallowPings",
    "Truncate",
    "fault_settings",
    "parse_fault",
    "read_fault",
    "read_faults",
]

FAULTS_MAX: Final = 64
"""Faults that may be given at once."""

_NOT_SENT_CODES: Final = frozenset({1004, 1005, 1006})  # RFC 6455 §7.4.1: never in a close frame


class FaultKind(Model):
    """What all faults have."""

    acts_on: ClassVar[Literal["connection", "message", "ping"]] = "connection"
    """What it draws for, by its probability."""
    ends_connections: ClassVar[bool] = False
    """It acts once on a connection, by ending it or one of its directions."""

    name: str | None = Field(None, pattern=NAME, description="what it is called; by default as its kind")
    probability: float = Field(
        1.0, gt=0, le=1, description="share of the connections, messages or pings that it strikes"
    )
    direction: Literal["up", "down", "both"] = Field(
        "both", description="up: towards the service; down: towards the client"
    )
    at: Duration = Field(0.0, description="how long after it is given it begins; seconds")
    lasts: Duration | None = Field(
        None, alias="for", gt=0, description="how long it goes on; by default until it is taken away; seconds"
    )
    seed: int | None = Field(
        None, ge=0, lt=1 << 63, description="fixes its draws; by default from the proxy's seed and its name"
    )

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    @property
    def label(self) -> str:
        """Its name, or where it has none that of its kind."""
        return self.name or str(getattr(self, "kind", ""))

    @property
    def directions(self) -> tuple[str, ...]:
        """The directions that it acts in."""
        return ("up", "down") if self.direction == "both" else (self.direction,)


class Latency(FaultKind):
    """Bytes arrive later: each by the delay from its own arrival, so that delays do not add up."""

    kind: Literal["latency"] = Field("latency", description="the fault's name")
    delay: Duration = Field(0.1, description="later by this; seconds")
    jitter: Duration = Field(0.0, description="and by up to as much more or less; no byte overtakes; seconds")


class Bandwidth(FaultKind):
    """No more than so many bytes a second pass, on each connection and in each direction."""

    kind: Literal["bandwidth"] = Field("bandwidth", description="the fault's name")
    rate: Size = Field(ge=1, description="bytes a second")


class Slice(FaultKind):
    """Bytes come in small pieces, with a pause between them."""

    kind: Literal["slice"] = Field("slice", description="the fault's name")
    size: Size = Field(ge=1, description="of a piece; bytes")
    delay: Duration = Field(0.001, ge=0.001, description="between two pieces; seconds")


class Blackhole(FaultKind):
    """Nothing passes while it lasts; then all of it does, as TCP would have it."""

    kind: Literal["blackhole"] = Field("blackhole", description="the fault's name")


class Reset(FaultKind):
    """The connection is reset (RST) on both sides. Its direction means nothing."""

    ends_connections = True
    kind: Literal["reset"] = Field("reset", description="the fault's name")
    after: Duration = Field(
        0.0, description="so long after the fault began, or the connection was upgraded; seconds"
    )


class HalfClose(FaultKind):
    """One direction ends (FIN) while the other goes on; what still comes in it is discarded."""

    ends_connections = True
    kind: Literal["half_close"] = Field("half_close", description="the fault's name")
    after: Duration = Field(
        0.0, description="so long after the fault began, or the connection was upgraded; seconds"
    )


class ByteLimit(FaultKind):
    """The connection is closed once so many bytes have passed in a direction."""

    kind: Literal["byte_limit"] = Field("byte_limit", description="the fault's name")
    bytes: Size = Field(ge=0, description="that pass, from when the fault meets the connection")


class SlowClose(FaultKind):
    """When one side closes its connection, the other learns of it later."""

    kind: Literal["slow_close"] = Field("slow_close", description="the fault's name")
    delay: Duration = Field(1.0, description="later by this; seconds")


class CorruptBytes(FaultKind):
    """Single bits flip anywhere behind the upgrade: in payloads, masks and headers of frames."""

    kind: Literal["corrupt_bytes"] = Field("corrupt_bytes", description="the fault's name")
    share: float = Field(0.0001, gt=0, le=1, description="of the bytes in which a bit flips")


class Drop(FaultKind):
    """A message is thrown away whole."""

    acts_on = "message"
    kind: Literal["drop"] = Field("drop", description="the fault's name")


class Delay(FaultKind):
    """A message is held, and those behind it pass."""

    acts_on = "message"
    kind: Literal["delay"] = Field("delay", description="the fault's name")
    delay: Duration = Field(1.0, gt=0, description="how long; seconds")


class Duplicate(FaultKind):
    """A message comes twice, one right behind the other."""

    acts_on = "message"
    kind: Literal["duplicate"] = Field("duplicate", description="the fault's name")


class Reorder(FaultKind):
    """A message is held until others have overtaken it."""

    acts_on = "message"
    kind: Literal["reorder"] = Field("reorder", description="the fault's name")
    by: Count = Field(1, ge=1, le=1000, description="messages that overtake it")
    hold_max: Duration = Field(
        1.0, gt=0, description="longest that it waits for them; then it goes on; seconds"
    )


class Corrupt(FaultKind):
    """One bit of a message's payload flips; its frames stay valid, and ASCII text stays ASCII."""

    acts_on = "message"
    kind: Literal["corrupt"] = Field("corrupt", description="the fault's name")


class Truncate(FaultKind):
    """A message loses its end; what is left comes as one valid frame."""

    acts_on = "message"
    kind: Literal["truncate"] = Field("truncate", description="the fault's name")
    keep: float = Field(0.5, ge=0, lt=1, description="the share of its payload that is left")


class CloseFrame(FaultKind):
    """Behind a message a close frame is put in; what comes behind that is discarded."""

    acts_on = "message"
    kind: Literal["close"] = Field("close", description="the fault's name")
    code: int = Field(1011, ge=1000, le=4999, description="its status code")

    @field_validator("code")
    @classmethod
    def _may_be_sent(cls, code: int) -> int:
        if code in _NOT_SENT_CODES or 1014 < code < 3000:
            raise ValueError("is no code of a close frame: 1000 to 1003, 1007 to 1014, 3000 to 4999")
        return code


class SwallowPings(FaultKind):
    """Pings are thrown away, so that no pong comes."""

    acts_on = "ping"
    kind: Literal["swallow_pings"] = Field("swallow_pings", description="the fault's name")


ProxyFault = Annotated[
    Latency
    | Bandwidth
    | Slice
    | Blackhole
    | Reset
    | HalfClose
    | ByteLimit
    | SlowClose
    | CorruptBytes
    | Drop
    | Delay
    | Duplicate
    | Reorder
    | Corrupt
    | Truncate
    | CloseFrame
    | SwallowPings,
    Field(discriminator="kind"),
]
"""A fault of the proxy, by its kind."""

PROXY_KINDS: Final[dict[str, type[FaultKind]]] = {
    model.model_fields["kind"].default: model for model in get_args(get_args(ProxyFault)[0])
}
"""The model of each kind."""

_ONE: Final[TypeAdapter[FaultKind]] = TypeAdapter(ProxyFault)


def parse_fault(text: str) -> FaultKind:
    """A fault as it is written on a command line: `drop:0.01:direction=up`, `latency:delay=50ms:for=10s`.

    Raises:
        ScenarioError: it is no such thing; says what is wrong with it.
    """
    return read_fault(fault_settings(text))


def fault_settings(text: str) -> dict[str, Any]:
    """The settings of a fault as it is written on a command line, not judged yet.

    Raises:
        ScenarioError: it is not written so.
    """
    kind, *parts = text.strip().split(":")
    given: dict[str, Any] = {"kind": kind}
    for place, part in enumerate(parts):
        key, equals, value = part.partition("=")
        if not equals and place:
            raise ScenarioError(f'fault "{kind}": {part!r} is no KEY=VALUE', hint=_FORM)
        key, value = (key.strip(), value.strip()) if equals else ("probability", part.strip())
        if key in given:
            raise ScenarioError(f'fault "{kind}": {key} is given twice', hint=_FORM)
        given[key] = value
    return given


_FORM: Final = "KIND[:PROBABILITY][:KEY=VALUE]..., as in drop:0.01:direction=up or latency:delay=50ms"


def read_fault(given: object) -> FaultKind:
    """A fault from plain data: a mapping with its `kind`.

    Raises:
        ScenarioError: it is none; says what is wrong with it.
    """
    if not isinstance(given, dict):
        raise ScenarioError("a fault is a mapping with its kind", hint='as in {"kind": "drop"}')
    kind = given.get("kind")
    if not isinstance(kind, str) or kind not in PROXY_KINDS:
        close = did_you_mean(kind, PROXY_KINDS) if isinstance(kind, str) else ""
        shown = f'"{kind[:32]}"' if isinstance(kind, str) else "without a kind"
        raise ScenarioError(f"there is no fault {shown}{close}", hint=f"there are {', '.join(PROXY_KINDS)}")
    try:
        return _ONE.validate_python(given)
    except ValidationError as error:
        found = [
            f"{path_text(detail['loc'][1:])}: {detail['msg'].removeprefix('Value error, ')}".removeprefix(
                ": "
            )
            for detail in error.errors(include_url=False, include_input=False)
        ]
        known = [info.alias or name for name, info in PROXY_KINDS[kind].model_fields.items()]
        raise ScenarioError(
            f'fault "{kind}": {"; ".join(found)}', hint=f"it takes {', '.join(known)}"
        ) from None


def read_faults(given: object) -> tuple[FaultKind, ...]:
    """A list of faults with names of their own.

    Raises:
        ScenarioError: one is none, two are called alike, or there are too many.
    """
    if not isinstance(given, (list, tuple)):
        raise ScenarioError("faults are a list", hint='as in [{"kind": "drop", "probability": 0.01}]')
    if len(given) > FAULTS_MAX:
        raise ScenarioError(f"{len(given)} faults are more than {FAULTS_MAX}")
    faults = tuple(each if isinstance(each, FaultKind) else read_fault(each) for each in given)
    seen: set[str] = set()
    for fault in faults:
        if fault.label in seen:
            raise ScenarioError(f"two faults are called {fault.label}", hint="give one of them a name")
        seen.add(fault.label)
    return faults
