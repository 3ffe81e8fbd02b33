"""Acknowledged send and push against a service on another stack, honest or lying in counted ways: the counts agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from oracle.services import acking_service
from squall.metrics.cells import ConnectionTotals, MessageTotals
from squall.record.snapshots import Event
from squall.store.reader import open_run
from squall.testing import broken_server
from squall_run import Ran, run_squall

JSON: dict[str, Any] = {
    "kind": "ack",
    "send": {"id": "{id}", "try": "{attempt}"},
    "ack": {"field": "ack.of"},
    "attempt": "ack.try",
}
ENVELOPED: dict[str, Any] = {"kind": "ack", "evidence": "receiver"}
PATIENT: dict[str, Any] = {"timeout": "1500ms", "retries": 2, "backoff": {"first": "50ms"}}
"""A time-out that no loaded machine reaches by itself: each that runs out was meant to."""
COUNTED = (
    "delivered", "lost", "unknown", "duplicated", "recovered", "acknowledged", "acknowledged_first", "retried",
    "retry_acknowledged", "retries_sent", "gave_up", "ack_duplicates", "acknowledged_lost", "acknowledged_late",
    "duplicate_arrivals", "corrupted_body",
)  # fmt: skip


def scenario(url: str, *populations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Six connections of 20 messages a second, shared by the populations."""
    return {
        "target": url,
        "load": {"connections": 6, "ramp_up": "100ms", "hold": "1s", "ramp_down": "100ms", **more},
        "delivery": {"drain_timeout": "500ms"},
        "populations": [
            {
                "name": f"p{place}",
                "exchange": {**PATIENT, **each},
                "traffic": {"rate": "20/s", "types": {"a": 2, "b": 1}},
            }
            for place, each in enumerate(populations)
        ],
    }


class Counts:
    """What the record of a run says, by population; what is not zero."""

    def __init__(self, ran: Ran) -> None:
        self.messages: dict[int, MessageTotals] = {}
        self.connections = ConnectionTotals()
        self.events: list[Event] = []
        for interval in open_run(ran.folder).intervals:
            self.events += interval.events
            for cell in interval.messages:
                self.messages.setdefault(cell.population, MessageTotals()).add(cell)
            for each in interval.connections:
                self.connections.add(each)

    def of(self, population: int = 0) -> dict[str, int]:
        found = {name: getattr(self.messages[population], name) for name in COUNTED}
        return {name: count for name, count in found.items() if count}


def test_a_service_that_keeps_its_promise_has_zeros_in_both_forms_and_all_directions(tmp_path: Path) -> None:
    with acking_service("--deliver") as service:
        ran = run_squall(scenario(service.url, ENVELOPED, JSON), tmp_path)
        did = service.did()
    ran.assert_adds_up()
    assert ran.code == 0, ran.stdout
    counts = Counts(ran)
    for population in (0, 1):
        sent = counts.messages[population].sent
        assert counts.of(population) == {"delivered": sent, "acknowledged": sent, "acknowledged_first": sent}
        assert counts.messages[population].ack.count == counts.messages[population].ack_first.count == sent
    assert did["messages"] == did["acks"] == ran.delivery["sent"] > 80
    assert (counts.connections.unexpected, counts.connections.ack_unexpected) == (0, 0)


def test_every_lie_of_a_service_that_acknowledges_is_counted(tmp_path: Path) -> None:
    """Each tenth acknowledgement swallowed, and every other lie, at once."""
    lies = ("--swallow", "10", "--twice", "13", "--unknown", "17", "--stranger", "19", "--undelivered", "23")
    with acking_service("--deliver", "--doubled", "29", "--mute", "31", *lies) as service:
        ran = run_squall(scenario(service.url, ENVELOPED), tmp_path)
        did = service.did()
    ran.assert_adds_up()
    assert ran.code == 99
    assert ran.summary is not None
    assert ran.summary["acknowledgements"]["acknowledged_lost"] == did["undelivered"]
    assert (
        min(did[lie] for lie in ("swallow", "twice", "unknown", "stranger", "undelivered", "doubled", "mute"))
        > 0
    )
    counts = Counts(ran)
    sent = ran.delivery["sent"]
    found = counts.of()
    assert did["messages"] == sent
    assert found["retries_sent"] == did["retries"]
    assert found == {
        "delivered": sent - did["undelivered"],
        "lost": did["undelivered"],
        "acknowledged_lost": did["undelivered"],
        "duplicated": did["doubled"],
        "acknowledged": sent - did["mute"],
        "acknowledged_first": sent - did["mute"] - did["swallow"],
        "retried": did["swallow"] + did["mute"],
        "retry_acknowledged": did["swallow"],
        "retries_sent": did["swallow"] + 2 * did["mute"],
        "gave_up": did["mute"],
        "ack_duplicates": did["twice"],
    }
    assert counts.connections.ack_unexpected == did["unknown"]
    assert counts.connections.unexpected == did["stranger"]
    messages = counts.messages[0]
    assert (messages.ack_retried.count, messages.retry_recovery.count) == (did["swallow"], did["swallow"])
    assert messages.ack_first.max_ns < 1_500_000_000 <= (messages.ack_total.max_ns or 0)


def test_the_bundled_service_acknowledges_both_forms_and_each_seventh_message_never(tmp_path: Path) -> None:
    """Where only acknowledgements are the evidence, what is never acknowledged is lost."""
    exchange = {"timeout": "1s", "retries": 1, "attempt": "attempt"}
    json_form = {**JSON, **exchange, "send": {"id": "{id}", "attempt": "{attempt}"}, "ack": {"field": "ack"}}
    enveloped = {"kind": "ack", "timeout": "1s", "retries": 1}
    with broken_server("ack-never", every=7) as service:
        ran = run_squall(scenario(f"{service.url}ack", enveloped, json_form), tmp_path)
    ran.assert_adds_up()
    counts = Counts(ran)
    found = {name: counts.of(0).get(name, 0) + counts.of(1).get(name, 0) for name in COUNTED}
    sent, never = ran.delivery["sent"], ran.delivery["sent"] // 7
    assert never > 8
    assert {name: count for name, count in found.items() if count} == {
        "delivered": sent - never,
        "lost": never,
        "acknowledged": sent - never,
        "acknowledged_first": sent - never,
        "retried": never,
        "retries_sent": never,
        "gave_up": never,
    }
    assert min(counts.of(place)["gave_up"] for place in (0, 1)) > 0
    assert ran.summary is not None
    assert ran.summary["evidence"] == "acknowledgement"
    acknowledgements = ran.summary["acknowledgements"]
    assert (acknowledgements["gave_up"], acknowledgements["acknowledged_lost"]) == (never, None)


def test_what_cut_connections_took_along_is_sent_again_and_recovered(tmp_path: Path) -> None:
    with acking_service("--cut", "40", "--until", "100") as service:
        ran = run_squall(scenario(service.url, {"kind": "ack"}, reconnect=True), tmp_path)
        did = service.did()
    ran.assert_adds_up()
    found = Counts(ran).of()
    assert ran.connections["dropped"] == ran.connections["reconnected"] == did["cut"] == 2
    assert found["delivered"] == found["acknowledged"] == ran.delivery["sent"]
    assert found["retried"] == found["retry_acknowledged"] == found["recovered"] >= did["cut"]
    assert not {"lost", "unknown", "gave_up"} & found.keys()


def test_a_service_that_sends_until_it_is_acknowledged(tmp_path: Path) -> None:
    """Each fifth push does not come by its first attempt; of each seventh the acknowledgement is taken for lost."""
    lies = (
        "--swallow",
        "5",
        "--twice",
        "7",
        "--until",
        "80",
    )  # so that all retries come before the session leaves
    with acking_service("--push", *lies) as service:
        ran = run_squall(scenario(service.url, {"kind": "acked_push"}, hold="2500ms"), tmp_path)
        did = service.did()
    ran.assert_adds_up()
    sent = ran.delivery["sent"]
    assert Counts(ran).of() == {
        "delivered": sent,
        "recovered": did["swallow"],
        "acknowledged": sent,
        "acknowledged_first": sent - did["swallow"],
        "retried": did["swallow"],
        "retry_acknowledged": did["swallow"],
        "retries_sent": did["pushed_again"],
        "duplicate_arrivals": did["twice"],
    }
    assert did["pushed_again"] == did["swallow"] + did["twice"]
    assert (did["acks"], did.get("gave_up", 0)) == (did["pushed"], 0)


def test_an_ack_field_that_never_appears_is_said_in_the_record(tmp_path: Path) -> None:
    with acking_service() as service:
        exchange = {**JSON, "ack": {"field": "ack.number"}, "timeout": "400ms", "retries": 0}
        ran = run_squall(scenario(service.url, exchange), tmp_path)
    counts = Counts(ran)
    said = [each.text for each in counts.events if each.kind == "no_acknowledgement"]
    assert len(said) == 1
    assert said[0].startswith("no acknowledgement was ever recognised: none within 400 ms; what came: ")
    assert said[0].endswith(" reply_field_missing")
    assert said[0] in ran.stderr
    assert counts.of() == {"lost": ran.delivery["sent"], "gave_up": ran.delivery["sent"]}
    assert counts.connections.misfits == {"reply_field_missing": ran.delivery["sent"]}
