"""What an interval of a ramp came to, by hand; a figure of nothing is none."""

from __future__ import annotations

import pytest

from made_runs import S, connections, messages, phase, second, some_totals, times
from squall.metrics.ramp_statistics import ramp_statistics
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample


def interval(*seconds: object) -> Totals:
    """Totals that go on after three seconds of a ramp, with these."""
    before = some_totals(
        second(0), second(1), second(2, held=20), phases=[phase(0, "ramp_up", "ramp_up", 0, None)]
    )
    later = before.from_here(before.phases[0])
    for each in seconds:
        later.add(each)  # type: ignore[arg-type] # intervals
    return later


def test_an_interval_has_only_what_happened_in_it() -> None:
    found = ramp_statistics(
        interval(
            second(3, connections(8, attempted=10, failed=1, connect=times(4, 6)), held=27),
            second(4, connections(10, dropped=2), held=35),
        ),
        held_before=20,
    )
    assert (found.at_s, found.interval_s, found.active_connections) == (5.0, 2.0, 35)
    assert found.connections_per_second == 9.0
    assert found.connection_success_rate == pytest.approx(18 / 19)
    assert (found.error_count, found.error_rate) == (3, pytest.approx(3 / (20 + 20)))
    assert (found.average_latency, found.average_latency_of) == (pytest.approx(5), "connect_time")


def test_latency_is_that_of_messages_where_there_are_any() -> None:
    cells = (connections(1, connect=times(50)), messages(2, phase=0, response_ms=[10, 30]))
    found = ramp_statistics(interval(second(3, *cells)), held_before=20)
    assert (found.average_latency, found.average_latency_of) == (pytest.approx(20), "response_time")


def test_a_figure_of_nothing_is_none() -> None:
    found = ramp_statistics(interval(), held_before=0)
    assert (found.active_connections, found.error_count, found.interval_s) == (0, 0, 0.0)
    for name in ("average_latency", "average_latency_of", "error_rate", "connection_success_rate"):
        assert getattr(found, name) is None
    assert found.connections_per_second is None
    assert (found.server_memory_usage, found.server_cpu_usage) == (None, None)


def test_the_server_is_the_target_s_last_sample_and_of_several_sources_the_highest() -> None:
    def sample(source: str, share: float | None, role: str = "target") -> ResourceSample:
        return ResourceSample(at_ns=S, source=source, role=role, cpu_share=share, memory_share=0.25)  # type: ignore[arg-type] # one of the roles

    samples = [
        sample("a", 0.9),
        sample("a", 0.4),
        sample("b", 0.6),
        sample("c", None),
        sample("g", 1.0, "generator"),
    ]
    found = ramp_statistics(interval(second(3)), held_before=20, samples=samples)
    assert (found.server_cpu_usage, found.server_memory_usage) == (0.6, 0.25)
