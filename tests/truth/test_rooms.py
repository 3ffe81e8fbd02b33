"""Rooms and pairs over real sockets, against a service that shares no code with squall: every count equals its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from controls.compare import differences
from controls.messages import Asked
from controls.oracle import judge
from controls.wire_log import read_wire_log
from oracle.services import rooms_service
from squall.store.reader import open_run
from squall.testing import read_run, serve
from squall_run import Ran, run_squall

ZERO = ("lost", "unknown", "duplicated", "reordered", "corrupted_body", "corrupted_header", "unexpected")


def scenario(
    url: str, *, connections: int = 12, workers: int = 1, rate: str = "60/s", **exchange: Any
) -> dict[str, Any]:
    """Nothing is sent before all are there, and all is sent long before the first one leaves."""
    return {
        "target": url,
        "load": {"connections": connections, "ramp_up": "200ms", "hold": "900ms", "ramp_down": "200ms"},
        "delivery": {"drain_timeout": "700ms"},
        "engine": {"workers": workers},
        "traffic": {
            "rate": rate,
            "arrival": "poisson",
            "messages_per_session": 30,
            "during_ramp": False,
            "types": [{"name": "a"}, {"name": "b", "weight": 2}],
        },
        "exchange": {"kind": "room", **exchange},
    }


def counted(ran: Ran) -> Counter[str]:
    """Counts of the record's cells that the summary has as figures."""
    found: Counter[str] = Counter()
    for interval in open_run(ran.folder).intervals:
        for cell in interval.messages:
            found["pairs"] += cell.causal_pairs
            found["violations"] += cell.causal_violations
            found["timed"] += cell.timestamps_judged
            found["in gaps"] += cell.messages_in_gaps
    return found


def test_an_honest_service_has_zeros(tmp_path: Path) -> None:
    """In each of two workers a room of five and one of two, in which there are no causes of a third."""
    with rooms_service() as rooms:
        ran = run_squall(scenario(rooms.url, connections=14, size=5, workers=2), tmp_path)
        did = rooms.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert ran.code == 0, ran.stdout
    assert got["sent"] == got["delivered"] == did["deliveries"] == 2 * 30 * (5 * 4 + 2 * 1)
    assert [got[name] for name in ZERO] == [0] * len(ZERO)
    assert counted(ran) == Counter(pairs=did["pairs"], violations=0, timed=got["delivered"])
    assert did["pairs"] > 100
    assert ran.summary is not None
    assert ran.summary["evidence"] == "receiver"
    assert ran.summary["connect"]["opening"]["count"] == 14


@pytest.mark.parametrize("pure", [False, True], ids=["compiled", "pure"])
def test_a_lying_service_is_counted_exactly(pure: bool, tmp_path: Path) -> None:
    lies = {"lose": 31, "twice": 37, "swap": 41, "flip": 43, "stray": 47, "effect-first": 23}
    with rooms_service(*(part for lie, every in lies.items() for part in (f"--{lie}", str(every)))) as rooms:
        ran = run_squall(scenario(rooms.url, answers=1), tmp_path, pure=pure)
        did = rooms.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert min(did[lie.replace("-", "_")] for lie in lies) > 0, "the service lied too little"
    assert got["sent"] == did["deliveries"] == 12 * 30 * 3
    assert got["lost"] == did["lose"] + did["flip"] + did["held"]
    assert got["duplicated"] == did["twice"]
    assert got["reordered"] == did["reordered"] >= did["swap"]
    assert got["corrupted_body"] == did["flip"]
    assert got["unexpected"] == did["stray"]
    found = counted(ran)
    assert (found["pairs"], found["violations"]) == (did["pairs"], did["violations"])
    assert found["timed"] == got["delivered"]
    assert 0 < found["in gaps"] <= got["lost"]
    assert did["violations"] >= did["effect_first"]
    assert ran.code == 99


def test_pairs_have_no_causes_and_an_odd_one_owes_nothing(tmp_path: Path) -> None:
    with rooms_service("--limit", "2", "--lose", "10") as rooms:
        ran = run_squall(scenario(rooms.url, connections=5, kind="relay"), tmp_path)
        did = rooms.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert (did["published"], did["deliveries"], did["lose"]) == (150, 120, 12)
    assert (got["sent"], got["lost"], got["delivered"]) == (120, 12, 108)
    found = counted(ran)
    assert (found["pairs"], found["violations"]) == (0, 0)


@pytest.mark.parametrize(
    ("drain", "counts"), [("500ms", True), ("10s", False)], ids=["long over", "perhaps under way"]
)
def test_history_that_is_said_again_to_who_joins_is_unexpected(
    drain: str, counts: bool, tmp_path: Path
) -> None:
    """All was read a second before by somebody else; that is long over by the drain of the first run only."""
    with rooms_service("--replay", "1") as rooms:
        asked = scenario(rooms.url, connections=6, size=6)
        asked["load"] |= {"ramp_up": {"kind": "linear", "duration": "3s"}, "hold": "500ms"}
        asked["traffic"] = {"rate": "10/s", "arrival": "poisson"}
        asked["delivery"]["drain_timeout"] = drain
        ran = run_squall(asked, tmp_path)
        did = rooms.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert did["replayed"] > 50
    assert got["unexpected"] == (did["replayed"] if counts else 0)
    assert [got[name] for name in ("lost", "duplicated", "reordered", "corrupted_body")] == [0] * 4
    assert ran.code == (99 if counts else 0), ran.stdout


def test_who_joins_while_the_others_talk_is_sent_nothing_unexpected(tmp_path: Path) -> None:
    with rooms_service() as rooms:
        asked = scenario(rooms.url, connections=24, size=24)
        asked["load"] |= {"ramp_up": {"kind": "linear", "duration": "1s"}}
        asked["traffic"] = {"rate": "10/s", "arrival": "poisson"}
        asked["delivery"]["drain_timeout"] = "1ms"
        ran = run_squall(asked, tmp_path)
    assert ran.delivery["unexpected"] == 0
    assert ran.delivery["delivered"] > 1000


def test_members_that_are_not_let_in_are_said_and_owed_nothing(tmp_path: Path) -> None:
    """In the second room no join is answered, in the others the fourth member is refused."""
    with rooms_service("--mute", "-1", "--limit", "3") as rooms:
        ran = run_squall(scenario(rooms.url, timeout="300ms"), tmp_path)
        did = rooms.did()
    got = ran.delivery
    ran.assert_adds_up()
    assert ran.troubles == {("opening", "timeout", "target"): 4, ("opening", "refused", "target"): 2}
    assert got["sent"] == got["delivered"] == did["deliveries"] == 2 * 3 * 30 * 2
    assert [got[name] for name in ZERO] == [0] * len(ZERO)


def test_who_is_still_not_let_in_when_the_run_ends_is_said(tmp_path: Path) -> None:
    """The answer is waited for as long as ever: leaving does not make it the plan's doing that none came."""
    with rooms_service("--mute", "-1") as rooms:
        ran = run_squall(scenario(rooms.url, timeout="3500ms"), tmp_path)
    ran.assert_adds_up()
    assert ran.troubles == {("opening", "timeout", "target"): 4}
    assert ran.connections["dropped"] == 4


@pytest.mark.parametrize(
    ("form", "bugs"),
    [("text", []), ("binary", ["break-causality:0.05:0.3"])],
    ids=["sound", "breaks causality"],
)
def test_the_bundled_service_is_counted_as_its_wire_log_says(
    form: str, bugs: list[str], tmp_path: Path
) -> None:
    with serve(bugs=bugs, bug_seed=1, wire_log=tmp_path / "log") as service:
        asked = scenario(f"{service.url.rstrip('/')}/room")
        asked["traffic"]["format"] = form
        ran = run_squall(asked, tmp_path)
    truth = judge(read_wire_log(tmp_path / "log"), Asked(()))
    ran.assert_adds_up()
    assert differences(read_run(ran.folder), truth) == []
    assert truth.total.causal_pairs > 100
    assert (truth.total.causal_violations > 0) is bool(bugs)
    assert ran.code == 0, ran.stdout  # over so few pairs causality is not judged


def test_who_is_cut_off_joins_again_and_what_it_took_along_is_unknown(tmp_path: Path) -> None:
    with serve(bugs=["cut:60"]) as service:
        asked = scenario(f"{service.url.rstrip('/')}/room")
        asked["load"]["reconnect"] = {"after_drop": True, "backoff": "20ms"}
        ran = run_squall(asked, tmp_path)
    got, held = ran.delivery, ran.connections
    ran.assert_adds_up()
    assert held["dropped"] > 0
    assert held["established"] == 12 + held["dropped"]
    assert [got[name] for name in ("lost", "duplicated", "reordered", "corrupted_body", "unexpected")] == [
        0
    ] * 5
    assert 0 < got["unknown"] < got["delivered"]
