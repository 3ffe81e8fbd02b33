"""The section of the report that says what to do, each advice with what it rests on."""

from __future__ import annotations

from squall.analysis.advice import recommendations
from squall.analysis.findings import findings_of
from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.markup import bullets, text

__all__ = ["advised"]

_ABOUT = {"target": "The target", "squall": "The test"}


def advised(record: RunRecord, summary: Summary) -> str:
    """What the verdict and the alerts advise; "" of a run that has no verdict."""
    if record.verdict is None:
        return ""
    found = recommendations(findings_of(record, summary.alerts))
    if not found:
        return "<p>Nothing that was measured calls for a change.</p>"
    return "".join(
        f"<p><strong>{_ABOUT[each.about]}</strong>: {text(each.advice)}</p>{bullets(each.evidence)}"
        for each in found
    )
