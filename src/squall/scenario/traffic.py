"""The populations of a scenario: what their sessions do and send, as frozen models. Sends nothing itself."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)

from squall.scenario import checks
from squall.scenario.base import NAME, Model, with_unique_names
from squall.scenario.exchanges import EchoExchange, Exchange, OpeningStep
from squall.scenario.mistakes import Mistakes
from squall.scenario.quantities import Count, Duration, Rate, Size
from squall.scenario.sessions import Sessions

__all__ = [
    "MessageType",
    "Payload",
    "PerConnectionData",
    "Population",
    "Traffic",
]


class MessageType(Model):
    """A kind of message, with its share of the traffic."""

    name: str = Field("message", pattern=NAME, description="its name, the tag `type` of its figures")
    weight: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="its share of the messages, to the others'"
    )
    max_latency: Duration | None = Field(
        None, gt=0, description="a message delivered after this is late; seconds; by default none is"
    )
    priority: Literal["high", "medium", "normal", "low"] | None = Field(
        None, description="stands in the envelope, for a service that answers by it; squall sends by none"
    )
    guarantee: float | None = Field(
        None,
        ge=0,
        le=1,
        description="more than this share is to be delivered (1: every message), and the run is judged by it",
    )
    rate: Rate | None = Field(
        None,
        gt=0,
        description="messages per second and connection on average, instead of a weight; of all types or none",
    )


class Payload(Model):
    """A message size, the envelope included, with its share of the traffic."""

    size: Size = Field(128, description="the whole WebSocket message with its envelope; bytes")
    weight: float = Field(
        1.0, gt=0, allow_inf_nan=False, description="its share of the messages, to the others'"
    )


class Traffic(Model):
    """What the sessions of a population send."""

    rate: Rate = Field(1.0, description="messages per second and connection")
    arrival: Literal["uniform", "poisson"] = Field(
        "uniform", description="due times: evenly spread, or those of a Poisson process"
    )
    format: Literal["binary", "text"] = Field("binary", description="the WebSocket messages' opcode")
    payload: tuple[Payload, ...] = Field(
        (Payload(),), min_length=1, description="message sizes, drawn by weight"
    )
    types: tuple[MessageType, ...] = Field(
        (MessageType(),), min_length=1, max_length=250, description="message types, drawn by weight"
    )
    messages_per_session: Count | None = Field(
        None, ge=1, description="messages in all that a session sends; then types are exact quotas"
    )
    during_ramp: bool = Field(True, description="send as soon as connected, not only from the hold on")
    ping_interval: Duration | None = Field(
        None, gt=0, description="ping round trips on each connection; seconds; 5 s for an idle exchange"
    )
    pattern: Literal["steady", "sequential", "burst"] = Field(
        "steady",
        description="steady: by rate; sequential: the next on the reply to the last; burst: several at once",
    )
    burst_size: Count = Field(10, ge=1, le=10_000, description="of bursts: messages due at one moment")
    burst_every: Duration = Field(
        1.0, gt=0, description="of bursts: from one to the next of a connection; seconds"
    )
    reply_timeout: Duration = Field(
        5.0, gt=0, description="of sequential traffic: the next is due then without a reply, too; seconds"
    )

    @property
    def mean_rate(self) -> float:
        """Messages per second and connection; of sequential traffic the fewest, as without any reply."""
        if self.pattern == "burst":
            return self.burst_size / self.burst_every
        if self.pattern == "sequential":
            return 1 / self.reply_timeout
        rates = [each.rate for each in self.types if each.rate is not None]
        return sum(rates) if rates else self.rate

    @property
    def type_weights(self) -> tuple[float, ...]:
        """Of each type: its share of the messages, to the others'."""
        return tuple(each.weight if each.rate is None else each.rate for each in self.types)

    @field_validator("types", mode="wrap")
    @classmethod
    def _have_names_of_their_own(cls, types: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        return with_unique_names(types, inner, what="types", default="message")

    @field_validator("messages_per_session")
    @classmethod
    def _can_be_sent(cls, messages: int | None, info: ValidationInfo) -> int | None:
        if messages is not None and info.data.get("rate") == 0:
            raise ValueError("cannot be sent at a rate of 0")
        return messages

    @model_validator(mode="after")
    def _says_once_how_much(self) -> Self:
        checks.report(checks.rates(self))
        return self


class PerConnectionData(Model):
    """A CSV file whose rows fill {column} in headers, the URL's query and templates, one row a session."""

    file: str = Field(
        min_length=1,
        description="the CSV file (UTF-8), relative to the scenario; its first line names the columns",
    )
    cycle: bool = Field(False, description="use the rows again where there are fewer than sessions")


class Population(Model):
    """A group of sessions that behave alike."""

    name: str = Field("main", pattern=NAME, description="its name, the tag `population` of its figures")
    weight: Count = Field(1, ge=1, description="its share of the sessions, to the others'")
    exchange: Exchange = Field(EchoExchange(), description="what a session does with the service")
    traffic: Traffic = Field(Traffic(), description="what its sessions send")
    sessions: Sessions = Field(
        Sessions(), description="how long its sessions stay, and how long they are away"
    )
    data: PerConnectionData | None = Field(None, description="values of its own for each connection")
    opening: tuple[OpeningStep, ...] = Field(
        (), max_length=100, description="before the traffic of each connection: a login, a subscription"
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="sent with each upgrade, over the target's; kept secret"
    )

    @field_validator("traffic", mode="wrap")
    @classmethod
    def _holds_the_envelope(
        cls, given: Any, inner: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        exchange = info.data.get("exchange")
        enveloped = exchange is not None and exchange.enveloped
        found = Mistakes()
        traffic = sized = None
        try:
            traffic = sized = inner(given)
        except ValidationError as error:
            found.adopt(error)
            sized = _sizes_alone(given)
        if enveloped and sized is not None:
            sizes = [each.size for each in sized.payload]
            for path, message in checks.payload_sizes(sizes, sized.format):
                found.add(message, *path)
        if traffic is not None and exchange is not None and exchange.sends and not enveloped:
            for name in sorted({"payload", "format"} & traffic.model_fields_set):
                found.add("has no use here: what is sent stands in exchange.send", name)
        if traffic is not None and exchange is not None and exchange.sends:
            for path, message in checks.sequential(traffic, exchange):
                found.add(message, *path)
        found.raise_any()
        return traffic

    @property
    def rate_hz(self) -> float:
        """Messages per second of one of its sessions: none where its exchange sends none."""
        return self.traffic.mean_rate if self.exchange.sends else 0.0

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, SecretStr], info: ValidationInfo) -> dict[str, SecretStr]:
        clear = {name: value.get_secret_value() for name, value in headers.items()}
        has_data = info.data.get("data", True) is not None
        fills: frozenset[str] = getattr(info.data.get("exchange"), "fills", frozenset())
        checks.report([*checks.headers(clear), *(() if has_data else checks.without_data(clear, fills))])
        return headers


def _sizes_alone(given: Any) -> Traffic | None:
    """The traffic with its sizes only, to judge these also where other settings are wrong."""
    try:
        return Traffic.model_validate({key: given[key] for key in ("format", "payload") if key in given})
    except (ValidationError, TypeError):
        return None
