from __future__ import annotations

import pytest

from made_runs import S, a_run, connections, messages, phase
from squall.errors import PlanError
from squall.metrics.alerts import Alert
from squall.runner.performance_report import alerts_in, phase_report, phases_named

RUN = (
    phase(0, "ramp_up", "ramp_up", 0, 1),
    phase(1, "idle", "idle", 1, 2),
    phase(2, "Peak hour", "sustained", 2, 5),
    phase(3, "hold", "sustained", 5, 9),
    phase(4, "end", "end", 9, None),
)


def named(*names: str) -> tuple[list[int], list[str]]:
    phases, missing = phases_named(names, RUN)
    return [each.id for each in phases], list(missing)


def test_phases_are_named_by_what_they_are() -> None:
    assert named("ramp-up", "sustained-load", "ramp-down") == ([0, 2, 3, 4], [])
    assert named("Ramp Up") == ([0], [])


def test_phases_are_named_by_their_own_names_first() -> None:
    assert named("peak-hour") == ([2], [])
    assert named("hold", "peak_hour") == ([2, 3], [])
    own = (phase(0, "ramp-down", "sustained", 0, 1), phase(1, "end", "end", 1, 2))
    assert [each.id for each in phases_named(["ramp-down"], own)[0]] == [0]


def test_a_kind_that_did_not_take_place_is_missing_and_an_unknown_name_a_mistake() -> None:
    assert phases_named(["ramp-up", "ramp-down"], RUN[:3]) == ((RUN[0],), ("ramp-down",))
    with pytest.raises(PlanError, match="no phase is called 'soak'") as caught:
        named("ramp-up", "soak")
    for known in ("ramp-up", "sustained-load", "ramp-down", "Peak hour", "hold"):
        assert known in caught.value.hint


def test_alerts_are_those_that_stood_in_the_phases() -> None:
    spans = [(0.5, 1.0), (1.0, 3.0), (5.0, None), (1.5, 2.0)]
    alerts = [
        Alert(name="cpu_usage", bound=0.8, figure=0.9, raised_s=start, cleared_s=end) for start, end in spans
    ]
    assert alerts_in(alerts, [RUN[2]]) == (alerts[1], alerts[2])
    assert alerts_in(alerts, [RUN[4]]) == (alerts[2],)
    assert alerts_in(alerts, []) == ()


def test_a_phase_in_figures() -> None:
    totals = a_run(connections(0, phase=1, dropped=2), messages(10, response_ms=[80] * 10))
    totals.alerts.kept.append(Alert(name="cpu_usage", bound=0.8, figure=0.9, raised_s=3.0))
    report = phase_report(totals, totals.phases[1])
    assert (report.name, report.kind, report.start_s, report.end_s) == ("hold", "sustained", 1.0, 6.0)
    assert (report.active_connections_mean, report.active_connections_max) == (10, 10)
    assert (report.connections_established, report.connections_failed, report.connections_dropped) == (
        0,
        0,
        2,
    )
    assert report.average_connection_time_ms is None
    assert report.average_latency_ms == pytest.approx(30, rel=0.01)
    assert report.latency_p99_ms == pytest.approx(80, rel=0.01)
    assert (report.messages_sent, report.messages_delivered) == (60, 60)
    assert report.messages_per_second == 12
    assert report.message_delivery_success is not None
    assert report.message_delivery_success > 0.999
    assert report.system_resource_utilization.peak.cpu is None
    assert (report.stability_checks, report.stability_checks_failed, report.alerts) == (1, 0, 1)
    assert totals.last_at_ns == 7 * S


def test_nothing_measured_is_none() -> None:
    report = phase_report(a_run(), phase(9, "later", "sustained", 7, None))
    assert report.active_connections_mean is None
    assert report.average_latency_ms is None
    assert report.message_delivery_success is None
    assert report.messages_per_second is None
