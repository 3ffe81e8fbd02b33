from __future__ import annotations

import msgspec

from squall.metrics.alerts import Alert
from squall.reports.advice_section import advised
from unit.reports import reported


def test_a_good_run_calls_for_nothing() -> None:
    assert advised(*reported.passed()) == "<p>Nothing that was measured calls for a change.</p>"


def test_a_failed_bound_and_an_alert_advise_with_their_evidence() -> None:
    record, summary = reported.troubled()
    full = Alert(name="memory_usage", bound=0.8, figure=0.9, raised_s=1.0)
    html = advised(record, msgspec.structs.replace(summary, alerts=[full]))
    assert "Follow a lost message through the target" in html
    assert "failed: none lost" in html
    assert "alert memory_usage: 90 %, above 80 %, from 1 s to the end" in html


def test_a_run_without_a_verdict_is_not_advised() -> None:
    assert advised(*reported.killed()) == ""
