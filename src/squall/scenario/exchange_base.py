"""What all exchanges have: conditions on messages, the steps of an opening, the facts that others go by.

The kinds themselves are in `exchanges`; this knows none of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, field_serializer, field_validator, model_validator

from squall.scenario.base import Model
from squall.scenario.quantities import Duration
from squall.scenario.templates import GENERATED_ONCE, Template, generated_in
from squall.scenario.urls import MASK
from squall.units import format_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from squall.scenario.traffic import Traffic

__all__ = [
    "FIELD",
    "Condition",
    "ExchangeKind",
    "OpeningStep",
    "compiled",
    "known_once",
    "payload_in_words",
    "shares_in_words",
]

FIELD = r"^[^.\s]+(\.[^.\s]+)*$"
"""A field of JSON by its path: keys, and numbers for the items of lists, between dots."""


class Condition(Model):
    """What a message must be: one of its fields, or all of its text, held against one thing."""

    field: str | None = Field(
        None, pattern=FIELD, description="of its JSON, as in `data.user.0.name`; by default all of its text"
    )
    equals: str | int | float | bool | None = Field(
        None, description="it is this; {column} is filled in from the data"
    )
    matches: str | None = Field(None, description="a regular expression that is found in it, as text")
    exists: bool | None = Field(None, description="it is there, or it is not")

    @field_validator("matches")
    @classmethod
    def _is_an_expression(cls, expression: str | None) -> str | None:
        return expression if expression is None else compiled(expression)

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        asked = [name for name in ("equals", "matches", "exists") if name in self.model_fields_set]
        if len(asked) != 1:
            raise ValueError("needs one of equals, matches and exists")
        if self.field is None and "exists" in asked:
            raise ValueError("exists asks for a field")
        return self


class OpeningStep(Model):
    """One step before the traffic of each connection: a frame that is sent, an answer that is waited for."""

    send: Template | None = Field(
        None, repr=False, description="text, or a mapping that is sent as JSON; kept secret"
    )
    expect: tuple[Condition, ...] = Field(
        (), description="the answer is the first message that meets all of these; without, none is waited for"
    )
    refuse: tuple[Condition, ...] = Field(
        (), description="a message that meets one of these ends the connection: the service says no"
    )
    timeout: Duration = Field(10.0, gt=0, description="for the answer; seconds")

    @field_validator("send")
    @classmethod
    def _is_known_by_then(cls, send: Template | None) -> Template | None:
        return known_once(send)

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if self.send is None and not self.expect:
            raise ValueError("needs send or expect")
        if self.refuse and not self.expect:
            raise ValueError("refuse needs expect: without, nothing is waited for")
        return self

    @field_serializer("send", when_used="json")
    def _without_secrets(self, send: Template | None) -> str | None:
        return None if send is None else MASK


class ExchangeKind(Model):
    """What all exchanges have: the facts that others go by."""

    sends: ClassVar[bool] = True
    """Its sessions send what the traffic says, and a reply to each message is owed."""
    enveloped: ClassVar[bool] = False
    """Its messages carry squall's envelope: the hot path."""
    counts_pushes: ClassVar[bool] = False
    """It counts what comes unasked."""
    evidence: ClassVar[str]
    """What shows that a message was delivered; "" where none is sent."""
    answers_sender: ClassVar[bool] = True
    """What shows that comes to the session that sent it: it may wait for that before its next message."""
    acknowledged_by: ClassVar[Literal["", "service", "client"]] = ""
    """Who acknowledges each message that it gets, so that it is sent again where that does not come."""
    ping_interval_s: ClassVar[float | None] = None
    """How often its connections are pinged where the traffic does not say."""
    fills: ClassVar[frozenset[str]] = frozenset()
    """The {places} that it fills in itself, beside the columns of the data."""

    @property
    def confirms(self) -> bool:
        """Whether a session is shown that what it sends arrives."""
        return self.sends and self.answers_sender

    @property
    def members(self) -> int:
        """How many sessions share a room; 1 where each is alone."""
        return 1

    @property
    def answers_share(self) -> float:
        """The share of the messages that name a cause."""
        return 0.0

    @property
    def joining(self) -> tuple[OpeningStep, ...]:
        """What comes last before the traffic, behind the population's own opening."""
        return ()

    @property
    def judges_order(self) -> bool:
        """Whether a reply that overtakes another is a violation."""
        return True

    @property
    def under_way_s(self) -> float:
        """How long its messages may be under way by its own terms, in seconds; 0 where it has none."""
        return 0.0

    def words(self, traffic: Traffic) -> str:
        """What the sessions do, for the plan; of those that send, what beside rate and types. Shows no secret."""
        raise NotImplementedError


def shares_in_words(parts: Sequence[tuple[str, float]]) -> str:
    """Names with their shares of the whole; of a single one its name."""
    if len(parts) == 1:
        return parts[0][0]
    total = sum(weight for _, weight in parts)
    return ", ".join(f"{name} {weight / total:.4g}" for name, weight in parts)


def payload_in_words(traffic: Traffic) -> str:
    """The form and the sizes of the messages."""
    sizes = shares_in_words([(format_size(each.size), each.weight) for each in traffic.payload])
    return f"{traffic.format}, {sizes}"


def known_once(template: Template | None) -> Template | None:
    """A template that is filled in before there is a message.

    Raises:
        ValueError: it names what belongs to a message.
    """
    if early := generated_in(template) - set(GENERATED_ONCE):
        names = ", ".join(f"{{{name}}}" for name in sorted(early))
        raise ValueError(f"{names} belongs to a message; before the first there is none")
    return template


def compiled(expression: str) -> str:
    """A regular expression that is one.

    Raises:
        ValueError: it is none; where.
    """
    try:
        re.compile(expression)
    except re.error as error:
        raise ValueError(f"is no regular expression: {error.msg} at {error.pos}") from None
    return expression
