"""What the controls run: how each exchange is asked for, and which of the service's bugs can strike there, how often.

Rates, not every so manieth: sessions send in step, so that each eighth message of eight sessions is always the same one's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from controls.messages import Asked

__all__ = ["ALONE", "EXCHANGES", "PAIRS", "Case", "Exchange", "asked_of", "scenario_for"]

CONNECTIONS = 8
TYPES = {"chat": {"weight": 3, "max_latency": 0.15}, "typing": {"weight": 1, "max_latency": 0.21}}
BOUNDS_NS = (150_000_000, 210_000_000)
RETRIES = 3
TIMEOUT_MS = 300

SHOWS = {
    "lose": "lost",
    "duplicate": "duplicated",
    "reorder": "reordered",
    "corrupt": "corrupted_body",
    "corrupt-header": "corrupted_header",
    "delay": "late",
    "stall": "late",
    "cross-deliver": "unexpected",
    "ack-never": "gave_up",
    "ack-then-lose": "acknowledged_lost",
    "break-causality": "causal_violations",
    "ignore-priorities": "",
    "cut": "",
    "refuse": "",
}
"""By bug, the counter that has to show it. Those without are known by the connections; whether priorities were kept, by how
many messages overtake others, which they do in a clean run too."""

DELIVERING = {
    "lose": "0.06",
    "duplicate": "0.08",
    "reorder": "0.07:0.3",
    "corrupt": "0.05",
    "corrupt-header": "0.06",
    "delay": "0.08:0.23",
    "stall": "0.02:0.2",
    "cross-deliver": "0.05",
}
"""Bugs of deliveries: they strike wherever the service answers."""
DYING = {"cut": "0.005", "refuse": "0.3"}


@dataclass(frozen=True)
class Exchange:
    """How sessions talk on a path, and what a run of it needs beside the usual."""

    title: str
    path: str
    asked: Any
    bugs: dict[str, str]
    """By name, how often and for how long."""
    normal: tuple[str, ...] = ()
    """What a clean run counts besides sent and delivered."""
    shows: Mapping[str, str] = field(default_factory=dict)
    """By bug, the counter that has to show it, where it is not the usual one."""
    retries: int = 0
    unseen: tuple[str, ...] = ()
    """Counters that are not measured in it."""
    more: Mapping[str, Any] = field(default_factory=dict)


AT_ONCE = {"load": {"connections": CONNECTIONS, "ramp_up": "200ms", "hold": "2s", "ramp_down": "0s"}}
"""All leave at once: when a member begins to leave, and nothing more is owed to it, shows in no log."""
BY_RECEIVER = (
    "duplicated", "reordered", "reordered_in_type", "reorder_extent_sum", "reorder_extent_max",
    "reorder_late_ns_sum", "reorder_late_ns_max", "order_waited", "order_wait_ns_sum", "gaps", "messages_in_gaps",
    "acknowledged_lost", "duplicate_arrivals",
)  # fmt: skip
"""What nobody can tell who sees acknowledgements only."""
BURSTS = {
    "pattern": "burst",
    "burst_size": 5,
    "burst_every": 0.2,
    "types": {
        "chat": {**TYPES["chat"], "priority": "low"},
        "typing": {**TYPES["typing"], "priority": "high"},
    },
}
ACK = {"kind": "ack", "timeout": TIMEOUT_MS / 1000, "retries": RETRIES, "backoff": {"first": 0.05}}

EXCHANGES = {
    "echo": Exchange("Echo", "/", "echo", {**DELIVERING, **DYING}),
    "ack": Exchange(
        "Acknowledged send, known by its acknowledgements",
        "/ack",
        ACK,
        {**DELIVERING, "ack-never": "0.05", **DYING},
        normal=("acknowledged", "acknowledged_first"),
        shows={"lose": "retried", "duplicate": "ack_duplicates", "corrupt": "corrupted_header", "ack-never": "lost",
               "reorder": "timestamps_wrong"},
        retries=RETRIES,
        unseen=BY_RECEIVER,
    ),
    "ack_echo": Exchange(
        "Acknowledged send, known by its receiver",
        "/ack/echo",
        {**ACK, "evidence": "receiver"},
        {**DELIVERING, "ack-never": "0.05", "ack-then-lose": "0.06", **DYING},
        normal=("acknowledged", "acknowledged_first"),
        shows={"lose": "recovered"},
        retries=RETRIES,
    ),
    "acked_push": Exchange(
        "Acknowledged push",
        f"/push/acked?timeout={TIMEOUT_MS}&retries={RETRIES}",
        {"kind": "acked_push", "timeout": TIMEOUT_MS / 1000, "retries": RETRIES},
        {**DELIVERING, **DYING},
        normal=("acknowledged", "acknowledged_first"),
        shows={"lose": "recovered", "duplicate": "duplicate_arrivals"},
    ),
    "room": Exchange(
        "Rooms of four",
        "/room",
        {"kind": "room", "size": 4},
        {**DELIVERING, "break-causality": "0.05:0.2", **DYING},
        normal=("causal_pairs",),
        shows={"reorder": "causal_violations", "cross-deliver": "duplicated"},
        more=AT_ONCE,
    ),
    "priority": Exchange(
        "An echo that answers by priority",
        "/priority",
        "echo",
        {**DELIVERING, "ignore-priorities": "0.3", **DYING},
        normal=("reordered", "reorder_extent_sum", "reorder_extent_max", "order_waited"),
        more={"traffic": BURSTS, "delivery": {"drain_timeout": "700ms", "integrity": False}},
    ),
    "relay": Exchange("Pairs", "/relay", {"kind": "relay"}, {**DELIVERING, **DYING}, more=AT_ONCE),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One exchange against the service with these bugs."""

    exchange: str
    names: tuple[str, ...] = ()

    @property
    def bugs(self) -> list[str]:
        often = EXCHANGES[self.exchange].bugs
        return [f"{name}:{often[name]}" for name in self.names]

    @property
    def kills(self) -> bool:
        """Whether connections die in it."""
        return "cut" in self.names

    @property
    def shows(self) -> list[str]:
        """The counters that have to show that its bugs have struck."""
        table = {**SHOWS, **EXCHANGES[self.exchange].shows}
        return [table[name] for name in self.names if table[name]]

    def __str__(self) -> str:
        return "-".join((self.exchange, *self.names))


def scenario_for(case: Case, url: str, *, seed: int, workers: int = 1, **more: Any) -> dict[str, Any]:
    """A run of some seconds and some hundred messages, of two types."""
    exchange = EXCHANGES[case.exchange]
    return {
        "seed": seed,
        "target": url + exchange.path,
        "exchange": exchange.asked,
        "load": {"connections": CONNECTIONS, "ramp_up": "200ms", "hold": "2s", "ramp_down": "200ms"},
        "traffic": {"rate": "20/s", "types": TYPES},
        "delivery": {"drain_timeout": "700ms"},
        "engine": {"workers": workers},
        **exchange.more,
        **more,
    }


def asked_of(case: Case, *, start_ns: int | None = None, transit_ns: int = 0) -> Asked:
    """What the oracle has to know of a run."""
    retries = EXCHANGES[case.exchange].retries
    return Asked(
        BOUNDS_NS,
        start_ns=start_ns,
        transit_ns=transit_ns,
        attempts=retries + 1 if retries else 0,
        timeout_ns=TIMEOUT_MS * 1_000_000,
    )


ALONE = [Case(exchange, (name,)) for exchange, of in EXCHANGES.items() for name in of.bugs]
PAIRS = [Case(exchange, pair) for exchange, of in EXCHANGES.items() for pair in combinations(of.bugs, 2)]
