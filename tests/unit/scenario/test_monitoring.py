from __future__ import annotations

from typing import Any

import pytest

from squall.errors import ScenarioError
from squall.scenario.loader import load_scenario
from squall.scenario.models import Scenario


def made(**given: Any) -> Scenario:
    return load_scenario({"target": "ws://a/"} | given).scenario


def test_the_defaults_are_the_specifications() -> None:
    scenario = made()
    alerts, stability = scenario.monitoring.alerts, scenario.stability
    assert scenario.monitoring.interval == 5.0
    assert (alerts.connection_latency, alerts.memory_usage) == (0.1, 0.85)
    assert (alerts.cpu_usage, alerts.connection_drop_rate) == (0.80, 0.01)
    assert (stability.check_interval, stability.spike) == (30.0, 0.5)
    assert stability.tolerances.connection_drops == 0.005
    assert stability.tolerances.latency_spikes == 0.02
    assert stability.tolerances.message_delivery_failures == 0.001


def test_an_alert_can_be_switched_off_and_figures_are_read_as_people_write_them() -> None:
    scenario = made(
        monitoring={"interval": "2s", "alerts": {"connection_latency": "250ms", "cpu_usage": None}},
        stability={"check_interval": "10s", "spike": "1s"},
    )
    assert scenario.monitoring.interval == 2.0
    assert scenario.monitoring.alerts.connection_latency == 0.25
    assert scenario.monitoring.alerts.cpu_usage is None
    assert scenario.monitoring.alerts.memory_usage == 0.85
    assert (scenario.stability.check_interval, scenario.stability.spike) == (10.0, 1.0)


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"monitoring": {"interval": "100ms"}}, "monitoring.interval"),
        ({"monitoring": {"alerts": {"cpu_usage": 1.5}}}, "monitoring.alerts.cpu_usage"),
        ({"monitoring": {"alerts": {"cpu": 0.5}}}, "cpu"),
        ({"stability": {"check_interval": 0}}, "stability.check_interval"),
        ({"stability": {"spike": 0}}, "stability.spike"),
        ({"stability": {"tolerances": {"latency_spikes": -0.1}}}, "stability.tolerances.latency_spikes"),
    ],
)
def test_what_cannot_be_is_refused_by_name(section: dict[str, Any], named: str) -> None:
    with pytest.raises(ScenarioError, match=named.replace(".", r"\.")):
        made(**section)
