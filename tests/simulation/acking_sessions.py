"""Sessions whose messages are acknowledged, on a transport of paper: frames in, counts and frames out.

Run by `test_simulated_network.py` with the sources of the hot path, where a session takes a fake transport. The service
of paper here writes its acknowledgements with the oracle's envelope.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picows import WSMsgType

from oracle.envelope import BINARY, Envelope, build, parse
from simulation.sessions_and_network import PERIOD_NS, Clock, Frame, Keeper, Transport, lane_of
from squall.delivery.acks import Retries
from squall.engine import acking as acking_module
from squall.engine import connection as connection_module
from squall.engine import session as session_module
from squall.engine import talking as talking_module
from squall.engine.acked_push import AckedPushSession
from squall.engine.acking import AckingSession, AckTerms
from squall.engine.session import CLOSING, DRAINING
from squall.profiles.schedule import OnReply
from squall.protocols.base import Seat, Surroundings
from squall.protocols.kinds import talk_of
from squall.scenario.exchanges import AckExchange

RUN = 77
TIMEOUT_NS = 10 * PERIOD_NS
PAUSES_NS = (2 * PERIOD_NS, 4 * PERIOD_NS)
NAMES = (
    "delivered", "duplicated", "reordered", "recovered", "lost", "unknown", "acknowledged", "acknowledged_first",
    "retried", "retry_acknowledged", "retries_sent", "gave_up", "ack_duplicates", "acknowledged_lost",
    "acknowledged_late", "duplicate_arrivals", "corrupted_body", "not_sent_target",
)  # fmt: skip


class Desk(Keeper):
    """Notes what a session tells."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[str] = []
        self.sooner = 0

    def due_sooner(self, _: Any) -> None:
        self.sooner += 1

    def noted(self, _: Any, kind: str, text: str) -> None:
        self.notes.append(f"{kind}: {text}")

    def drained(self, session: Any) -> None:
        session.close(1000)


@dataclass
class Slow(Transport):
    """Says how many bytes the peer has not taken."""

    unsent: int = 0

    @property
    def underlying_transport(self) -> Slow:
        return self

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Stage:
    """One session, what it sent, and the hand of a service."""

    def __init__(
        self, clock: Clock, session_of: Any = None, *, lane: dict[str, Any] | None = None, **terms: Any
    ) -> None:
        self.clock, self.desk, self.wire = clock, Desk(), Slow()
        self.session = (session_of or acking_session)(lane_of(self.desk, (1.0,), **lane or {}), **terms)
        self.session.connected(self.wire, self.desk.tallies)

    def pass_time(self, periods: float) -> None:
        """As the pacer does: it asks when something is due, and not before."""
        until = self.clock.now + round(periods * PERIOD_NS)
        while self.session.due_ns <= until:
            self.clock.now = max(self.clock.now, self.session.due_ns)
            self.session.on_due(self.clock.now)
        self.clock.now = until
        assert self.desk.errors == []

    def said(self) -> list[Envelope]:
        """What was sent since the last call."""
        found = [parse(BINARY, message) for message in self.wire.sent]
        self.wire.sent.clear()
        assert all(each is not None and each.header_good and each.body_good for each in found)
        return [each for each in found if each is not None]

    def hear(self, payload: bytes, kind: WSMsgType = WSMsgType.BINARY) -> None:
        self.session.on_ws_frame(self.wire, Frame(payload, kind))
        assert self.desk.errors == []

    def acknowledge(self, *messages: Envelope, **changed: int) -> None:
        for message in messages:
            self.hear(acknowledgement_of(message, **changed))

    def stop_sending(self) -> None:
        """No further message is due; what was sent stays."""
        self.session.leave_ns = self.clock.now

    def counts(self) -> dict[str, int]:
        """What is not zero."""
        tally = self.desk.tallies.types[0]
        found = {name: getattr(tally, name) for name in NAMES}
        for name in ("unexpected", "ack_unexpected"):
            found[name] = getattr(self.desk.tallies.connection, name)
        return {name: count for name, count in found.items() if count}


def acknowledgement_of(message: Envelope, **changed: int) -> bytes:
    fields: dict[str, Any] = {
        "run": message.run,
        "stream": message.stream,
        "epoch": message.epoch,
        "sequence": message.sequence,
        "type_sequence": message.type_sequence,
        "message_type": message.type,
        "attempt": message.attempt,
        "intended_ns": message.intended_ns,
        **changed,
    }
    return build(is_ack=True, **fields)


def copy_of(message: Envelope) -> bytes:
    """The message as it came, but for its body."""
    return build(
        run=message.run,
        stream=message.stream,
        epoch=message.epoch,
        sequence=message.sequence,
        type_sequence=message.type_sequence,
        message_type=message.type,
        attempt=message.attempt,
        intended_ns=message.intended_ns,
    )


def acking_session(
    lane: Any, *, retries: int = 2, room: int = 100, by_receiver: bool = False, talk: Any = None
) -> AckingSession:
    pauses = [pause_ns / 1e9 for pause_ns in PAUSES_NS[:retries]]
    terms = AckTerms(Retries(TIMEOUT_NS / 1e9, pauses, jitter=False, seed=5), room, by_receiver=by_receiver)
    return AckingSession(0, 0, lane, talk, None, terms)


def push_session(lane: Any, *, acknowledges: bool = True, deduplicates: bool = True) -> AckedPushSession:
    return AckedPushSession(0, 0, lane, None, acknowledges=acknowledges, deduplicates=deduplicates)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    for module in (session_module, connection_module, talking_module, acking_module):
        monkeypatch.setattr(module, "now_ns", lambda: made.now)
    return made


def one_sent(stage: Stage) -> Envelope:
    """The session's first message, and no other."""
    stage.pass_time(1)
    stage.stop_sending()
    (first,) = stage.said()
    return first


# --- acknowledged send ---


def test_a_clean_run_counts_deliveries_and_nothing_else(clock: Clock) -> None:
    stage = Stage(clock)
    for _ in range(20):
        stage.pass_time(1)
        stage.acknowledge(*stage.said())
    assert stage.counts() == {"delivered": 20, "acknowledged": 20, "acknowledged_first": 20}
    tally = stage.desk.tallies.types[0]
    assert (tally.ack.count, tally.ack_total.count, tally.ack_retried, tally.retry_recovery) == (
        20,
        20,
        None,
        None,
    )
    stage.session.drain()
    assert stage.session.state == CLOSING


def test_a_message_is_sent_again_until_no_attempt_is_left_and_each_is_marked(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.pass_time(40)
    again = stage.said()
    assert [(each.sequence, each.attempt, each.intended_ns) for each in again] == [
        (first.sequence, 2, first.intended_ns),
        (first.sequence, 3, first.intended_ns),
    ]
    stage.pass_time(40)
    assert stage.said() == []
    assert stage.counts() == {"retried": 1, "retries_sent": 2, "gave_up": 1}


def test_an_acknowledgement_is_timed_from_the_attempt_that_it_names(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.pass_time(14)
    (second,) = stage.said()
    retried_at_ns = first.intended_ns + TIMEOUT_NS + PAUSES_NS[0]
    stage.acknowledge(second)
    assert stage.counts() == {
        "delivered": 1, "recovered": 1, "acknowledged": 1, "retried": 1, "retry_acknowledged": 1, "retries_sent": 1,
    }  # fmt: skip
    tally = stage.desk.tallies.types[0]
    assert tally.ack.sum_ns == tally.ack_retried.sum_ns == clock.now - retried_at_ns
    assert tally.ack_total.sum_ns == clock.now - first.intended_ns
    assert tally.retry_recovery.sum_ns == clock.now - first.intended_ns - TIMEOUT_NS


def test_a_late_one_of_the_first_attempt_saves_no_retry_and_recovers_nothing(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.pass_time(14)
    stage.said()
    stage.acknowledge(first)
    assert stage.counts() == {
        "delivered": 1, "acknowledged": 1, "retried": 1, "retry_acknowledged": 1, "retries_sent": 1,
    }  # fmt: skip
    assert stage.desk.tallies.types[0].ack.sum_ns == clock.now - first.intended_ns


def test_one_that_names_no_attempt_has_no_ack_time_after_a_retry(clock: Clock) -> None:
    """Karn's rule; before a retry there is one attempt that it can mean."""
    stage = Stage(clock)
    first = one_sent(stage)
    stage.pass_time(14)
    stage.acknowledge(first, attempt=0)
    tally = stage.desk.tallies.types[0]
    assert (tally.acknowledged, tally.retry_acknowledged, tally.recovered) == (1, 1, 1)
    assert (tally.ack, tally.ack_total.count, tally.retry_recovery.count) == (None, 1, 1)
    stage = Stage(clock)
    first = one_sent(stage)
    stage.acknowledge(first, attempt=0)
    assert stage.desk.tallies.types[0].ack.count == 1


def test_what_a_service_acknowledges_wrongly(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.acknowledge(first, first, first)
    stage.acknowledge(first, sequence=1)
    stage.acknowledge(first, message_type=1)
    stage.acknowledge(first, stream=1)
    stage.acknowledge(first, run=1)
    stage.hear(copy_of(first))
    stage.hear(acknowledgement_of(first), WSMsgType.TEXT)
    assert stage.counts() == {
        "delivered": 1, "acknowledged": 1, "acknowledged_first": 1, "ack_duplicates": 2, "ack_unexpected": 2,
        "unexpected": 3, "corrupted_body": 1,
    }  # fmt: skip


def test_one_that_comes_after_the_message_was_given_up_delivers_it_and_is_no_success(clock: Clock) -> None:
    stage = Stage(clock, retries=0)
    first = one_sent(stage)
    stage.pass_time(11)
    stage.acknowledge(first, first)
    assert stage.counts() == {"delivered": 1, "gave_up": 1, "acknowledged_late": 1, "ack_duplicates": 1}


def test_a_full_window_holds_messages_back_and_lets_them_go_in_order(clock: Clock) -> None:
    stage = Stage(clock, room=3)
    stage.pass_time(5)
    sent = stage.said()
    assert [each.sequence for each in sent] == [0, 1, 2]
    assert stage.session.held is not None
    due = [intended for intended, _ in stage.session.held]
    stage.acknowledge(sent[0], sent[1])
    assert [(each.sequence, each.intended_ns) for each in stage.said()] == [(3, due[0]), (4, due[1])]
    tally = stage.desk.tallies.types[0]
    assert (tally.blocked_sent, stage.session.held) == (True, None)
    # What was held back times out after it could go, not after it was due.
    assert {each.sequence: each.due_ns for each in stage.session.window.waiting}[3] == clock.now + TIMEOUT_NS


def test_past_the_limit_a_full_window_leaves_messages_unsent(clock: Clock) -> None:
    stage = Stage(clock, room=1, retries=0)
    stage.pass_time(9)
    limit = stage.session.lane.blocked_max
    assert len(stage.session.held or ()) == 8 <= limit
    stage.clock.now += 5 * PERIOD_NS
    stage.session.on_due(clock.now)
    assert stage.counts()["gave_up"] == 1
    assert len(stage.said()) == 2  # the first; and one in the place that it left
    stage.pass_time(9)
    assert stage.counts()["not_sent_target"] > 0
    assert len(stage.session.held or ()) == limit


def test_a_time_out_is_asked_for_though_no_message_is_due(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.pass_time(1)
    assert stage.session.due_ns == first.intended_ns + TIMEOUT_NS
    stage.acknowledge(first)
    stage.pass_time(100)
    assert stage.session.due_ns > 1 << 61


def test_a_draining_session_goes_on_with_its_retries_and_ends_with_the_last(clock: Clock) -> None:
    stage = Stage(clock)
    stage.pass_time(1.5)
    stage.session.drain()
    assert stage.session.state == DRAINING
    sent = stage.said()
    assert [each.attempt for each in sent] == [1] * len(sent)
    stage.pass_time(14)
    again = stage.said()
    assert [each.attempt for each in again] == [2] * len(sent)
    assert stage.session.state == DRAINING
    stage.acknowledge(*again)
    assert stage.session.state == CLOSING
    stage.session.end(True)
    assert stage.counts()["delivered"] == len(sent)
    assert not {"lost", "unknown"} & stage.counts().keys()


def test_one_that_gives_up_its_last_message_while_draining_closes_then(clock: Clock) -> None:
    stage = Stage(clock, retries=0)
    stage.pass_time(1)
    stage.session.drain()
    stage.pass_time(12)
    assert stage.session.state == CLOSING
    stage.session.end(True)
    sent = stage.session.stream.next_sequence
    assert stage.counts() == {"gave_up": sent, "lost": sent}


def test_what_a_connection_took_along_is_sent_again_on_the_next_under_its_epoch(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.session.went_down()
    stage.pass_time(30)
    assert stage.said() == []
    stage.session.connected(stage.wire, stage.desk.tallies)
    assert stage.desk.sooner == 1
    (second,) = stage.said()
    assert (second.sequence, second.attempt, second.epoch) == (first.sequence, 2, 1)
    stage.pass_time(1)
    stage.acknowledge(second)
    tally = stage.desk.tallies.types[0]
    assert tally.ack.sum_ns == PERIOD_NS  # the attempt could be made when the connection was back
    assert stage.counts()["recovered"] == 1


def test_what_waits_when_the_connection_dies_for_good_is_unknown(clock: Clock) -> None:
    stage = Stage(clock)
    one_sent(stage)
    stage.session.went_down()
    stage.session.settle(False)
    assert stage.counts() == {"unknown": 1}


def test_what_was_sent_again_on_a_connection_that_lived_is_lost_and_what_was_not_is_unknown(
    clock: Clock,
) -> None:
    stage = Stage(clock, retries=1)
    stage.pass_time(1)
    stage.pass_time(30)  # some have had both attempts and are given up on the first connection
    stage.stop_sending()
    given_up = stage.counts()["gave_up"]
    sent = stage.session.stream.next_sequence
    stage.session.went_down()
    stage.session.connected(stage.wire, stage.desk.tallies)
    stage.session.drain()
    stage.pass_time(100)
    stage.session.end(True)
    found = stage.counts()
    assert (found["unknown"] >= given_up, found["lost"] > 0) == (True, True)
    assert found["unknown"] + found["lost"] == sent == found["gave_up"]


def test_a_retry_waits_while_the_peer_does_not_read(clock: Clock) -> None:
    stage = Stage(clock)
    one_sent(stage)
    stage.session.pause_writing()
    stage.wire.unsent = stage.session.lane.send_buffer_max + 1
    stage.pass_time(20)
    assert stage.said() == []
    stage.session.resume_writing()
    assert [each.attempt for each in stage.said()] == [2]
    assert stage.session.window.waiting[0].due_ns == clock.now + TIMEOUT_NS


def test_that_nothing_is_ever_recognised_is_said_after_the_first_time_out_and_once(clock: Clock) -> None:
    stage = Stage(clock)
    stage.pass_time(9)
    stage.hear(b"ok")
    stage.hear(b"ok")
    assert stage.desk.notes == []
    stage.pass_time(30)
    assert stage.desk.notes == [
        "no_acknowledgement: no acknowledgement was ever recognised: none within 100 ms; what came: 2 without an envelope"
    ]


def test_where_one_was_recognised_time_outs_are_no_news(clock: Clock) -> None:
    stage = Stage(clock)
    first = one_sent(stage)
    stage.acknowledge(first)
    stage.session.leave_ns = 1 << 62
    stage.pass_time(60)
    assert stage.counts()["gave_up"] > 0
    assert stage.desk.notes == []


def test_a_sequential_session_goes_on_with_the_acknowledgement_and_keeps_its_time_outs(clock: Clock) -> None:
    stage = Stage(clock, lane={"arrivals": OnReply(1000 * PERIOD_NS), "sequential": True})
    for number in range(3):
        stage.pass_time(1)
        (message,) = stage.said()
        assert message.sequence == number
        stage.acknowledge(message)
    stage.said()
    stage.pass_time(12)
    assert [(each.sequence, each.attempt) for each in stage.said()] == [(3, 2)]


# --- with a receiver ---


def test_the_message_itself_delivers_and_its_acknowledgement_does_not(clock: Clock) -> None:
    stage = Stage(clock, by_receiver=True)
    stage.pass_time(2)
    one, *_ = sent = stage.said()
    stage.acknowledge(*sent)
    assert stage.counts() == {"acknowledged": len(sent), "acknowledged_first": len(sent)}
    for message in sent:
        stage.hear(copy_of(message))
    stage.hear(copy_of(one))
    assert stage.counts() == {
        "acknowledged": len(sent), "acknowledged_first": len(sent), "delivered": len(sent), "duplicated": 1,
    }  # fmt: skip


def test_acknowledged_and_never_come_is_lost_though_the_connection_died(clock: Clock) -> None:
    stage = Stage(clock, by_receiver=True)
    stage.pass_time(3)
    sent = stage.said()
    stage.acknowledge(sent[0])
    stage.session.went_down()
    stage.session.settle(False)
    found = stage.counts()
    assert (found["lost"], found["acknowledged_lost"], found["unknown"]) == (1, 1, len(sent) - 1)


def test_it_drains_until_what_was_acknowledged_has_come(clock: Clock) -> None:
    stage = Stage(clock, by_receiver=True)
    stage.pass_time(1)
    stage.session.drain()
    sent = stage.said()
    stage.acknowledge(*sent)
    assert stage.session.state == DRAINING
    for message in sent:
        stage.hear(copy_of(message))
    assert stage.session.state == CLOSING


def test_a_copy_that_a_retry_brought_is_recovered(clock: Clock) -> None:
    stage = Stage(clock, by_receiver=True)
    one_sent(stage)
    stage.pass_time(13)
    (second,) = stage.said()
    stage.acknowledge(second)
    stage.hear(copy_of(second))
    assert (stage.counts()["recovered"], stage.counts()["delivered"]) == (1, 1)


Fate = tuple[bool, int]
"""Whether an attempt comes to the service, and how many acknowledgements of it come back."""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fates=st.lists(
        st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=3, max_size=3), min_size=1, max_size=25
    ),
    by_receiver=st.booleans(),
)
def test_counts_are_those_of_what_became_of_each_attempt(
    clock: Clock, fates: list[list[Fate]], by_receiver: bool
) -> None:
    """A service that answers at once, de-duplicates, and loses and doubles as it is told to."""
    clock.now = 0
    stage = Stage(clock, by_receiver=by_receiver)
    delivered: set[int] = set()

    def answer() -> None:
        for message in stage.said():
            comes, acks = fates[message.sequence][message.attempt - 1]
            if comes:
                if message.sequence not in delivered and by_receiver:
                    stage.hear(copy_of(message))
                delivered.add(message.sequence)
                stage.acknowledge(*[message] * acks)

    while stage.session.stream.next_sequence < len(fates):
        stage.pass_time(0.25)
        answer()
    stage.session.drain()
    while stage.session.stream.next_sequence > len(
        fates
    ):  # what was due at the last moment goes through at once
        fates.append([(True, 1)] * 3)
    for _ in range(200):
        answer()
        stage.pass_time(0.25)
    stage.session.end(True)

    expected = dict.fromkeys(NAMES, 0)
    for tries in fates:
        answered = next((number for number, (comes, acks) in enumerate(tries) if comes and acks), None)
        made = 3 if answered is None else answered + 1
        came = next((number for number, (comes, _) in enumerate(tries[:made]) if comes), None)
        shown = came if by_receiver else answered
        expected["delivered"] += shown is not None
        expected["recovered"] += bool(shown)
        expected["lost"] += shown is None
        expected["retried"] += made > 1
        expected["retries_sent"] += made - 1
        expected["gave_up"] += answered is None
        if answered is not None:
            expected["acknowledged"] += 1
            expected["acknowledged_first"] += answered == 0
            expected["retry_acknowledged"] += answered > 0
            expected["ack_duplicates"] += tries[answered][1] - 1
    found = stage.counts()
    found.pop("reordered", None)  # a retry that comes behind successors; the ledger's own tests have that
    assert found == {name: count for name, count in expected.items() if count}


# --- a language of the service's own ---

JSON_ACKS = AckExchange.model_validate(
    {"send": {"id": "{id}", "try": "{attempt}"}, "ack": {"field": "ack.of"}, "attempt": "ack.try"}
)


def json_session(lane: Any, exchange: AckExchange = JSON_ACKS) -> AckingSession:
    talk = talk_of(exchange, Seat(0, 0, {}), Surroundings(run_number=RUN))
    return acking_session(lane, talk=talk)


def json_said(stage: Stage) -> list[dict[str, Any]]:
    found = [json.loads(message) for message in stage.wire.sent]
    stage.wire.sent.clear()
    return found


def test_json_messages_are_acknowledged_by_the_field_that_is_named(clock: Clock) -> None:
    stage = Stage(clock, json_session)
    stage.pass_time(1)
    stage.stop_sending()
    (first,) = json_said(stage)
    stage.pass_time(14)
    (second,) = json_said(stage)
    assert (first["try"], second) == (1, {"id": first["id"], "try": 2})

    def hear(message: Any) -> None:
        stage.hear(json.dumps(message).encode(), WSMsgType.TEXT)

    hear({"ack": {"of": first["id"], "try": 2}})
    hear({"ack": {"of": first["id"], "try": 1}})
    hear({"ack": {"of": first["id"][:-1] + "9"}})
    hear({"notice": 1})
    assert stage.counts() == {
        "delivered": 1, "recovered": 1, "acknowledged": 1, "retried": 1, "retry_acknowledged": 1, "retries_sent": 1,
        "ack_duplicates": 1, "ack_unexpected": 1, "unexpected": 1,
    }  # fmt: skip
    assert stage.desk.tallies.types[0].ack_retried.count == 1


def test_an_ack_field_that_never_appears_is_said(clock: Clock) -> None:
    stage = Stage(clock, json_session)
    stage.pass_time(5)
    for _ in json_said(stage):
        stage.hear(b'{"result":"ok"}', WSMsgType.TEXT)
    stage.pass_time(10)
    (note,) = stage.desk.notes
    assert note.endswith("what came: 5 reply_field_missing")


# --- acknowledged push ---


def test_what_is_pushed_back_is_acknowledged_with_its_attempt_and_copies_are_dropped(clock: Clock) -> None:
    stage = Stage(clock, push_session)
    first = one_sent(stage)
    for attempt in (1, 2, 3):
        stage.hear(build_push(first, attempt))
    answers = stage.said()
    assert [(each.flags, each.sequence, each.attempt) for each in answers] == [
        (4, first.sequence, attempt) for attempt in (1, 2, 3)
    ]
    assert stage.counts() == {
        "delivered": 1, "acknowledged": 1, "acknowledged_first": 1, "retries_sent": 2, "duplicate_arrivals": 2,
    }  # fmt: skip


def build_push(message: Envelope, attempt: int) -> bytes:
    return build(
        run=message.run, stream=message.stream, sequence=message.sequence, attempt=attempt,
        intended_ns=message.intended_ns,
    )  # fmt: skip


def test_one_that_only_a_retry_brings_needed_it(clock: Clock) -> None:
    stage = Stage(clock, push_session)
    first = one_sent(stage)
    stage.hear(build_push(first, 2))
    assert stage.counts() == {
        "delivered": 1, "recovered": 1, "acknowledged": 1, "retried": 1, "retry_acknowledged": 1, "retries_sent": 1,
    }  # fmt: skip


def test_copies_that_are_not_dropped_are_duplicates(clock: Clock) -> None:
    stage = Stage(clock, push_session, deduplicates=False)
    first = one_sent(stage)
    stage.hear(build_push(first, 1))
    stage.hear(build_push(first, 2))
    assert (stage.counts()["duplicated"], stage.counts()["duplicate_arrivals"]) == (1, 1)


def test_an_unresponsive_client_acknowledges_when_it_is_back(clock: Clock) -> None:
    stage = Stage(clock, push_session)
    first = one_sent(stage)
    stage.session.acknowledges = False
    stage.hear(build_push(first, 1))
    assert (stage.said(), stage.counts()) == ([], {"delivered": 1})
    stage.session.acknowledges = True
    stage.hear(build_push(first, 2))
    stage.hear(build_push(first, 3))
    assert [each.attempt for each in stage.said()] == [2, 3]
    assert stage.counts() == {
        "delivered": 1, "acknowledged": 1, "retried": 1, "retry_acknowledged": 1, "retries_sent": 2,
        "duplicate_arrivals": 2,
    }  # fmt: skip


def test_a_retry_that_is_not_acknowledged_was_needed_all_the_same(clock: Clock) -> None:
    stage = Stage(clock, push_session)
    first = one_sent(stage)
    stage.session.acknowledges = False
    for attempt in (1, 2, 3):
        stage.hear(build_push(first, attempt))
    assert stage.counts() == {"delivered": 1, "retried": 1, "retries_sent": 2, "duplicate_arrivals": 2}


def test_an_acknowledgement_or_a_message_of_others_has_no_business_with_a_push(clock: Clock) -> None:
    stage = Stage(clock, push_session)
    first = one_sent(stage)
    stage.acknowledge(first)
    stage.hear(build_push(first, 1)[:-1])
    stage.hear(build(run=first.run, stream=5, sequence=first.sequence))
    assert (stage.said(), stage.counts()) == ([], {"unexpected": 3})


def test_a_draining_session_acknowledges_its_last_message_before_it_closes(clock: Clock) -> None:
    stage = Stage(clock, push_session)
    first = one_sent(stage)
    stage.session.drain()
    stage.hear(build_push(first, 1))
    assert [each.flags for each in stage.said()] == [4]
    assert stage.session.state == CLOSING
