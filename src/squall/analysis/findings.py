"""What a record shows that advice rests on: its alerts and verdict, and how busy the target was meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from squall.analysis.advice import Findings
from squall.metrics.alerts import Alert
from squall.record.resources import ResourceSample
from squall.record.run import RunRecord

__all__ = ["findings_of", "highest_cpu"]

_NS: Final = 1_000_000_000


def findings_of(record: RunRecord, alerts: Sequence[Alert]) -> Findings:
    """What is to be found in a run's record; `alerts` are those that its events tell of.

    Which side has left something behind is not in the record: no advice rests on that.
    """
    if record.verdict is None:
        return Findings(alerts=alerts)
    monitoring: dict[str, Any] = record.header.scenario.get("monitoring") or {}
    slow = [alert for alert in alerts if alert.name == "connection_latency"]
    return Findings(
        alerts=alerts,
        judgements=record.verdict.judgements,
        validity=record.verdict.validity,
        faults=record.reconciliation,
        cpu_bound=(monitoring.get("alerts") or {}).get("cpu_usage"),
        cpu_while=highest_cpu(slow, record.resources, interval_s=monitoring.get("interval", 0)),
    )


def highest_cpu(
    alerts: Iterable[Alert], samples: Iterable[ResourceSample], *, interval_s: float
) -> dict[Alert, float]:
    """The highest share of its processor that the target was seen to use while each alert stood.

    An alert is raised at the end of its first interval, so it has stood since `interval_s` before. One during
    which nobody looked is left out.
    """
    found: dict[Alert, float] = {}
    asked = tuple(alerts)
    for sample in samples:
        if sample.role != "target" or sample.cpu_share is None:
            continue
        at_s = sample.at_ns / _NS
        for alert in asked:
            ended = alert.cleared_s is not None and at_s > alert.cleared_s
            if alert.raised_s - interval_s < at_s and not ended:
                found[alert] = max(found.get(alert, 0.0), sample.cpu_share)
    return found
