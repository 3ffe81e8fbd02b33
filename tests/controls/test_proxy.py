"""A run with faults of the network: the proxy's log, the service's wire log and squall's ledger tell the same story."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from controls.cases import Case, scenario_for
from controls.compare import squall_counts
from controls.messages import Key
from controls.wire_log import Record, read_wire_log
from oracle.envelope import BINARY, parse
from squall.runner.rereading import totals_of
from squall.testing import read_run, serve
from squall_run import Ran, run_squall

DROP = {"kind": "drop", "probability": 0.05}
DUPLICATE = {"kind": "duplicate", "probability": 0.05}
CORRUPT = {"kind": "corrupt", "probability": 0.04, "direction": "down"}


class Deeds:
    """What the proxy's log says that it did to whole messages: by direction and deed, how often to which."""

    def __init__(self, log: Path) -> None:
        lines: list[dict[str, Any]] = [json.loads(line) for line in log.read_text().splitlines()]
        self._done = Counter(
            (line["direction"], line["what"], (line["stream"], line["sequence"]))
            for line in lines
            if line.get("stream") is not None
        )

    def to(self, key: Key, direction: str, what: str) -> int:
        return self._done[direction, what, key]

    def keys(self, direction: str, what: str) -> set[Key]:
        return {key for way, deed, key in self._done if (way, deed) == (direction, what)}


def seen(records: list[Record], what: str) -> Counter[Key]:
    """How often each message came in, or went out; the service damages none."""
    found: Counter[Key] = Counter()
    for record in records:
        if record.what == what and record.op == "binary":
            envelope = parse(BINARY, record.payload)
            assert envelope is not None
            assert envelope.header_good
            assert envelope.body_good
            found[envelope.stream, envelope.sequence] += 1
    return found


def run(
    folder: Path, seed: int, faults: list[dict[str, Any]], *, exchange: str = "echo", bugs: Sequence[str] = ()
) -> tuple[Ran, list[Record], Deeds]:
    with serve(wire_log=folder / "log", bugs=bugs, bug_seed=seed) as service:
        asked = scenario_for(Case(exchange), service.url.rstrip("/"), seed=seed, faults=faults)
        # Before all are in their rooms, what is published is owed or not by a hair's breadth, which no log has.
        asked["traffic"] = {**asked["traffic"], "during_ramp": exchange != "room"}
        ran = run_squall(asked, folder)
    (log,) = ran.folder.glob("faults-*.jsonl")
    return ran, read_wire_log(folder / "log"), Deeds(log)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.matrix)])
def test_three_accounts_agree(seed: int, tmp_path: Path) -> None:
    ran, records, deeds = run(tmp_path, seed, [DROP, DUPLICATE, CORRUPT])
    came, went = seen(records, "in"), seen(records, "out")
    never_came = deeds.keys("up", "dropped")
    assert not never_came & came.keys()
    for key, copies in came.items():
        assert copies == 1 + deeds.to(key, "up", "duplicated")

    good = {
        key: copies
        - deeds.to(key, "down", "dropped")
        - deeds.to(key, "down", "corrupted")
        + deeds.to(key, "down", "duplicated")
        for key, copies in went.items()
    }
    delivered = [key for key, copies in good.items() if copies]
    bad = sum(deeds.to(key, "down", "corrupted") for key in went)
    got = ran.delivery
    assert got["sent"] == len(came) + len(never_came)
    assert got["delivered"] == len(delivered)
    assert got["lost"] == got["sent"] - len(delivered)
    assert got["unknown"] == 0
    assert got["duplicated"] == sum(good.values()) - len(delivered)
    assert got["corrupted_header"] + got["corrupted_body"] + got["unexpected"] == bad
    assert min(got["lost"], got["duplicated"], bad, len(never_came)) > 0, "the proxy did too little"
    ran.assert_adds_up()


@pytest.mark.parametrize("seed", [5, pytest.param(6, marks=pytest.mark.matrix)])
def test_three_accounts_of_what_is_sent_again_agree(seed: int, tmp_path: Path) -> None:
    ran, records, deeds = run(tmp_path, seed, [{**DROP, "probability": 0.3}, DUPLICATE], exchange="ack")
    came, went = seen(records, "in"), seen(records, "out")
    keys = came.keys() | deeds.keys("up", "dropped")
    attempts = {
        key: came[key] - deeds.to(key, "up", "duplicated") + deeds.to(key, "up", "dropped") for key in keys
    }
    acks = {
        key: went[key] + deeds.to(key, "down", "duplicated") - deeds.to(key, "down", "dropped")
        for key in keys
    }
    acknowledged = {key for key in keys if acks[key]}
    got = squall_counts(totals_of(read_run(ran.folder).record))
    assert got["sent"] == len(keys)
    assert got["retries_sent"] == sum(attempts.values()) - len(keys)
    assert got["delivered"] == got["acknowledged"] == len(acknowledged)
    assert got["acknowledged_first"] == sum(attempts[key] == 1 for key in acknowledged)
    assert got["lost"] == got["gave_up"] == len(keys) - len(acknowledged)
    assert got["ack_duplicates"] == sum(acks[key] - 1 for key in acknowledged)
    assert min(got["retries_sent"], got["lost"], got["ack_duplicates"]) > 0, "the proxy did too little"
    ran.assert_adds_up()


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.matrix)])
def test_three_accounts_of_a_room_agree(seed: int, tmp_path: Path) -> None:
    """A message that is dropped on its way up is lost for each of its three readers, one on its way down for one."""
    once_all_have_joined = {**DROP, "at": "700ms"}
    ran, records, deeds = run(tmp_path, seed, [once_all_have_joined], exchange="room")
    came, went = seen(records, "in"), seen(records, "out")
    never_came = deeds.keys("up", "dropped")
    dropped = sum(deeds.to(key, "down", "dropped") for key in went)
    assert Counter(went[key] for key in came) == {3: len(came)}
    got = ran.delivery
    assert got["sent"] == 3 * (len(came) + len(never_came))
    assert got["delivered"] == 3 * len(came) - dropped
    assert got["lost"] == 3 * len(never_came) + dropped
    assert got["unknown"] == 0
    assert min(dropped, len(never_came)) > 0, "the proxy did too little"
    ran.assert_adds_up()


@pytest.mark.matrix
@pytest.mark.parametrize("seed", [3, 4])
def test_what_the_service_lost_is_not_laid_at_the_networks_door(seed: int, tmp_path: Path) -> None:
    """Each message has one attempt, and so one cause: a fault, or none."""
    ran, records, deeds = run(tmp_path, seed, [DROP, CORRUPT], bugs=["lose:0.05"])
    came, went = seen(records, "in"), seen(records, "out")
    dropped = deeds.keys("up", "dropped") | deeds.keys("down", "dropped")
    corrupted = deeds.keys("down", "corrupted")
    by_service = came.keys() - went.keys()
    assert ran.summary is not None
    account = ran.summary["faults"]["reconciliation"]
    (lost,) = [each for each in account["outcomes"] if each["outcome"] == "lost"]
    assert lost["total"] == ran.delivery["lost"] == len(dropped) + len(corrupted) + len(by_service)
    assert lost["by_fault"] == {"drop": len(dropped), "corrupt": len(corrupted)}
    assert (lost["explained"], lost["possible"]) == (len(dropped) + len(corrupted), 0)
    assert lost["unexplained"] == len(by_service)
    assert min(len(dropped), len(corrupted), len(by_service)) > 0, "too little was done"
    listed = {
        (each["stream"], number)
        for each in account["unexplained"]
        for begin, end in each["ranges"]
        for number in range(begin, end)
    }
    assert listed == by_service
    assert lost["basis"] == "number"
