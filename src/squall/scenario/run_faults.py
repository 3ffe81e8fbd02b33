"""The faults of a run: those of a proxy in front of the service, and those of squall's own sessions; and when.

In a run `at` counts from the start of the hold, the warm-up included. A proxy's fault that says neither `at` nor `for` is
on for the whole run, the ramps included; one without `for` lasts until the end. Faults of sessions strike in the hold:
each session that is drawn once, at a drawn time in the window.

The rule: a new kind of the sessions is a model here, with the facts about it that others go by; how it is done is
`squall.engine.client_faults`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from squall.scenario.checks import Finding
from squall.scenario.faults import FaultKind, ProxyFault
from squall.scenario.quantities import Count, Duration
from squall.units import format_duration

__all__ = [
    "ClientFault",
    "Cut",
    "RunFault",
    "SlowFrameFault",
    "StopAcknowledging",
    "StopReading",
    "client_faults",
    "is_whole_run",
    "proxy_faults",
    "window_findings",
    "window_s",
]


class ClientFault(FaultKind):
    """What the faults of sessions have: they draw for each session."""

    needs_acks: ClassVar[bool] = False
    """It strikes only sessions that acknowledge what comes."""

    @field_validator("direction")
    @classmethod
    def _has_none(cls, direction: str) -> str:
        if direction != "both":
            raise ValueError("is of the proxy's faults; this one is of squall's own sessions")
        return direction

    @property
    def strike_s(self) -> float:
        """How long one strike lasts, in seconds."""
        return 0.0

    def strikes(self, *, sends: bool) -> bool:
        """Whether it can strike a session that sends messages, or one that does not."""
        del sends
        return True


class StopReading(ClientFault):
    """A session reads nothing for a while: neither messages nor control frames."""

    kind: Literal["stop_reading"] = Field("stop_reading", description="the fault's name")
    pause: Duration = Field(10.0, gt=0, description="how long a session that is struck stops; seconds")

    @property
    def strike_s(self) -> float:
        """See the base."""
        return self.pause


class StopAcknowledging(ClientFault):
    """A session reads, and acknowledges nothing for a while."""

    kind: Literal["stop_acknowledging"] = Field("stop_acknowledging", description="the fault's name")
    pause: Duration = Field(10.0, gt=0, description="how long a session that is struck stops; seconds")

    needs_acks: ClassVar[bool] = True

    @property
    def strike_s(self) -> float:
        """See the base."""
        return self.pause


class Cut(ClientFault):
    """A session drops its connection without a close, and connects again as `load.reconnect` says."""

    kind: Literal["cut"] = Field("cut", description="the fault's name")


class SlowFrameFault(ClientFault):
    """A session sends its next message as one frame in pieces, and none besides until the last of them."""

    kind: Literal["slow_frame"] = Field("slow_frame", description="the fault's name")
    takes: Duration = Field(2.0, gt=0, description="from the first piece to the last; seconds")
    pieces: Count = Field(8, ge=2, le=1000, description="pieces that the frame is sent in")

    @property
    def strike_s(self) -> float:
        """See the base."""
        return self.takes

    def strikes(self, *, sends: bool) -> bool:
        """See the base."""
        return sends


RunFault = Annotated[
    ProxyFault | StopReading | StopAcknowledging | Cut | SlowFrameFault, Field(discriminator="kind")
]
"""A fault of a run, by its kind."""


def client_faults(faults: Iterable[FaultKind]) -> list[ClientFault]:
    """Those of squall's own sessions."""
    return [fault for fault in faults if isinstance(fault, ClientFault)]


def proxy_faults(faults: Iterable[FaultKind]) -> list[FaultKind]:
    """Those of a proxy."""
    return [fault for fault in faults if not isinstance(fault, ClientFault)]


def is_whole_run(fault: FaultKind) -> bool:
    """Whether it is on from the first connection to the last."""
    return not isinstance(fault, ClientFault) and not {"at", "lasts"} & fault.model_fields_set


def window_s(fault: FaultKind, hold_s: float) -> tuple[float, float]:
    """From when to when a fault is on, in seconds from the start of a hold of that length.

    One of a proxy that says no `for` goes on behind the hold; that is not in it.
    """
    until_s = hold_s if fault.lasts is None else fault.at + fault.lasts
    return fault.at, until_s


def window_findings(faults: Iterable[FaultKind], hold_s: float) -> Iterator[Finding]:
    """Where faults ask for a time that a hold of that length does not have."""
    hold = f"the hold of {format_duration(hold_s)}"
    for place, fault in enumerate(faults):
        from_s, until_s = window_s(fault, hold_s)
        if is_whole_run(fault):
            continue
        if from_s >= hold_s:
            yield (
                (place, "at"),
                f"{fault.label} would begin {format_duration(from_s)} after the start of {hold}",
            )
        elif until_s > hold_s:
            yield (place, "for"), f"{fault.label} would end {format_duration(until_s - hold_s)} after {hold}"
        elif isinstance(fault, ClientFault) and fault.strike_s > until_s - from_s:
            lasts, there = format_duration(fault.strike_s), format_duration(until_s - from_s)
            yield (place,), f"{fault.label} strikes a session for {lasts}, and its window has only {there}"
