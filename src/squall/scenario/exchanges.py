"""The exchanges: what a session does with the service, as frozen models. How it is done is `squall.protocols`.

Each kind is a model with its settings, and the facts about it that others go by, so that no other room asks for
a kind by its name: whether its sessions send, whether their messages carry squall's envelope, what shows that
one was delivered, whether it counts what comes unasked. A new kind joins `Exchange` below.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal, Self, get_args

from pydantic import Field, field_serializer, field_validator, model_validator

from squall.scenario.base import Model
from squall.scenario.exchange_base import (
    FIELD,
    Condition,
    ExchangeKind,
    OpeningStep,
    compiled,
    payload_in_words,
    shares_in_words,
)
from squall.scenario.quantities import Count, Duration
from squall.scenario.rooms import RelayExchange, RoomExchange
from squall.scenario.templates import Template, generated_in
from squall.scenario.urls import MASK
from squall.units import format_duration

if TYPE_CHECKING:
    from squall.scenario.traffic import Traffic

__all__ = [
    "EXCHANGES",
    "AckExchange",
    "AckedPushExchange",
    "Condition",
    "EchoExchange",
    "Exchange",
    "ExchangeKind",
    "IdleExchange",
    "OpeningStep",
    "PushExchange",
    "RelayExchange",
    "ReplyKey",
    "RequestExchange",
    "RetryBackoff",
    "RoomExchange",
    "TimeStamp",
    "shares_in_words",
]

_USER_FUNCTION = r"^[^:\s]+:[A-Za-z_][A-Za-z0-9_]*$"


class EchoExchange(ExchangeKind):
    """Send a message, expect it back."""

    kind: Literal["echo"] = Field("echo", description="the exchange's name")

    enveloped: ClassVar[bool] = True
    evidence: ClassVar[str] = "reply"

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        return payload_in_words(traffic)


class IdleExchange(ExchangeKind):
    """Hold only: no messages, ping round trips."""

    kind: Literal["idle"] = Field("idle", description="the exchange's name")

    sends: ClassVar[bool] = False
    evidence: ClassVar[str] = ""
    ping_interval_s: ClassVar[float | None] = 5.0

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        every = format_duration(traffic.ping_interval or self.ping_interval_s or 0)
        return f"holds its connections, a ping every {every}"


class TimeStamp(Model):
    """Where a message says when it was sent, by the sender's clock."""

    field: str = Field(
        pattern=FIELD, description="of its JSON, as in `data.time`: a number, or text that is one"
    )
    unit: Literal["s", "ms", "us", "ns"] = Field("ms", description="what the number counts, since 1970 (UTC)")


class PushExchange(ExchangeKind):
    """Count and clock what comes unasked, JSON or not; send nothing."""

    kind: Literal["push"] = Field("push", description="the exchange's name")
    sequence: str | None = Field(
        None,
        pattern=FIELD,
        description="field of a message's JSON that counts up by one: gaps, duplicates and order go by it",
    )
    key: str | None = Field(
        None,
        pattern=FIELD,
        description="field that says which sequence it is, where one connection has several",
    )
    stamp: TimeStamp | None = Field(None, description="where a message says when it was sent: its delay")
    foreign: tuple[Condition, ...] = Field(
        (), description="messages that meet one of these are not counted: heartbeats, notices"
    )

    sends: ClassVar[bool] = False
    evidence: ClassVar[str] = ""
    counts_pushes: ClassVar[bool] = True

    @field_validator("key")
    @classmethod
    def _tells_sequences_apart(cls, key: str | None, info: Any) -> str | None:
        if key is not None and info.data.get("sequence", "") is None:
            raise ValueError("tells sequences apart, and there is no sequence")
        return key

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        del traffic
        parts = ["counts what comes"]
        if self.sequence is not None:
            by = f" for each {self.key}" if self.key is not None else ""
            parts.append(f"sequence by {self.sequence}{by}")
        if self.stamp is not None:
            parts.append(f"delay by {self.stamp.field} ({self.stamp.unit} since 1970)")
        return ", ".join(parts)


class ReplyKey(Model):
    """How a reply says which request it answers: by a field of its JSON, or by a group of its text."""

    field: str | None = Field(
        None, pattern=FIELD, description="field of its JSON that repeats the request's {id}"
    )
    pattern: str | None = Field(
        None, description="regular expression for text; its first group repeats the request's {id}"
    )

    @field_validator("pattern")
    @classmethod
    def _has_a_group(cls, pattern: str | None) -> str | None:
        if pattern is not None and re.compile(compiled(pattern)).groups < 1:
            raise ValueError("needs a group (in parentheses) around what repeats the id")
        return pattern

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Self:
        if (self.field is None) == (self.pattern is None):
            raise ValueError("needs either field or pattern")
        return self


class RequestExchange(ExchangeKind):
    """Send a request of the service's own kind, match the reply to it, judge what it says."""

    kind: Literal["request"] = Field("request", description="the exchange's name")
    send: Template = Field(
        repr=False,
        description="text, or a mapping that is sent as JSON, with {id} or {seq} in it and {column}s of the data;"
        " kept secret",
    )
    reply: ReplyKey = Field(description="how a reply says which request it answers")
    correct: tuple[Condition, ...] = Field(
        (), description="what a reply must meet, all of it; a wrong one delivers nothing: corrupted_body"
    )
    check: str | None = Field(
        None,
        pattern=_USER_FUNCTION,
        description="a function of yours, `module:function` or `file.py:function`: called with reply and request,"
        " says whether the reply is correct",
    )
    in_order: bool = Field(False, description="replies come in the order of the requests: judge reordering")
    foreign: tuple[Condition, ...] = Field(
        (), description="messages that meet one of these are no replies: what others say, notices"
    )

    evidence: ClassVar[str] = "reply"

    @field_validator("send")
    @classmethod
    def _says_which_it_is(cls, send: Template) -> Template:
        if not generated_in(send) & {"id", "seq"}:
            raise ValueError("holds neither {id} nor {seq}: its reply could not be told from others")
        if "attempt" in generated_in(send):
            raise ValueError("{attempt} has no use here: a request is sent once")
        return send

    @field_serializer("send", when_used="json")
    def _without_secrets(self, _send: Template) -> str:
        return MASK

    @property
    def judges_order(self) -> bool:
        """See the base: replies to requests of their own may overtake each other, unless it is said."""
        return self.in_order

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        del traffic
        by = self.reply.field or "a group of its text"
        many = "" if len(self.correct) == 1 else "s"
        judged = [f"{len(self.correct)} condition{many}"] if self.correct else []
        judged += [self.check] if self.check is not None else []
        return (
            f"reply by {by}, correct by {' and '.join(judged)}"
            if judged
            else f"reply by {by}, any is correct"
        )


class RetryBackoff(Model):
    """How long a message pauses before it is sent again: full jitter over first · factor^n, at most `max`."""

    first: Duration = Field(
        0.5, ge=0, le=600, description="the longest pause before the first retry; seconds"
    )
    factor: float = Field(
        2.0, ge=1, le=100, allow_inf_nan=False, description="by what it grows from one retry to the next"
    )
    max: Duration = Field(5.0, ge=0, le=600, description="what no pause is longer than; seconds")
    jitter: Literal["full", "none"] = Field(
        "full",
        description="each pause is drawn evenly between nothing and that, by the seed; or is all of it",
    )

    def pauses_s(self, retries: int) -> tuple[float, ...]:
        """The longest pause before each of so many retries, in seconds."""
        return tuple(min(self.max, self.first * self.factor**number) for number in range(retries))


class Retrying(ExchangeKind):
    """What exchanges have whose messages are sent again until they are acknowledged."""

    timeout: Duration = Field(
        5.0,
        gt=0,
        le=600,
        description="how long an attempt waits for its acknowledgement, from its intended send; seconds",
    )
    retries: int = Field(3, ge=0, le=14, description="how often a message is sent again at most")
    backoff: RetryBackoff = Field(RetryBackoff(), description="the pause between a time-out and the retry")

    @property
    def under_way_s(self) -> float:
        """See the base: every attempt times out, and every pause is as long as it can be."""
        return (1 + self.retries) * self.timeout + sum(self.backoff.pauses_s(self.retries))

    def _retries_in_words(self) -> str:
        times = {0: "no retry", 1: "1 retry"}.get(self.retries, f"{self.retries} retries")
        return f"time-out {format_duration(self.timeout)}, {times}"


class AckExchange(Retrying):
    """Send a message, expect it acknowledged; send it again where that does not come in time."""

    kind: Literal["ack"] = Field("ack", description="the exchange's name")
    evidence: Literal["acknowledgement", "receiver"] = Field(  # type: ignore[misc] # a fact that is asked for here
        "acknowledgement",
        description="what shows a delivery: the acknowledgement, or the message itself, which the service delivers"
        " to its sender too",
    )
    window: Count = Field(
        100, ge=1, le=10_000, description="unacknowledged messages of a session at most; further ones wait"
    )
    send: Template | None = Field(
        None,
        repr=False,
        description="for services without squall's envelope: text, or a mapping that is sent as JSON, with {id} or"
        " {seq} in it, {attempt} and {column}s of the data; kept secret",
    )
    ack: ReplyKey | None = Field(
        None, description="with `send`: how an acknowledgement says which message it means"
    )
    attempt: str | None = Field(
        None,
        pattern=FIELD,
        description="with `send`: field of an acknowledgement's JSON that repeats {attempt}; without, one that comes"
        " after a retry is not timed from it",
    )
    foreign: tuple[Condition, ...] = Field(
        (), description="with `send`: messages that meet one of these are no acknowledgements: notices"
    )

    acknowledged_by: ClassVar[Literal["", "service", "client"]] = "service"

    @field_validator("send")
    @classmethod
    def _says_which_it_is(cls, send: Template | None) -> Template | None:
        if send is not None and not generated_in(send) & {"id", "seq"}:
            raise ValueError(
                "holds neither {id} nor {seq}: its acknowledgement could not be told from others"
            )
        return send

    @model_validator(mode="after")
    def _is_one_form(self) -> Self:
        if (self.send is None) != (self.ack is None):
            raise ValueError("send and ack go together: what is sent, and how its acknowledgement names it")
        if self.send is None and (self.attempt is not None or self.foreign):
            raise ValueError("attempt and foreign have no use without send: squall's envelope says it all")
        if self.send is not None and self.evidence == "receiver":
            raise ValueError("evidence: receiver needs squall's envelope; leave out send and ack")
        if self.attempt is not None and "attempt" not in generated_in(self.send):
            raise ValueError("attempt names a field that repeats {attempt}, and send does not hold {attempt}")
        return self

    @field_serializer("send", when_used="json")
    def _without_secrets(self, send: Template | None) -> str | None:
        return None if send is None else MASK

    @property
    def enveloped(self) -> bool:  # type: ignore[override] # a fact that depends on the settings here
        """See the base."""
        return self.send is None

    @property
    def judges_order(self) -> bool:
        """See the base: in which order a service got the messages does not show in its acknowledgements."""
        return self.evidence == "receiver"

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        key = None if self.ack is None else self.ack.field or "a group of its text"
        parts = [payload_in_words(traffic) if key is None else f"acknowledged by {key}"]
        parts.append(f"{self._retries_in_words()}, at most {self.window} unacknowledged")
        if self.evidence == "receiver":
            parts.append("delivered to its sender too")
        return ", ".join(parts)


class AckedPushExchange(Retrying):
    """Have each message pushed back, and acknowledge it: the service sends it again until that comes.

    Time-out, retries and back-off are the service's: how long the drain waits goes by them.
    """

    kind: Literal["acked_push"] = Field("acked_push", description="the exchange's name")
    acknowledges: bool = Field(
        True, description="acknowledge what comes; false shows what the service does then"
    )
    deduplicates: bool = Field(
        True,
        description="further copies of a message are dropped, as a retry may bring one; false counts them",
    )

    enveloped: ClassVar[bool] = True
    evidence: ClassVar[str] = "receiver"
    acknowledged_by: ClassVar[Literal["", "service", "client"]] = "client"

    def words(self, traffic: Traffic) -> str:
        """See the base."""
        does = "acknowledges what is pushed back" if self.acknowledges else "acknowledges nothing"
        return f"{payload_in_words(traffic)}, {does}; of the service: {self._retries_in_words()}"


_Kinds = (
    EchoExchange
    | IdleExchange
    | PushExchange
    | RequestExchange
    | AckExchange
    | AckedPushExchange
    | RoomExchange
    | RelayExchange
)

Exchange = Annotated[_Kinds, Field(discriminator="kind")]

EXCHANGES: Final[dict[str, type[ExchangeKind]]] = {
    model.model_fields["kind"].default: model for model in get_args(_Kinds)
}
"""Every exchange by its kind."""
