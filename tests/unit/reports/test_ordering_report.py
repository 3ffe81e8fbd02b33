"""The ordering test for people: a line for each pattern, what did not hold, the verdict last."""

from __future__ import annotations

import msgspec

from made_runs import messages
from squall.metrics.ordering_test import concluded
from squall.reports.ordering_report import ordering_lines, ordering_markdown
from unit.metrics.test_ordering_test import TEST, result


def test_each_pattern_has_its_line_and_the_verdict_is_the_last() -> None:
    lines = ordering_lines(
        concluded([result(), result(messages(0, phase=1, reordered=20))], left_out=["Other"])
    )
    assert lines[0] == "Message Ordering Test Results"
    assert lines[2] == (
        "✅ Made: 100 % ordering accuracy (expected 99 %); ordering latency 0 ms (at most 50 ms);"
        " 0 out of order, 0 gaps with 0 messages"
    )
    assert "❌ Made: 98 % ordering accuracy (expected 99 %)" in "\n".join(lines)
    assert "  failed: ws_ordering_accuracy rate>=0.99 (0.98: 980 of 1,000)" in lines
    assert "not carried out: Other" in lines
    assert lines[-1].startswith("FAILED: Made: ws_ordering_accuracy")


def test_types_are_told_apart_where_there_are_several() -> None:
    lines = ordering_lines(concluded([result(messages(5, phase=1, type=1, response_ms=[7.0]))]))
    assert "  critical: 100 % in order, latency 7 ms on average, p99 7 ms" in lines


def test_rooms_say_how_often_an_effect_came_first_and_echo_that_it_was_not_measured() -> None:
    room = msgspec.structs.replace(TEST, send_pattern="rooms", expected_ordering_accuracy=None)
    series = concluded(
        [result(), result(messages(0, phase=1, causal_pairs=2000, causal_violations=3), test=room)]
    )
    assert any(line.endswith("; 3 causal violations") for line in ordering_lines(series))
    page = ordering_markdown(series)
    assert "| Made | 10 | 100 | 100 % | >= 99 % | 0 ms | 0 | 0 | 0 | not measured |" in page
    assert "| Made | 10 | 100 | 100 % | - | 0 ms | 0 | 0 | 0 | 3 |" in page
    assert page.startswith("# Message Ordering Test Results\n\n**FAILED: ")
    assert "[Made](1-burst/summary.md)" in page
