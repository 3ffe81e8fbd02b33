"""The scenario: every setting of a run as frozen models, with its default and its unit.

Units: durations in seconds, sizes in bytes, rates per second. What the words mean stands in
docs/reference/definitions.md. The models hold and check; what they lead to is computed elsewhere.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from squall.scenario.quantities import Count, Duration, Rate, Size

__all__ = [
    "ConstantRamp",
    "Delivery",
    "EchoExchange",
    "Engine",
    "Exchange",
    "ExponentialRamp",
    "IdleExchange",
    "LinearRamp",
    "Load",
    "MessageType",
    "Model",
    "Outputs",
    "Payload",
    "PerConnectionData",
    "Population",
    "Ramp",
    "Scenario",
    "SequenceRamp",
    "SteppedRamp",
    "Target",
    "Threshold",
    "Tls",
    "Traffic",
]


class Model(BaseModel):
    """The base of all: frozen, and closed to keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Tls(Model):
    """How `wss://` targets are trusted, and how we show who we are."""

    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    server_name: str | None = Field(None, description="the name to ask for and to check, instead of the URL's")
    verify: bool = Field(True, description="false accepts any certificate; squall says so in every report")

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file without cert_file")
        return self


class Target(Model):
    """The service under test: one or more entry points, and how to reach them."""

    url: tuple[str, ...] = Field(
        min_length=1, description="ws:// or wss:// entry points; a single one may be given as text"
    )
    policy: Literal["first", "round_robin", "random", "fail_over"] = Field(
        "round_robin", description="which entry point a connection takes; fail_over: the next one after a failure"
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="sent with each upgrade; kept secret")
    subprotocols: tuple[str, ...] = ()
    tls: Tls = Tls()
    connect_timeout: Duration = Field(10.0, description="for the TCP connect and the TLS handshake, each")
    handshake_timeout: Duration = Field(10.0, description="for the answer to the upgrade request")
    close_timeout: Duration = Field(5.0, description="for the peer's answer to our close frame")
    source_addresses: tuple[str, ...] = Field((), description="local addresses to connect from, in turn")
    node_header: str | None = Field(
        "x-squall-node", description="header of the upgrade's answer that names the node behind the entry point"
    )


class ConstantRamp(Model):
    """All at once."""

    kind: Literal["constant"] = "constant"
    duration: Duration = 0.0


class LinearRamp(Model):
    """A straight line."""

    kind: Literal["linear"] = "linear"
    start: Count = 0
    duration: Duration = 30.0


class ExponentialRamp(Model):
    """Doubling at a steady pace: N(t) = start · 2^(t / double_every)."""

    kind: Literal["exponential"] = "exponential"
    start: Count = 10
    duration: Duration | None = Field(None, description="30 s where double_every is not given either")
    double_every: Duration | None = Field(None, description="follows from start, target and duration")
    steps: bool = Field(False, description="a staircase: the level jumps at each doubling")


class SteppedRamp(Model):
    """Equal steps, each held."""

    kind: Literal["stepped"] = "stepped"
    start: Count = 0
    steps: Count = 5
    duration: Duration = 30.0


class SequenceRamp(Model):
    """One shape after another; each starts where the one before it ended."""

    kind: Literal["sequence"] = "sequence"
    parts: tuple[SequencePart, ...] = Field(min_length=1)


class SequencePart(Model):
    """A piece of a sequence: a shape and the level it leads to."""

    to: Count
    ramp: Annotated[
        ConstantRamp | LinearRamp | ExponentialRamp | SteppedRamp, Field(discriminator="kind")
    ] = LinearRamp()


Ramp = Annotated[
    ConstantRamp | LinearRamp | ExponentialRamp | SteppedRamp | SequenceRamp, Field(discriminator="kind")
]


class Load(Model):
    """How many connections, and how they come, stay and go."""

    connections: Count = 100
    ramp_up: Ramp = ExponentialRamp()
    hold: Duration = 30.0
    ramp_down: Ramp = LinearRamp(duration=5.0)
    connect_rate_max: Rate | None = Field(None, description="caps every shape; connections per second, in all")
    connects_in_flight_max: Count = Field(64, description="handshakes under way at once, per worker")
    replace: bool = Field(False, description="connect again after a drop, under the same stream")
    retry_backoff: Duration = Field(0.5, description="first pause before a failed connect is tried again")
    retry_backoff_max: Duration = 5.0
    warm_up: Duration = Field(0.0, description="this much of the hold is left out of the summary's latency")


class EchoExchange(Model):
    """Send a message, expect it back."""

    kind: Literal["echo"] = "echo"


class IdleExchange(Model):
    """Hold only: no messages, ping round trips."""

    kind: Literal["idle"] = "idle"


Exchange = Annotated[EchoExchange | IdleExchange, Field(discriminator="kind")]


class MessageType(Model):
    """A kind of message, with its share of the traffic."""

    name: str = Field("message", pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)
    max_latency: Duration | None = Field(None, description="a message delivered after this is late")


class Payload(Model):
    """A message size, the envelope included, with its share of the traffic."""

    size: Size = 128
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)


class Traffic(Model):
    """What the sessions of a population send."""

    rate: Rate = Field(1.0, description="messages per second and connection")
    arrival: Literal["uniform", "poisson"] = "uniform"
    format: Literal["binary", "text"] = "binary"
    payload: tuple[Payload, ...] = Field((Payload(),), min_length=1)
    types: tuple[MessageType, ...] = Field((MessageType(),), min_length=1, max_length=250)
    messages_per_session: Count | None = Field(None, description="then types are exact quotas")
    during_ramp: bool = Field(True, description="send as soon as connected, not only from the hold on")
    ping_interval: Duration | None = Field(
        None, description="ping round trips on each connection; 5 s for an idle exchange"
    )


class PerConnectionData(Model):
    """A CSV file whose rows fill {column} in headers and in the URL's query, one row a session."""

    file: str


class Population(Model):
    """A group of sessions that behave alike."""

    name: str = Field("main", pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$")
    weight: Count = Field(1, gt=0, description="its share of the connections")
    exchange: Exchange = EchoExchange()
    traffic: Traffic = Traffic()
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    data: PerConnectionData | None = None


class Delivery(Model):
    """The promise that is checked, and how long is waited before anything is called lost."""

    promise: Literal["at-most-once", "at-least-once", "exactly-once"] = "exactly-once"
    drain_timeout: Duration = 10.0
    foreign: Literal["count", "ignore"] = Field(
        "count", description="messages without an envelope: unexpected, or declared and not counted"
    )
    integrity: bool = Field(True, description="judge integrity; false where thresholds of your own replace it")


class Threshold(Model):
    """A bound in k6's form on a metric: `ws_response_time{phase:hold}` → `p(95)<200`."""

    metric: str
    threshold: str
    abort_on_fail: bool = Field(False, alias="abortOnFail")
    delay_abort_eval: Duration = Field(0.0, alias="delayAbortEval")
    required: bool = True

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Engine(Model):
    """The load generator itself."""

    workers: Count | None = Field(None, description="processes; by default what the plan and the cores ask for")
    pacing_window: Duration = Field(0.001, ge=0.0001, le=0.1)
    send_buffer_max: Size = Field(1 << 20, description="unsent bytes of a connection past which it is blocked")
    send_buffer_age_max: Duration = 5.0
    send_buffer_total_max: Size = Field(1 << 30, description="unsent bytes over all workers")
    blocked_max: Count = Field(100, description="messages a blocked connection holds before they are not sent")
    receive_message_max: Size = 16 << 20
    on_worker_loss: Literal["continue", "stop"] = "continue"


class Outputs(Model):
    """Where results go."""

    out: str | None = Field(None, description="the folder of this one run; by default a new one under runs/")
    csv: bool = True
    markdown: bool = True
    progress: Literal["auto", "live", "plain", "none"] = "auto"


class Scenario(Model):
    """One run, whole."""

    name: str = Field("run", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}$")
    seed: int = Field(1, ge=0, lt=1 << 63)
    target: Target
    load: Load = Load()
    populations: tuple[Population, ...] = Field((Population(),), min_length=1, max_length=100)
    delivery: Delivery = Delivery()
    thresholds: tuple[Threshold, ...] = Field(
        (), description="in a file: a mapping metric → bound, or list of bounds"
    )
    threshold_sets: tuple[Literal["readiness"], ...] = ()
    engine: Engine = Engine()
    outputs: Outputs = Outputs()
    test_environment: str = Field("", description="a label kept in the record")
