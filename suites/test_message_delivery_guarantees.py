"""The specification's second test file, as a user of squall writes it: what is sent arrives, in order, acknowledged.

    pytest suites -k "guarantee or ordering or acknowledgment" --squall-scale smoke      a few minutes
    pytest suites -k "…" --squall-scale full                                             its own sizes: about an hour

Scale changes sizes and times, and no bound: ratios and times stand as the specification has them, numbers of messages
are shares of what is offered. The patterns of the ordering test come one after another: all at once, each would be
measured under the load of the others. A target of your own is tested as it is; the acknowledgement test needs one that
acknowledges, so that it runs on the bundled service where `--squall-target` names none.
"""

from __future__ import annotations

import asyncio

import pytest

from squall.api import (
    DeliveryTracking,
    FaultInjection,
    LoadTester,
    MessageConfiguration,
    MessageTypeConfiguration,
    OrderingTest,
    OrderingValidation,
    SendPattern,
)
from squall.metrics.ordering_test import rooms_at
from squall.metrics.success import DeliverySuccess
from squall.reports.ack_report import ack_lines
from squall.reports.delivery_report import delivery_lines
from squall.reports.ordering_report import ordering_lines
from squall.testing.fixture import SquallFixture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2 * 3600)]


def is_above(figure: float | DeliverySuccess | None, bound: float) -> bool:
    """Whether a figure was measured, and all that it can be is above its bound."""
    return figure is not None and figure > bound


def is_below(figure: float | None, bound: float) -> bool:
    """Whether a figure was measured, and is below its bound."""
    return figure is not None and figure < bound


MESSAGE_TYPES = [
    MessageTypeConfiguration(
        type="critical_notification", priority="high", delivery_guarantee=0.9999, max_latency=50
    ),
    MessageTypeConfiguration(
        type="real_time_data", priority="medium", delivery_guarantee=0.999, max_latency=100
    ),
    MessageTypeConfiguration(
        type="user_activity", priority="normal", delivery_guarantee=0.995, max_latency=200
    ),
    MessageTypeConfiguration(
        type="background_sync", priority="low", delivery_guarantee=0.99, max_latency=500
    ),
]


def test_should_guarantee_message_delivery_under_concurrent_connections(squall: SquallFixture) -> None:
    connections = squall.at_scale(smoke=500, standard=10_000, full=10_000)
    duration_s = squall.at_scale(smoke=20, standard=180, full=1800)
    messages_per_connection = squall.at_scale(smoke=100, standard=100, full=1000)
    result = asyncio.run(
        LoadTester.execute_delivery_guarantee_test(
            squall.target,
            connections=connections,
            duration=duration_s,
            message_configuration=MESSAGE_TYPES,
            messages_per_connection=messages_per_connection,
            delivery_tracking=DeliveryTracking(
                enable_checksums=True,
                enable_sequence_numbers=True,
                enable_timestamps=True,
                enable_delivery_confirmations=True,
            ),
            out=squall.out / "delivery",
            **squall.watch,
        )
    )
    print("\n".join(delivery_lines(result)))
    for message_type in MESSAGE_TYPES:
        of_type = result.results_by_message_type[message_type.type]
        assert is_above(of_type.delivery_success_rate, message_type.delivery_guarantee or 0), of_type
        assert is_below(of_type.average_latency, float(message_type.max_latency or 0)), of_type
        assert is_above(of_type.checksum_validation_success, 0.9999), of_type
        assert is_above(of_type.sequence_order_correct, 0.999), of_type
    offered = connections * messages_per_connection
    overall = result.overall
    assert is_above(overall.total_messages_processed, 0.99 * offered)
    assert is_above(overall.system_throughput, 0.90 * offered / duration_s)
    assert is_below(overall.duplicate_message_rate, 0.001)
    assert is_below(overall.out_of_order_rate, 0.005)
    assert result.outcome == "passed", result.verdict


PATTERNS: tuple[tuple[str, int, int, SendPattern, float], ...] = (
    ("Sequential Message Streams", 1000, 100, "sequential", 0.999),
    ("Burst Message Delivery", 2000, 50, "burst", 0.995),
    ("Mixed Priority Messages", 5000, 20, "mixed_priority", 0.98),
    ("High Frequency Micro-Messages", 10000, 10, "high_frequency", 0.99),
)


def ordering_tests_of(squall: SquallFixture) -> list[OrderingTest]:
    """The specification's four patterns: at smoke with a tenth of their connections, at standard with half."""
    return [
        OrderingTest(
            scenario=scenario,
            connections=squall.at_scale(smoke=connections // 10, standard=connections // 2, full=connections),
            messages_per_connection=messages,
            send_pattern=pattern,
            expected_ordering_accuracy=accuracy,
        )
        for scenario, connections, messages, pattern, accuracy in PATTERNS
    ]


def test_should_maintain_message_ordering_under_load(squall: SquallFixture) -> None:
    tests = ordering_tests_of(squall)
    series = asyncio.run(
        LoadTester.execute_message_ordering_tests(
            squall.target,
            tests=tests,
            ordering_validation=OrderingValidation(
                enable_sequence_numbers=True,
                enable_timestamp_validation=True,
                enable_causal_ordering_check=True,
            ),
            settle=squall.at_scale(smoke=0.2, standard=2, full=10),
            out=squall.out / "ordering",
            **squall.watch,
        )
    )
    print("\n".join(ordering_lines(series)))
    assert series.left_out == ()
    for test, result in zip(tests, series.tests, strict=True):
        assert is_above(result.ordering_accuracy, (test.expected_ordering_accuracy or 0) - 1e-12), result
        assert is_below(result.average_ordering_latency, 50), result
        assert is_below(result.messages_in_gaps, 0.001 * test.connections * test.messages_per_connection)
        assert result.validation.meets_ordering_requirement, result
        assert result.validation.low_latency_ordering, result
        assert result.validation.minimal_gaps, result
        assert result.timestamps_wrong == 0, result
    assert series.outcome == "passed", series.verdict


def test_should_keep_causal_order_in_rooms(squall: SquallFixture) -> None:
    """Where members answer what they read; on echo no message follows from another's. Of the bundled service."""
    series = asyncio.run(
        LoadTester.execute_message_ordering_tests(
            tests=[rooms_at(squall.scale)],
            ordering_validation=OrderingValidation(enable_causal_ordering_check=True),
            out=squall.out / "rooms",
        )
    )
    print("\n".join(ordering_lines(series)))
    (result,) = series.tests
    assert result.causal_order_violations == 0
    assert result.outcome == "passed", result.verdict


def test_should_handle_message_acknowledgment_and_retry_mechanisms(squall: SquallFixture) -> None:
    result = asyncio.run(
        LoadTester.execute_acknowledgment_test(
            scale=squall.scale,
            message_configuration=MessageConfiguration(
                require_acknowledgment=True,
                acknowledgment_timeout="5s",
                max_retry_attempts=3,
                retry_backoff_strategy="exponential",
            ),
            fault_injection=FaultInjection(
                network_drop_rate=0.02, server_delay_simulation=0.01, client_unresponsive_rate=0.005
            ),
            out=squall.out / "acks",
        )
    )
    print("\n".join(ack_lines(result)))
    assert is_above(result.acknowledgment_success_rate, 0.98)
    assert is_below(result.average_acknowledgment_time, 100)
    assert is_above(result.retry_success_rate, 0.95)
    assert is_below(result.duplicate_delivery_rate, 0.002)
    assert is_below(result.network_fault_recovery_time, 2000)
    assert is_above(result.server_delay_handling, 0.99)
    assert is_above(result.client_timeout_handling, 0.995)
    assert result.outcome == "passed", result.verdict
