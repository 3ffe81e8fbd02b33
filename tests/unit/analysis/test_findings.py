from __future__ import annotations

import msgspec

from made_runs import S
from squall.analysis.findings import findings_of, highest_cpu
from squall.metrics.alerts import Alert
from squall.record.resources import ResourceSample, Role
from unit.reports import reported


def looked(at_s: float, cpu_share: float | None, role: Role = "target") -> ResourceSample:
    return ResourceSample(at_ns=round(at_s * S), source=role, role=role, cpu_share=cpu_share)


def test_the_processor_during_an_alert_is_the_highest_look_while_it_stood() -> None:
    first, last, unseen = (
        Alert(name="connection_latency", bound=100, figure=200, raised_s=raised_s, cleared_s=cleared_s)
        for raised_s, cleared_s in ((10, 20), (30, None), (100, 110))
    )
    looks = [
        looked(5, 0.9),
        looked(6, 0.3),
        looked(20, 0.4),
        looked(21, 0.95),
        looked(31, 0.2),
        looked(32, None),
        looked(33, 0.99, "host"),
    ]
    assert highest_cpu([first, last, unseen], looks, interval_s=5) == {first: 0.4, last: 0.2}


def test_a_record_shows_its_verdict_and_how_busy_the_target_was() -> None:
    record, _ = reported.troubled()
    slow = Alert(name="connection_latency", bound=100, figure=200, raised_s=2, cleared_s=3)
    full = Alert(name="cpu_usage", bound=0.8, figure=0.9, raised_s=2, cleared_s=3)
    found = findings_of(msgspec.structs.replace(record, resources=(looked(2.5, 0.4),)), [slow, full])
    assert record.verdict is not None
    assert (found.judgements, found.validity) == (record.verdict.judgements, record.verdict.validity)
    assert (found.cpu_bound, found.cpu_while) == (0.8, {slow: 0.4})


def test_without_a_verdict_only_alerts_are_known() -> None:
    record, _ = reported.killed()
    found = findings_of(record, [])
    assert (found.judgements, found.validity, found.cpu_bound) == ((), None, None)
