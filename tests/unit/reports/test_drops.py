from __future__ import annotations

import msgspec

from squall.metrics.outages import Outage
from squall.reports.drops import outages
from unit.reports import reported


def test_a_run_without_an_outage_has_no_table() -> None:
    assert outages(reported.passed()[1]) == ""


def test_an_outage_that_never_ended_is_marked_and_told() -> None:
    lasting = Outage(start_s=61, within_s=1, dropped=6, reconnected=2, back_s=0.25)
    html = outages(msgspec.structs.replace(reported.passed()[1], outages=[lasting]))
    assert html.count("<tr class=failed>") == 1
    assert "from 1:01, not over" in html
    assert "250 ms" in html
    assert "more" not in html
