"""The exchanges in which one session reads what another one sends: rooms, and pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, field_serializer, field_validator

from squall.scenario.exchange_base import (
    Condition,
    ExchangeKind,
    OpeningStep,
    known_once,
    payload_in_words,
)
from squall.scenario.quantities import Count, Duration
from squall.scenario.templates import Template
from squall.scenario.urls import MASK

if TYPE_CHECKING:
    from squall.scenario.traffic import Traffic

__all__ = ["RelayExchange", "RoomExchange", "SharedExchange"]


class SharedExchange(ExchangeKind):
    """Join a room, send to it, expect what the others send: what rooms and pairs have in common."""

    join: Template | None = Field(
        {"join": "{room}"},
        repr=False,
        description="the frame that joins, {room} and {column}s filled in; null where none is needed; kept secret",
    )
    joined: tuple[Condition, ...] = Field(
        (Condition(field="joined", equals="{room}"),),
        description="the answer is the first message that meets all of these; without, none is waited for",
    )
    refused: tuple[Condition, ...] = Field(
        (Condition(field="refused", exists=True),),
        description="a message that meets one of these ends the connection: the service does not let it in",
    )
    timeout: Duration = Field(10.0, gt=0, description="for the answer; seconds")

    enveloped: ClassVar[bool] = True
    evidence: ClassVar[str] = "receiver"
    answers_sender: ClassVar[bool] = False
    fills: ClassVar[frozenset[str]] = frozenset({"room"})

    @field_validator("join")
    @classmethod
    def _is_known_by_then(cls, join: Template | None) -> Template | None:
        return known_once(join)

    @field_serializer("join", when_used="json")
    def _without_secrets(self, join: Template | None) -> str | None:
        return None if join is None else MASK

    @property
    def joining(self) -> tuple[OpeningStep, ...]:
        """See the base."""
        if self.join is None and not self.joined:
            return ()
        refuse = self.refused if self.joined else ()
        return (OpeningStep(send=self.join, expect=self.joined, refuse=refuse, timeout=self.timeout),)


class RoomExchange(SharedExchange):
    """Send to a room, expect at each other member what was sent."""

    kind: Literal["room"] = Field("room", description="the exchange's name")
    size: Count = Field(4, ge=2, le=1_000, description="members of a room")
    answers: float = Field(
        0.5,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="share of the messages that answer what their sender read last, and name it as their cause",
    )

    @property
    def members(self) -> int:
        """See the base."""
        return self.size

    @property
    def answers_share(self) -> float:
        """See the base."""
        return self.answers

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        answers = f", {self.answers:.4g} of them answers" if self.answers else ""
        return f"to rooms of {self.size:,}{answers}, {payload_in_words(traffic)}"


class RelayExchange(SharedExchange):
    """Send to a partner, expect at the partner what was sent."""

    kind: Literal["relay"] = Field("relay", description="the exchange's name")

    @property
    def members(self) -> int:
        """See the base."""
        return 2

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        return f"between two, {payload_in_words(traffic)}"
