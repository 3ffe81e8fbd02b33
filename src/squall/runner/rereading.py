"""A run read back from its folder: the record, and the summary of it.

The summary is the one that the run wrote. Where it wrote none (it was killed), or not in this form (another
version did), it is computed again: the record has all that it needs.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from squall.metrics.summary import summarise
from squall.metrics.summary_document import Summary
from squall.metrics.totals import Totals
from squall.record.run import RunRecord
from squall.runner.reporting import SUMMARY_FILE
from squall.scenario.exchanges import EXCHANGES
from squall.scenario.models import Tracking

__all__ = ["summary_of", "totals_of"]


def summary_of(record: RunRecord, folder: Path) -> Summary:
    """The summary of a run in `folder`, whose record this is."""
    if record.complete:
        try:
            return msgspec.json.decode((folder / SUMMARY_FILE).read_bytes(), type=Summary)
        except (OSError, msgspec.DecodeError):
            pass  # deleted, or of another version
    return summarise(record.header, record.phases, totals_of(record), record.verdict)


def totals_of(record: RunRecord) -> Totals:
    """The totals of a record, as they were when the run was over."""
    delivery = record.header.scenario.get("delivery", {})
    tracking = Tracking.model_validate(delivery.get("tracking", {}))
    given = record.header.scenario.get("populations", ())
    unseen = [each["name"] for each in given if each["exchange"].get("evidence") == "acknowledgement"]
    by_whom = {each["name"]: _acknowledged_by(each["exchange"]) for each in given}
    acknowledged = {name: who for name, who in by_whom.items() if who}
    unconfirmed = [each["name"] for each in given if not _confirms(each["exchange"])]
    totals = Totals(
        record.header.populations, record.header.types, tracking, unseen, acknowledged, unconfirmed
    )
    for phase in record.phases:
        if phase.types is not None:
            totals.types = tuple(tuple(names) for names in phase.types)
        totals.note(phase)
    for event in record.events:  # ahead of the seconds in which they happened, as they were in the run
        totals.happened(event)
    for interval in record.intervals:
        totals.add(interval)
    for check in record.checks:
        totals.checks.add(check)
    for sample in record.resources:
        totals.sampled(sample)
    totals.reconciliation = record.reconciliation
    return totals


def _confirms(exchange: dict[str, Any]) -> bool:
    kind = EXCHANGES.get(exchange.get("kind", ""))
    return kind is not None and kind.sends and kind.answers_sender


def _acknowledged_by(exchange: dict[str, Any]) -> str:
    kind = EXCHANGES.get(exchange.get("kind", ""))
    return kind.acknowledged_by if kind is not None and exchange.get("acknowledges", True) else ""
