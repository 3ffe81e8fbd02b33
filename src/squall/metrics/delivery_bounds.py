"""The bounds on delivery that follow from a scenario: guarantees of its types, and the threshold set `delivery`.

- A type's **guarantee** is judged in every run: ws_delivery_success{type} > guarantee, as an interval; a guarantee
  of 1 is kept if every message was delivered.
- The set **delivery** adds the specification's other bounds on a delivery test. By type: average latency below the
  type's `max_latency` (the specification holds the average against what it calls a maximum; the tails stand beside
  it), checksums good > 0.9999, order within the type > 0.999. Over all: delivered > 99 % of the messages offered,
  throughput > 90 % of the rate offered, duplicates < 0.1 %, out of order < 0.5 %, and nothing that nobody sent.

What is offered follows from the scenario: connections · messages a session, and their rate; without a count of
messages, rate · hold. Where nobody can know it in advance (arrivals, sequential traffic) the bounds that need it are
left out. Where two populations have a type of the same name, the bounds on it are those of each population, by its tag.
A bound on something whose tracking is switched off is listed, and not required; nor is one on what only a
receiver can see, where the service acknowledges and that is all. Pure.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from squall.scenario.models import Population, Scenario, Threshold
from squall.scenario.traffic import MessageType

__all__ = [
    "CHECKSUMS",
    "DUPLICATES",
    "LATENCY",
    "ORDER_IN_TYPE",
    "OUT_OF_ORDER",
    "PROCESSED",
    "SUCCESS",
    "THROUGHPUT",
    "bounds_of",
    "delivery_bounds",
    "guarantee_bounds",
    "of_type",
    "offered_hz",
    "offered_messages",
]

SUCCESS: Final = "ws_delivery_success"
LATENCY: Final = "ws_response_time"
CHECKSUMS: Final = "ws_checksum_success"
ORDER_IN_TYPE: Final = "ws_order_in_type"
PROCESSED: Final = "ws_msgs_delivered"
THROUGHPUT: Final = "ws_system_throughput"
DUPLICATES: Final = "ws_duplicate_rate"
OUT_OF_ORDER: Final = "ws_out_of_order_rate"
UNEXPECTED: Final = "ws_msgs_unexpected"

CHECKSUMS_MIN: Final = 0.9999
ORDER_IN_TYPE_MIN: Final = 0.999
PROCESSED_MIN: Final = 0.99
THROUGHPUT_MIN: Final = 0.90
DUPLICATES_MAX: Final = 0.001
OUT_OF_ORDER_MAX: Final = 0.005


def bounds_of(scenario: Scenario) -> list[Threshold]:
    """All thresholds of a scenario: its own, the guarantees of its types, and those of the set it asks for."""
    named = delivery_bounds(scenario) if "delivery" in scenario.threshold_sets else []
    return [*scenario.thresholds, *guarantee_bounds(scenario), *named]


def guarantee_bounds(scenario: Scenario) -> list[Threshold]:
    """The guarantees of the types that have one."""
    return [
        _bound(each.metric(SUCCESS), f"rate{'>' if share < 1 else '>='}{share:.12g}")
        for each in _typed(scenario)
        if (share := each.kind.guarantee) is not None
    ]


def delivery_bounds(scenario: Scenario) -> list[Threshold]:
    """The set `delivery`, without the guarantees."""
    tracking = scenario.delivery.tracking
    seen = all(map(_is_seen, _sending(scenario)))
    ordered = tracking.sequence_numbers and seen
    found = []
    for each in _typed(scenario):
        max_latency = each.kind.max_latency
        if max_latency is not None:
            found.append(_bound(each.metric(LATENCY), f"avg<{max_latency * 1000:.12g}"))
        is_ordered = tracking.sequence_numbers and (seen if each.is_alone else _is_seen(each.population))
        found += [
            _bound(each.metric(CHECKSUMS), f"rate>{CHECKSUMS_MIN}", required=tracking.checksums),
            _bound(each.metric(ORDER_IN_TYPE), f"rate>{ORDER_IN_TYPE_MIN}", required=is_ordered),
        ]
    messages, rate_hz = offered_messages(scenario), offered_hz(scenario)
    if messages is not None:
        found.append(_bound(PROCESSED, f"count>{PROCESSED_MIN * messages:.12g}"))
    if rate_hz is not None:
        found.append(_bound(THROUGHPUT, f"rate>{THROUGHPUT_MIN * rate_hz:.12g}"))
    return [
        *found,
        _bound(DUPLICATES, f"rate<{DUPLICATES_MAX}", required=seen),
        _bound(OUT_OF_ORDER, f"rate<{OUT_OF_ORDER_MAX}", required=ordered),
        _bound(UNEXPECTED, "count==0"),
    ]


def of_type(metric: str, name: str, population: str = "") -> str:
    """A metric of the messages of one type, of one population where two have a type of that name."""
    return f"{metric}{{population:{population},type:{name}}}" if population else f"{metric}{{type:{name}}}"


def offered_messages(scenario: Scenario) -> float | None:
    """How many messages become due, if every connection is held as planned; None where nobody can know."""
    if scenario.load.arrivals is not None:
        return None
    total = 0.0
    for population, connections in _connections(scenario):
        traffic = population.traffic
        if traffic.messages_per_session is not None:
            total += connections * traffic.messages_per_session
        elif traffic.pattern == "sequential":
            return None
        else:
            total += connections * traffic.mean_rate * scenario.load.hold
    return total or None


def offered_hz(scenario: Scenario) -> float | None:
    """Messages due a second while the level is held; None where nobody can know."""
    if scenario.load.arrivals is not None:
        return None
    found = 0.0
    for population, connections in _connections(scenario):
        if population.traffic.pattern == "sequential":
            return None
        found += connections * population.traffic.mean_rate
    return found or None


def _connections(scenario: Scenario) -> list[tuple[Population, float]]:
    """The populations that send, each with its share of the connections."""
    weights = sum(each.weight for each in scenario.populations)
    return [(each, scenario.level * each.weight / weights) for each in _sending(scenario)]


def _sending(scenario: Scenario) -> list[Population]:
    return [each for each in scenario.populations if each.rate_hz > 0]


@dataclass(frozen=True, slots=True)
class _Typed:
    """A type of a population; `is_alone`: no other population has one of that name."""

    population: Population
    kind: MessageType
    is_alone: bool

    def metric(self, name: str) -> str:
        """A metric of its messages."""
        return of_type(name, self.kind.name, "" if self.is_alone else self.population.name)


def _typed(scenario: Scenario) -> list[_Typed]:
    """The types of all that send."""
    found = [(each, kind) for each in _sending(scenario) for kind in each.traffic.types]
    names = Counter(kind.name for _, kind in found)
    return [_Typed(each, kind, names[kind.name] == 1) for each, kind in found]


def _is_seen(population: Population) -> bool:
    """Whether somebody sees what the service delivers."""
    return population.exchange.evidence != "acknowledgement"


def _bound(metric: str, threshold: str, *, required: bool = True) -> Threshold:
    return Threshold(metric=metric, threshold=threshold, required=required)
