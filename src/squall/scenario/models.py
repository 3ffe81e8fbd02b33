"""The scenario: every setting of a run as frozen models, with its default and its unit.

Units: durations in seconds, sizes in bytes, rates per second. What the words mean stands in
docs/reference/definitions.md. The models hold, and refuse what contradicts itself (`checks` has the rules);
what they lead to is computed elsewhere. Checks that compare fields are validators of the later field, so that
pydantic reports every mistake of a scenario at once, and none that only follows from another.
"""

from __future__ import annotations

import math
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, ValidatorFunctionWrapHandler, field_validator

from squall.scenario import checks
from squall.scenario.addresses import Address
from squall.scenario.base import Model, with_unique_names
from squall.scenario.data import columns
from squall.scenario.exchanges import (
    AckedPushExchange,
    AckExchange,
    Condition,
    EchoExchange,
    Exchange,
    IdleExchange,
    OpeningStep,
    PushExchange,
    ReplyKey,
    RequestExchange,
    RetryBackoff,
    TimeStamp,
)
from squall.scenario.faults import FAULTS_MAX, FaultKind
from squall.scenario.load import (
    AdaptiveRamp,
    ConstantRamp,
    ExponentialRamp,
    LinearRamp,
    Load,
    Ramp,
    RampUp,
    Reconnect,
    SequencePart,
    SequenceRamp,
    SteppedRamp,
)
from squall.scenario.monitoring import AlertBounds, Monitoring, Stability, Tolerances
from squall.scenario.quantities import Count, Duration, Size
from squall.scenario.run_faults import RunFault
from squall.scenario.sessions import SessionLength, Sessions, ThinkTime
from squall.scenario.target import Target, Tls
from squall.scenario.traffic import (
    MessageType,
    Payload,
    PerConnectionData,
    Population,
    Traffic,
)
from squall.scenario.watch import Watch, WatchedSource

__all__ = [
    "AckExchange",
    "AckedPushExchange",
    "AdaptiveRamp",
    "AlertBounds",
    "Condition",
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
    "Monitoring",
    "OpeningStep",
    "Outputs",
    "Payload",
    "PerConnectionData",
    "Population",
    "PushExchange",
    "Ramp",
    "RampUp",
    "Reconnect",
    "ReplyKey",
    "RequestExchange",
    "RetryBackoff",
    "Scenario",
    "SequencePart",
    "SequenceRamp",
    "SessionLength",
    "Sessions",
    "Stability",
    "SteppedRamp",
    "Target",
    "ThinkTime",
    "Threshold",
    "TimeStamp",
    "Tls",
    "Tolerances",
    "Tracking",
    "Traffic",
    "Watch",
    "WatchedSource",
]


class Tracking(Model):
    """What is kept account of beside delivery itself. What is switched off is not measured, and costs nothing."""

    checksums: bool = Field(True, description="whether each body is as it was sent, by its checksum")
    sequence_numbers: bool = Field(
        True, description="order: what came behind a successor, how long that holds others back, gaps"
    )
    timestamps: bool = Field(
        True, description="whether the times in the envelopes go back, or lie after the arrival"
    )
    confirmations: bool = Field(
        True,
        description="confirmations: replies and acknowledgements, how many; of acknowledgements after how long, with what"
        " retries",
    )
    causality: bool = Field(True, description="whether a message is seen before the one that it answers")


class Delivery(Model):
    """The promise that is checked, and how long is waited before anything is called lost."""

    promise: Literal["at-most-once", "at-least-once", "exactly-once"] = Field(
        "exactly-once",
        description="what the service promises: which outcomes and events are violations; where it is given, it is"
        " judged by itself",
    )
    drain_timeout: Duration = Field(
        10.0,
        gt=0,
        le=3600,
        description="longest wait for what is outstanding after a session's last send, or the whole retry schedule of"
        " its exchange if that is longer; seconds",
    )
    foreign: Literal["count", "ignore"] = Field(
        "count", description="messages without an envelope: unexpected, or declared and not counted"
    )
    tracking: Tracking = Field(Tracking(), description="what is kept account of beside delivery itself")
    integrity: bool = Field(
        True, description="judge integrity; false where thresholds of your own replace it"
    )

    @property
    def is_promise_said(self) -> bool:
        """Whether the promise was given, so that it is judged by itself."""
        return "promise" in self.model_fields_set


class Threshold(Model):
    """A bound in k6's form on a metric: `ws_response_time{phase:hold}` → `p(95)<200`."""

    metric: str = Field(min_length=1, description="a metric's name, with tags in braces where wanted")
    threshold: str = Field(
        min_length=1, description="the bound, in the metric's own unit: `p(95)<200`, `rate<0.01`"
    )
    abort_on_fail: bool = Field(
        False, alias="abortOnFail", description="end the run as soon as it is crossed"
    )
    delay_abort_eval: Duration = Field(
        0.0, alias="delayAbortEval", description="not before this much of the run has passed; seconds"
    )
    required: bool = Field(True, description="false: it is judged and shown, and leaves the outcome alone")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)


class Engine(Model):
    """The load generator itself."""

    workers: Count | None = Field(
        None, ge=1, le=1024, description="processes; by default what the plan and the cores ask for"
    )
    pacing_window: Duration = Field(
        0.001,
        ge=0.0001,
        le=0.1,
        description="the pacer wakes at most once in it and sends all that is due; seconds",
    )
    send_buffer_max: Size = Field(
        1 << 20, ge=1, description="unsent bytes of a connection past which it is blocked"
    )
    send_buffer_age_max: Duration = Field(
        5.0, gt=0, description="age of unsent bytes past which a connection is blocked; seconds"
    )
    send_buffer_total_max: Size = Field(
        1 << 30, validate_default=True, description="unsent bytes over all workers"
    )
    blocked_max: Count = Field(
        100, ge=1, description="messages a blocked connection holds before they are not sent"
    )
    receive_message_max: Size = Field(16 << 20, ge=125, description="largest message that is read; bytes")
    on_worker_loss: Literal["continue", "stop"] = Field(
        "continue", description="when a worker dies: the others finish the plan, or the run ends"
    )
    keep_awake: bool = Field(
        True,
        description="keep this machine's processors from sleeping while the run lasts, where the system lets us: "
        "one that sleeps wakes late",
    )

    @field_validator("send_buffer_total_max")
    @classmethod
    def _is_not_below_one(cls, total: int, info: ValidationInfo) -> int:
        if total < info.data.get("send_buffer_max", 0):
            raise ValueError("is below send_buffer_max, that of one connection")
        return total


class Outputs(Model):
    """Where results go."""

    out: str | None = Field(None, description="the folder of this one run; by default a new one under runs/")
    csv: bool = Field(True, description="write the time series as CSV")
    markdown: bool = Field(True, description="write the summary as Markdown")
    html: bool = Field(True, description="write the report as one HTML page")
    junit: str | None = Field(
        None, description="a file to write as JUnit XML, a case for each bound; by default none"
    )
    progress: Literal["auto", "live", "plain", "json", "none"] = Field(
        "auto",
        description="what is shown while it runs; auto: live on a terminal, else plain lines; "
        "json: JSON lines on standard output, and nothing else there",
    )
    web: Address | None = Field(
        None,
        description="serve the page of the running test there, and /metrics: [HOST:]PORT, loopback without a host",
    )
    prometheus: Address | None = Field(
        None, description="serve /metrics of the running test there: [HOST:]PORT, loopback without a host"
    )
    linger: Duration = Field(
        0.0, le=86_400, description="how long these are still served once the run is over; seconds"
    )

    @field_validator("prometheus")
    @classmethod
    def _has_an_address_of_its_own(cls, prometheus: str | None, info: ValidationInfo) -> str | None:
        if prometheus is not None and prometheus == info.data.get("web") and not prometheus.endswith(":0"):
            raise ValueError("is the address of the web page, which serves /metrics as well: leave this out")
        return prometheus


class Scenario(Model):
    """One run, whole."""

    name: str = Field(
        "run", pattern=r"^[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}$", description="what the run is called in reports"
    )
    seed: int = Field(1, ge=0, lt=1 << 63, description="fixes every random choice of the run")
    target: Target = Field(description="the service under test; a URL alone may be given as text")
    load: Load = Field(Load(), description="how many connections, and how they come, stay and go")
    populations: tuple[Population, ...] = Field(
        (Population(),),
        min_length=1,
        max_length=100,
        validate_default=True,
        description="groups of sessions that behave alike; the settings of a single one may stand at the top",
    )
    delivery: Delivery = Field(
        Delivery(),
        validate_default=True,
        description="the promise that is checked, and the wait before judging",
    )
    faults: tuple[RunFault, ...] = Field(
        (), max_length=FAULTS_MAX, description="what is done to the connections: by a proxy, by the sessions"
    )
    thresholds: tuple[Threshold, ...] = Field(
        (), description="in a file: a mapping metric → bound, or list of bounds"
    )
    monitoring: Monitoring = Field(Monitoring(), description="the alerts")
    stability: Stability = Field(Stability(), description="the checks of a held level")
    threshold_sets: tuple[Literal["readiness", "delivery"], ...] = Field(
        (), description="named sets of bounds to add"
    )
    watch: Watch = Field(Watch(), description="what is watched beside the connections")
    engine: Engine = Field(Engine(), validate_default=True, description="the load generator itself")
    outputs: Outputs = Field(Outputs(), description="where results go")
    test_environment: str = Field("", max_length=200, description="a label kept in the record")

    @property
    def level(self) -> int:
        """The connections of the full level: those asked for, or by Little's law those that arrivals lead to."""
        arrivals, stay_s = self.load.arrivals, self.stay_s
        if arrivals is None or stay_s is None:
            return self.load.connections
        return math.ceil(arrivals * stay_s - 1e-9)

    @property
    def drain_s(self) -> float:
        """How long is waited for what is outstanding, in seconds: `drain_timeout`, or a whole retry schedule if longer."""
        return max(self.delivery.drain_timeout, *(each.exchange.under_way_s for each in self.populations))

    @property
    def stay_s(self) -> float | None:
        """How long a session stays on average, where arrivals are fixed; None where the level is."""
        if self.load.arrivals is None:
            return None
        stays = [
            (each.weight, each.sessions.length.mean)
            for each in self.populations
            if each.sessions.length is not None
        ]
        return sum(weight * mean_s for weight, mean_s in stays) / sum(weight for weight, _ in stays)

    @field_validator("populations", mode="wrap")
    @classmethod
    def _fit_target_and_load(
        cls, populations: Any, inner: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        load, target = info.data.get("load"), info.data.get("target")
        checked: tuple[Population, ...] = with_unique_names(
            populations, inner, what="populations", default="main"
        )
        found: list[checks.Finding] = []
        if load is not None and load.arrivals is not None:
            found += checks.arrivals(load, checked)
        elif load is not None and load.connections < len(checked):
            found.append(((), f"{len(checked)} populations share {load.connections} connections"))
        if target is not None:
            names = set().union(*(columns(each) for each in checks.texts_with_columns(target)))
            without = [place for place, each in enumerate(checked) if each.data is None]
            found += [
                ((place,), f"{checks.places(missing)} in target, but it has no data")
                for place in without
                if (missing := names - checked[place].exchange.fills)
            ]
        found += [
            ((place, *path), f"{checks.places(names)}, but the population has no data")
            for place, each in enumerate(checked)
            for path, names in checks.templates(each)
            if each.data is None and names
        ]
        checks.report(found)
        return checked

    @field_validator("delivery")
    @classmethod
    def _waits_for_late_ones(cls, delivery: Delivery, info: ValidationInfo) -> Delivery:
        checks.report(
            (
                ("drain_timeout",),
                f"is not above max_latency of {one.name}'s type {each.name}: late would be lost",
            )
            for one in info.data.get("populations", ())
            for each in one.traffic.types
            if each.max_latency is not None
            and each.max_latency >= max(delivery.drain_timeout, one.exchange.under_way_s)
        )
        return delivery

    @field_validator("faults")
    @classmethod
    def _have_names_of_their_own(cls, faults: tuple[FaultKind, ...]) -> tuple[FaultKind, ...]:
        labels = [fault.label for fault in faults]
        checks.report(
            ((place, "name"), f"two faults are called {label}: give one of them another name")
            for place, label in enumerate(labels)
            if label in labels[:place]
        )
        return faults

    @field_validator("engine")
    @classmethod
    def _takes_what_is_sent(cls, engine: Engine, info: ValidationInfo) -> Engine:
        sizes = [each.size for one in info.data.get("populations", ()) for each in one.traffic.payload]
        if max(sizes, default=0) > engine.receive_message_max:
            checks.report(
                [(("receive_message_max",), "is below the largest payload: its echo would be refused")]
            )
        return engine
