"""The acknowledgement test for people: the specification's console lines, the parts, the verdict last."""

from __future__ import annotations

import msgspec

from squall.metrics.ack_test import concluded
from squall.metrics.summary_document import Acknowledgements, Delivery
from squall.reports.ack_report import ack_lines, ack_markdown
from unit.metrics.test_ack_test import part

SEND = msgspec.structs.replace(
    part(
        "send",
        ws_ack_success=0.9991,
        ws_ack_time=21.5,
        ws_retry_success=0.98,
        ws_retry_recovery=412.0,
        ws_server_delay_handling=0.995,
    ),
    acknowledgements=Acknowledgements(acknowledged=999, retried=20, gave_up=1),
    delivery=Delivery(sent=1000),
)


def test_the_console_lines_are_the_specification_s_and_the_verdict_is_the_last() -> None:
    lines = ack_lines(concluded([SEND]))
    assert lines[0] == "Acknowledgment Test Results"
    for line in (
        "  - Success Rate: 99.91 %",
        "  - Average ACK Time: 21.5 ms",
        "  - Retry Success: 98 %",
        "  - Fault Recovery: 412 ms",
        "  - Duplicate Deliveries: not measured",
        "  - Server Delays Handled: 99.5 %",
        "  - Client Timeouts Handled: not measured",
    ):
        assert line in lines
    assert any(
        line.startswith("✅ send: 1,000 sent, 999 acknowledged, 20 needed a retry, 1 given up")
        for line in lines
    )
    assert lines[-1] == "PASSED: every bound held in the one part."


def test_what_was_left_out_and_what_failed_is_said() -> None:
    lines = ack_lines(concluded([part("send", "failed")], left_out=["receiver", "push"]))
    assert "not carried out: receiver, push" in lines
    assert any(line.startswith("❌ send") for line in lines)
    assert lines[-1].startswith("FAILED: send: ws_ack_success")


def test_the_page_has_the_same_figures() -> None:
    page = ack_markdown(concluded([SEND]))
    assert page.startswith("# Acknowledgment Test Results\n\n**PASSED: ")
    assert "| Success Rate | 99.91 % |" in page
    assert "[send](1-send/summary.md)" in page
