"""What the controls run: how each exchange is asked for, and which of the service's bugs can strike there, how often.

Rates, not every so manieth: sessions send in step, so that each eighth message of eight sessions is always the same one's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

__all__ = ["ALONE", "BOUNDS_NS", "EXCHANGES", "PAIRS", "SHOWS", "Case", "Exchange", "scenario_for"]

CONNECTIONS = 8
TYPES = {"chat": {"weight": 3, "max_latency": 0.15}, "typing": {"weight": 1, "max_latency": 0.21}}
BOUNDS_NS = (150_000_000, 210_000_000)


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
    more: dict[str, Any] = field(default_factory=dict)


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

EXCHANGES = {
    "echo": Exchange("Echo", "/", "echo", {**DELIVERING, "cut": "0.005", "refuse": "0.3"}),
}


SHOWS = {
    "lose": "lost",
    "duplicate": "duplicated",
    "reorder": "reordered",
    "corrupt": "corrupted_body",
    "corrupt-header": "corrupted_header",
    "delay": "late",
    "stall": "late",
    "cross-deliver": "unexpected",
}
"""By bug, the counter that has to show it; `cut` and `refuse` are known by the connections."""


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


ALONE = [Case(exchange, (name,)) for exchange, of in EXCHANGES.items() for name in of.bugs]
PAIRS = [Case(exchange, pair) for exchange, of in EXCHANGES.items() for pair in combinations(of.bugs, 2)]
