"""What one interval of a ramp came to: what a monitoring callback is given, and conditions are judged by.

- **active_connections**: held at the interval's end.
- **connections_per_second**: established / the interval's length.
- **connection_success_rate**: established / (established + failed); a connect still under way is neither.
- **error_count**: failed connects + drops. **error_rate**: that / (attempts + held at the interval's start).
- **average_latency**: the mean response_time of what was delivered in the interval; where nothing was, the
  mean connect_time. `average_latency_of` says which.
- **server_memory_usage**, **server_cpu_usage**: the target's memory and CPU share in the interval's last
  sample; of several watched sources the highest.

None is not measured: a figure of nothing is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from squall.metrics.figures import milliseconds, ratio
from squall.metrics.ramp_checks import RampInterval
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample

__all__ = ["RampStatistics", "ramp_statistics"]


class RampStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """One interval of a ramp; see the module. Latency in milliseconds, usages and rates from 0 to 1."""

    at_s: float
    """The interval's end, in seconds since the start of the run."""
    interval_s: float
    active_connections: int
    connections_per_second: float | None
    average_latency: float | None
    average_latency_of: Literal["response_time", "connect_time"] | None
    error_count: int
    error_rate: float | None
    connection_success_rate: float | None
    server_memory_usage: float | None
    server_cpu_usage: float | None


def ramp_statistics(
    interval: Totals, *, held_before: int, samples: Iterable[ResourceSample] = ()
) -> RampStatistics:
    """The statistics of an interval.

    Args:
        interval: what happened in it, and nothing else.
        held_before: connections held at its start.
        samples: looks at watched machines in it, in order of time.
    """
    connections = interval.connections()
    figures = RampInterval(interval.last_at_ns / 1e9, connections, interval.messages())
    latency_ns = figures.latency_ns()
    errors = connections.failed + connections.dropped
    length_s = interval.length_s()
    held = interval.level().last
    target = {each.source: each for each in samples if each.role == "target"}.values()
    return RampStatistics(
        at_s=figures.at_s,
        interval_s=length_s,
        active_connections=held_before if held is None else held,
        connections_per_second=ratio(connections.established, length_s),
        average_latency=milliseconds(latency_ns),
        average_latency_of=figures.latency_of,
        error_count=errors,
        error_rate=ratio(errors, connections.attempted + held_before),
        connection_success_rate=figures.success,
        server_memory_usage=_highest(each.memory_share for each in target),
        server_cpu_usage=_highest(each.cpu_share for each in target),
    )


def _highest(figures: Iterable[float | None]) -> float | None:
    return max((each for each in figures if each is not None), default=None)
