"""Sessions that open first and speak the service's own language, on a transport of paper: run with the sources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from picows import WSMsgType

from simulation.sessions_and_network import PERIOD_NS, Clock, Frame, Keeper, Transport, lane_of
from squall.engine import connection as connection_module
from squall.engine import session as session_module
from squall.engine import talking as talking_module
from squall.engine.send_times import SPILL_MAX
from squall.engine.session import CLOSING, DRAINING, OPEN, OPENING
from squall.engine.talking import TalkingSession
from squall.protocols.base import Seat, Surroundings
from squall.protocols.kinds import talk_of
from squall.protocols.opening import Script
from squall.scenario.exchanges import OpeningStep, RequestExchange

SEAT = Seat(0, 0, {})
AROUND = Surroundings(run_number=1)
LOGIN = OpeningStep.model_validate(
    {"send": "login", "expect": [{"equals": "welcome"}], "refuse": [{"equals": "no"}], "timeout": 2}
)
REQUEST = RequestExchange.model_validate(
    {"send": {"id": "{id}"}, "reply": {"field": "id"}, "correct": [{"field": "ok", "equals": True}]}
)


class Door(Keeper):
    """Notes what the session tells of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def ready(self, _: Any) -> None:
        self.told.append("ready")

    def awaits(self, _: Any, timeout_s: float) -> None:
        self.told.append(f"waits {timeout_s:g}")

    def opened(self, _: Any) -> None:
        self.told.append("opened")

    def drained(self, session: Any) -> None:
        self.told.append("drained")
        session.close(1000)

    def noted(self, _: Any, kind: str, text: str) -> None:
        self.told.append(f"{kind} {text}")

    def refused(self, _: Any, code: int, why: str) -> None:
        self.told.append(f"refused {code} {why}")


class Wire(Transport):
    """Can be cut."""

    def disconnect(self) -> None:
        self.cut = True


class Stage:
    """One session, its transport, its keeper and its time."""

    def __init__(self, clock: Clock, *, opens: bool) -> None:
        self.clock, self.door, self.wire = clock, Door(), Wire()
        script = Script([LOGIN], SEAT, AROUND) if opens else None
        self.session = TalkingSession(
            0, 0, lane_of(self.door, (1.0,)), talk_of(REQUEST, SEAT, AROUND), script
        )
        self.session.connected(self.wire, self.door.tallies)

    def said(self) -> list[str]:
        texts = [message.decode() for message in self.wire.sent]
        self.wire.sent.clear()
        return texts

    def hear(self, text: str) -> None:
        self.session.on_ws_frame(self.wire, Frame(text.encode(), WSMsgType.TEXT))
        assert self.door.errors == []

    def pass_time(self, periods: int) -> None:
        for _ in range(periods):
            self.clock.now += PERIOD_NS
            self.session.on_due(self.clock.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (session_module, connection_module, talking_module):
        monkeypatch.setattr(module, "now_ns", lambda: made.now)
    return made


def good(sent: str) -> str:
    return json.dumps({"id": json.loads(sent)["id"], "ok": True})


def test_nothing_is_due_before_the_opening_is_done(clock: Clock) -> None:
    stage = Stage(clock, opens=True)
    assert (stage.session.state, stage.said(), stage.door.told) == (OPENING, ["login"], ["waits 2"])
    stage.pass_time(5)
    assert stage.said() == []
    stage.hear("welcome")
    assert (stage.session.state, stage.door.told[1:]) == (OPEN, ["opened", "ready"])
    stage.pass_time(3)
    assert 2 <= len(stage.said()) <= 3
    assert stage.door.tallies.types[0].not_sent_target == 0


def test_what_is_due_while_it_opens_again_is_not_sent_and_its_stream_goes_on(clock: Clock) -> None:
    stage = Stage(clock, opens=True)
    stage.hear("welcome")
    stage.pass_time(2)
    before = stage.said()[1:]
    stage.session.went_down()
    stage.session.connected(stage.wire, stage.door.tallies)
    stage.pass_time(3)
    assert (stage.session.state, stage.said()) == (OPENING, ["login"])
    assert stage.door.tallies.types[0].not_sent_target == 3
    stage.hear("welcome")
    stage.hear(good(before[0]))
    assert stage.door.told.count("ready") == 1
    assert (stage.door.tallies.types[0].delivered, stage.door.tallies.types[0].recovered) == (1, 1)


@pytest.mark.parametrize(("how", "why"), [("no", "refused"), ("", "timeout")])
def test_one_that_is_not_let_in_leaves(clock: Clock, how: str, why: str) -> None:
    stage = Stage(clock, opens=True)
    if how:
        stage.hear(how)
    else:
        stage.session.opening_late()
    assert stage.door.told[1:] == [f"refused 1008 {why}"]
    assert stage.wire.is_close_frame_sent


def test_one_that_is_to_leave_while_it_opens_closes_at_once(clock: Clock) -> None:
    stage = Stage(clock, opens=True)
    stage.session.drain()
    assert (stage.door.told[1:], stage.session.state) == (["drained"], CLOSING)
    stage.session.opening_late()
    assert stage.door.told[1:] == ["drained"]


def test_a_wrong_reply_delivers_nothing_and_a_right_one_behind_it_does(clock: Clock) -> None:
    stage = Stage(clock, opens=False)
    stage.pass_time(2)
    sent = stage.said()[0]
    stage.hear(json.dumps({"id": json.loads(sent)["id"], "ok": False}))
    tally = stage.door.tallies.types[0]
    assert (tally.corrupted_body, tally.delivered) == (1, 0)
    stage.hear(good(sent))
    stage.hear(good(sent))
    assert (tally.corrupted_body, tally.delivered, tally.duplicated) == (1, 1, 1)
    assert stage.door.tallies.connection.misfits == {"wrong_ok": 1}
    stage.session.drain()
    assert stage.session.state in {DRAINING, CLOSING}


def test_of_a_reply_that_comes_too_late_to_be_remembered_no_time_is_known(clock: Clock) -> None:
    stage = Stage(clock, opens=False)
    stage.pass_time(SPILL_MAX + 20)
    sent = stage.said()
    tally = stage.door.tallies.types[0]
    for text in (sent[0], sent[-1]):
        stage.hear(good(text))
    assert (tally.delivered, tally.response.count, tally.service_unmeasured) == (2, 1, 1)


def test_text_that_is_no_utf8_is_no_reply_and_told_once_with_the_code_that_it_deserves(clock: Clock) -> None:
    stage = Stage(clock, opens=False)
    stage.pass_time(2)
    for _ in range(2):
        stage.session.on_ws_frame(stage.wire, Frame(b"{\xff}", WSMsgType.TEXT))
    assert stage.door.errors == []
    connection = stage.door.tallies.connection
    assert (connection.unexpected, connection.invalid_utf8) == (2, 2)
    assert [each.partition(" ")[0] for each in stage.door.told] == ["ready", "invalid_utf8"]
    assert "1007" in stage.door.told[1]
    assert not stage.wire.is_close_frame_sent
