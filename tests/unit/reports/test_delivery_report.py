"""The delivery test for people: a line for each type, what did not hold, the verdict last."""

from __future__ import annotations

import msgspec

from made_runs import messages
from squall.metrics.delivery_test import DeliveryGuaranteeResult
from squall.metrics.summary_document import Delivery, Percentiles
from squall.reports.delivery_report import delivery_lines
from unit.metrics.test_delivery_test import result


def test_each_type_has_its_line_and_the_verdict_is_the_last() -> None:
    lines = delivery_lines(result())
    assert lines[0] == "Message Delivery Guarantee Test Results"
    assert (
        "✅ critical: 100 % delivery rate (guaranteed 99 %); latency 11 ms (at most 500 ms), p99 11 ms;"
        " checksums 100 %, in order 100 %" in lines
    )
    assert "messages processed: 40 of 40 offered" in lines
    assert "throughput: 1 msg/s of 1 msg/s offered" in lines
    assert lines[-1] == "PASSED: every bound held; 100 % of 40 messages were delivered."


def test_a_type_that_broke_its_guarantee_is_marked_with_the_evidence_below() -> None:
    lines = delivery_lines(result(messages(1, phase=1, type=1, delivered=0, lost=1)))
    assert any(line.startswith("❌ critical: 95.2 % delivery rate") for line in lines)
    assert any(line.startswith("✅ message: 100 %") for line in lines)
    assert "failed: ws_delivery_success{type:critical} rate>0.99 (0.952: 20 of 21)" in lines
    assert lines[-1].startswith("FAILED: ws_delivery_success{type:critical}")


def test_what_is_not_known_is_no_share_and_what_was_not_measured_no_figure() -> None:
    lines = delivery_lines(result(messages(1, phase=1, type=1, delivered=0, unknown=1)))
    assert any(line.startswith("❔ critical: 95.2 % to 100 % delivery rate") for line in lines)
    (line,) = [each for each in delivery_lines(nothing()) if "critical" in each and "delivery rate" in each]
    assert line == (
        "❔ critical: not measured delivery rate (guaranteed 99 %); latency not measured (at most 500 ms),"
        " p99 not measured; checksums not measured, in order not measured"
    )


def nothing() -> DeliveryGuaranteeResult:
    """A result in which nothing was measured."""
    made = result()
    empty = {
        name: msgspec.structs.replace(
            each,
            delivery_success_rate=None,
            average_latency=None,
            latency=Percentiles(),
            checksum_validation_success=None,
            sequence_order_correct=None,
            delivery=Delivery(),
            guarantee_kept=None,
        )
        for name, each in made.results_by_message_type.items()
    }
    return msgspec.structs.replace(made, results_by_message_type=empty, bounds=())
