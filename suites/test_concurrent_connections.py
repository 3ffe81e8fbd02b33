"""The specification's first test file, as a user of squall writes it: 10,000 concurrent connections.

    pytest suites --squall-scale smoke                          500 connections, under a minute
    pytest suites --squall-scale standard                       2,000 connections and scaling, a quarter of an hour
    pytest suites --squall-scale full --squall-target wss://…   10,000 connections, the specification's own times

Scale changes sizes, times and how often it is looked, and no bound: ratios and times stand as the specification has
them, numbers of connections and messages are shares of what is offered. The target's memory and processor are judged
where they are watched, as they are of the bundled service.
"""

from __future__ import annotations

import asyncio

import pytest

from squall import PerformanceMonitor
from squall.api import (
    AlertThresholds,
    LoadTestConfig,
    LoadTester,
    LoadTestResults,
    MessagePattern,
    RampDecision,
    RampStatistics,
    ScalingLevel,
    StabilityMonitoring,
    Tolerances,
)
from squall.reports.performance_summary import performance_summary
from squall.reports.scaling_report import scaling_lines
from squall.testing.fixture import SquallFixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * 3600)]


def is_above(figure: float | None, bound: float) -> bool:
    """Whether a figure was measured, and is above its bound."""
    return figure is not None and figure > bound


def is_below(figure: float | None, bound: float, *, unless_unmeasured: bool = False) -> bool:
    """Whether a figure is below its bound. One that was not measured is not, unless that is allowed."""
    return unless_unmeasured if figure is None else figure < bound


def size_of(squall: SquallFixture) -> LoadTestConfig:
    """The size of the test; at full scale the specification's, which are the defaults."""
    return squall.at_scale(
        smoke=LoadTestConfig(
            max_concurrent_connections=500,
            ramp_up_duration=3,
            sustained_load_duration=4,
            ramp_down_duration=1,
        ),
        standard=LoadTestConfig(
            max_concurrent_connections=2_000,
            ramp_up_duration=60,
            sustained_load_duration=180,
            ramp_down_duration=30,
        ),
        full=LoadTestConfig(),
    )


def test_should_establish_and_maintain_concurrent_connections(squall: SquallFixture) -> None:
    asyncio.run(establish_and_maintain(squall, size_of(squall)))


async def establish_and_maintain(squall: SquallFixture, config: LoadTestConfig) -> None:
    interval_s = squall.at_scale(smoke=1, standard=5, full=5)
    monitor = PerformanceMonitor(
        metrics_interval=interval_s,
        alert_thresholds=AlertThresholds(
            connection_latency="100ms", memory_usage=0.85, cpu_usage=0.80, connection_drop_rate=0.01
        ),
    )

    async def monitoring_callback(stats: RampStatistics) -> RampDecision:
        await monitor.record_metrics(
            timestamp=stats.at_s,
            active_connections=stats.active_connections,
            connection_rate=stats.connections_per_second,
            latency=stats.average_latency,
            errors=stats.error_count,
            memory_usage=stats.server_memory_usage,
            cpu_usage=stats.server_cpu_usage,
        )
        # Validated as it goes; in an interval without a new connection there is nothing to have a share or a mean of.
        assert stats.connection_success_rate is None or stats.connection_success_rate > 0.98
        assert stats.average_latency is None or stats.average_latency < 150
        return RampDecision(
            continue_ramp_up=is_below(stats.error_rate, 0.02, unless_unmeasured=True),
            adjust_ramp_rate=is_above(stats.average_latency, 100),
        )

    async with squall.tester(config=config, ramp_up_strategy="exponential", monitor=monitor) as tester:
        ramp_up = await tester.execute_ramp_up(
            start_connections=10,
            target_connections=config.max_concurrent_connections,
            duration=config.ramp_up_duration,
            strategy="exponential",
            monitoring_callback=monitoring_callback,
            monitoring_interval=interval_s,
        )
        assert ramp_up.final_connection_count == config.max_concurrent_connections
        assert is_above(ramp_up.overall_success_rate, 0.95)
        assert is_below(ramp_up.average_connection_time_ms, 5000)
        assert is_below(ramp_up.peak_latency_ms, 200)

        sustained = await tester.execute_sustained_load(
            duration=config.sustained_load_duration,
            message_pattern=MessagePattern(
                frequency=config.message_frequency,
                payload_variation=config.payload_sizes,
                message_types=("heartbeat", "data_update", "user_action", "system_notification"),
            ),
            stability_monitoring=StabilityMonitoring(
                check_interval=squall.at_scale(smoke=2, standard=30, full=30),
                tolerances=Tolerances(
                    connection_drops=0.005, latency_spikes=0.02, message_delivery_failures=0.001
                ),
            ),
        )
        assert is_above(sustained.average_active_connections, 0.99 * config.max_concurrent_connections)
        assert is_below(sustained.average_message_latency_ms, 100)
        assert sustained.message_delivery_success is not None
        assert sustained.message_delivery_success > 0.999
        assert is_above(sustained.connection_stability_score, 0.98)
        peak = sustained.system_resource_utilization.peak
        assert is_below(peak.memory, 0.90, unless_unmeasured=not squall.watch)
        assert is_below(peak.cpu, 0.85, unless_unmeasured=not squall.watch)

        ramp_down = await tester.execute_ramp_down(
            duration=config.ramp_down_duration, strategy="linear", connection_cleanup="graceful_close"
        )
        assert is_above(ramp_down.graceful_disconnections, 0.99)
        assert ramp_down.final_active_connections == 0
        assert ramp_down.resource_cleanup_success

        performance_report = await monitor.generate_report(
            test_phases=["ramp-up", "sustained-load", "ramp-down"],
            include_graphs=True,
            include_recommendations=True,
        )
        saved = await tester.save_results(
            results=LoadTestResults(
                ramp_up=ramp_up,
                sustained_load=sustained,
                ramp_down=ramp_down,
                performance_metrics=performance_report,
            ),
            format=["json", "csv", "html_report"],
        )

    print("\n".join([*performance_summary(tester.result.summary), f"saved: {saved.folder}"]))
    assert tester.result.verdict.outcome == "passed", tester.result.verdict.reasons


def levels_of(squall: SquallFixture) -> list[ScalingLevel]:
    """The specification's five levels: at smoke a fiftieth of their connections, at standard a tenth of their time."""
    return [
        ScalingLevel(
            connections=squall.at_scale(smoke=connections // 50, standard=connections, full=connections),
            duration=squall.at_scale(smoke=3, standard=duration_s // 10, full=duration_s),
            expected_latency=expected_latency_ms,
        )
        for connections, duration_s, expected_latency_ms in (
            (1000, 300, 50),
            (2500, 600, 75),
            (5000, 900, 90),
            (7500, 1200, 100),
            (10000, 1800, 100),
        )
    ]


def test_should_handle_progressive_load_scaling(squall: SquallFixture) -> None:
    """One level after another: all at once, each would be measured under the load of the others."""
    result = asyncio.run(
        LoadTester.execute_scaling_test(
            squall.target,
            levels=levels_of(squall),
            settle=squall.at_scale(smoke=0.2, standard=5, full=30),
            out=squall.out / "scaling",
            **squall.watch,
        )
    )
    print("\n".join(scaling_lines(result)))
    assert result.left_out == ()
    for level in result.levels:
        assert level.validation.latency_within_bounds, level
        assert level.validation.throughput_adequate, level
        assert level.validation.resources_efficient or not squall.watch, level
        assert level.validation.system_stable, level
    for growth in result.growth:
        assert growth.truth == "passed", growth.evidence  # below 30 % a level
    assert result.outcome == "passed", result.verdict
