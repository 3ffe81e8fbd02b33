"""How a run is watched while it goes on: the alerts, and the stability checks of a held level, as frozen models."""

from __future__ import annotations

from pydantic import Field

from squall.scenario.base import Model
from squall.scenario.quantities import Duration

__all__ = ["AlertBounds", "Monitoring", "Stability", "Tolerances"]


class AlertBounds(Model):
    """The figure above which each alert is raised; null switches it off."""

    connection_latency: Duration | None = Field(
        0.1, gt=0, description="mean connect_time, or mean response_time, of an interval; seconds"
    )
    memory_usage: float | None = Field(
        0.85, gt=0, le=1, description="the target's resident memory, as a share of what it may use"
    )
    cpu_usage: float | None = Field(
        0.80, gt=0, le=1, description="the target's processor time, as a share of the cores it may use"
    )
    connection_drop_rate: float | None = Field(
        0.01, ge=0, le=1, description="drops of an interval, as a share of the connections there were in it"
    )


class Monitoring(Model):
    """Alerts: raised and cleared while the run goes on. They are shown and recorded, and judge nothing."""

    interval: Duration = Field(
        5.0, ge=1, le=3600, description="how often the figures are held against their bounds; seconds"
    )
    alerts: AlertBounds = Field(AlertBounds(), description="the bounds of the alerts")


class Tolerances(Model):
    """What a stability check lets pass; above it the check fails."""

    connection_drops: float = Field(
        0.005, ge=0, le=1, description="drops in it, as a share of the connections held at its start"
    )
    latency_spikes: float = Field(
        0.02, ge=0, le=1, description="share of those connections with a response above `spike`"
    )
    message_delivery_failures: float = Field(
        0.001,
        ge=0,
        le=1,
        description="share of the messages due and sent in it that never came, or too late",
    )


class Stability(Model):
    """The checks of a held level; the threshold set `readiness` requires that none fails."""

    check_interval: Duration = Field(30.0, ge=1, le=3600, description="one check covers this much; seconds")
    spike: Duration = Field(
        0.5, gt=0, description="a response above this makes its connection one that spiked; seconds"
    )
    tolerances: Tolerances = Field(Tolerances(), description="what a check lets pass")
