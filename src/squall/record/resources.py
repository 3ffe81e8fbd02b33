"""How a watched machine was at a moment: one sample of one source. Stored by keyword: fields may come and go.

None is *not measured*, never zero. Shares are of what the source may use: 1.0 is all of it.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

__all__ = ["COUNTED", "FIGURES", "ResourceSample", "Role", "figures_of"]

Role = Literal["target", "generator", "host"]


class ResourceSample(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One look at one source: the target (or one of its nodes), the load generator, or the host.

    Rates and shares cover the time since the source's sample before; levels are those of the moment.
    """

    at_ns: int
    """Of the run."""
    source: str
    """Its name: "target", "generator", "host", or the one that the scenario gives."""
    role: Role
    problem: str = ""
    """Why nothing, or not all, could be measured this time; empty where all went well."""
    processes: int | None = None
    cpu_cores: float | None = None
    """Cores in use: 1.5 is one and a half."""
    cpu_share: float | None = None
    """Of the cores that the source may use."""
    cpu_process_max_cores: float | None = None
    """Cores in use by its busiest process."""
    cpu_thread_max_cores: float | None = None
    """Cores in use by its busiest thread: near 1.0 that thread is the bottleneck."""
    cpu_throttled_share: float | None = None
    """Of the periods of its cgroup's quota, those in which it was used up."""
    memory_bytes: int | None = None
    memory_share: float | None = None
    """Resident memory / cgroup limit, else host memory."""
    descriptors: int | None = None
    threads: int | None = None
    received_bytes_hz: float | None = None
    sent_bytes_hz: float | None = None
    tcp_states: dict[str, int] | None = None
    """Sockets by state: "established", "time_wait", "close_wait", "syn_recv", …"""
    accept_queue: int | None = None
    """Connections that wait to be accepted, over its listeners."""
    accept_overflows: int | None = None
    """Connections turned away by a full accept queue, since the sample before."""
    custom: dict[str, float] = {}
    """Figures under names that the user chose, from a Prometheus endpoint or a command."""


FIGURES: Final = tuple(
    name
    for name in ResourceSample.__struct_fields__
    if name not in ("at_ns", "source", "role", "problem", "tcp_states", "custom")
)
"""The names of the figures that are one number each."""

COUNTED: Final = frozenset(
    ("processes", "memory_bytes", "descriptors", "threads", "accept_queue", "accept_overflows")
)
"""Those of them that are whole numbers."""


def figures_of(sample: ResourceSample) -> dict[str, float]:
    """All that was measured, by name; sockets in a state as `tcp_<state>`, custom figures by their own names."""
    found = {name: value for name in FIGURES if (value := getattr(sample, name)) is not None}
    found |= {f"tcp_{state}": count for state, count in (sample.tcp_states or {}).items()}
    return found | {name: value for name, value in sample.custom.items() if name not in found}
