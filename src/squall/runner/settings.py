"""Settings as the Python API takes them, in groups, each with what it stands for in a scenario; and why a test of a name
of its own takes none of some. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

__all__ = [
    "AlertThresholds",
    "Duration",
    "LoadTestConfig",
    "MessagePattern",
    "StabilityMonitoring",
    "Tolerances",
    "why_refused",
]

Duration = float | str
"""Seconds, or text like "5m"."""


class MessagePattern(msgspec.Struct, frozen=True, kw_only=True):
    """What every connection sends.

    `frequency` is a rate: messages per second and connection, or text ("30/min"). The sizes of
    `payload_variation` (the whole message; bytes, or text like "1KiB") are drawn with equal weight, as are
    the `message_types`, unless they are a mapping from the type to its weight.
    """

    frequency: float | str = 1.0
    payload_variation: tuple[int | str, ...] = (128,)
    message_types: tuple[str, ...] | Mapping[str, float] = (
        "heartbeat",
        "data_update",
        "user_action",
        "system_notification",
    )
    format: Literal["binary", "text"] = "binary"
    arrival: Literal["uniform", "poisson"] = "uniform"

    def traffic(self) -> dict[str, Any]:
        """The same as the setting `traffic` of a scenario."""
        types = self.message_types
        return {
            "rate": self.frequency,
            "payload": list(self.payload_variation),
            "types": dict(types) if isinstance(types, Mapping) else list(types),
            "format": self.format,
            "arrival": self.arrival,
        }


class Tolerances(msgspec.Struct, frozen=True, kw_only=True):
    """What a stability check lets pass, each as a share; above it the check fails."""

    connection_drops: float = 0.005
    latency_spikes: float = 0.02
    message_delivery_failures: float = 0.001


class StabilityMonitoring(msgspec.Struct, frozen=True, kw_only=True):
    """How the stability of a held level is checked. A response above `spike` makes its connection one that spiked."""

    check_interval: Duration = 30.0
    spike: Duration = 0.5
    tolerances: Tolerances = Tolerances()

    def settings(self) -> dict[str, Any]:
        """The same as settings of a scenario, by path."""
        return {
            "stability.check_interval": self.check_interval,
            "stability.spike": self.spike,
            "stability.tolerances": msgspec.structs.asdict(self.tolerances),
        }


class AlertThresholds(msgspec.Struct, frozen=True, kw_only=True):
    """The figure above which each alert is raised; None switches it off. `squall.metrics.alerts` says what they are.

    `connection_latency` is a duration, the others are shares: of memory, of processor, of connections.
    """

    connection_latency: Duration | None = 0.1
    memory_usage: float | None = 0.85
    cpu_usage: float | None = 0.80
    connection_drop_rate: float | None = 0.01


class LoadTestConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The size of a load test in one place; its defaults are those of a readiness test.

    Frequency and sizes are those of the messages where no `message_pattern` is given.
    """

    max_concurrent_connections: int = 10_000
    ramp_up_duration: Duration = 300.0
    sustained_load_duration: Duration = 3600.0
    ramp_down_duration: Duration = 180.0
    message_frequency: float | str = 1.0
    payload_sizes: tuple[int | str, ...] = (100, 1024, 4096, 8192)
    test_environment: str = "production-like"

    def settings(self) -> dict[str, Any]:
        """The same as settings of a scenario, by path."""
        return {
            "load.connections": self.max_concurrent_connections,
            "load.ramp_up.duration": self.ramp_up_duration,
            "load.hold": self.sustained_load_duration,
            "load.ramp_down.duration": self.ramp_down_duration,
            "test_environment": self.test_environment,
        }


def why_refused(refused: Mapping[str, str], setting: str) -> str | None:
    """Why a setting cannot be given, where it is or stands below one of those refused; None where it can."""
    return next(
        (why for path, why in refused.items() if setting == path or setting.startswith(f"{path}.")), None
    )
