"""What is entered off the straight path stands in the cell of each message's own phase and type."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from squall.delivery.ledger import ACKNOWLEDGED, LOST, UNKNOWN, Stream
from squall.engine.aftermath import enter_invalid_text, enter_late, enter_settled
from squall.engine.send_times import SendTimes
from squall.engine.tally import NEVER_NS, MessageTally, Tallies
from squall.metrics.streams import SendingTroubles, WorstStreams
from squall.profiles.mix import MessageMix
from squall.record.streams import SentSecond

S = 1_000_000_000


class Phases:
    """A keeper with two phases, each of one label."""

    def __init__(self) -> None:
        self.phases = [
            Tallies(number, 0, number, 0, max_latencies_ns=[NEVER_NS], sends=True) for number in range(2)
        ]

    def tallies_labelled(self, label: int) -> Tallies:
        return self.phases[label]

    def of(self, phase: int) -> MessageTally:
        return self.phases[phase].types[0]


def a_session(*, sent_before: int, sent_after: int) -> Any:
    """One that sent messages in two phases, one a second."""
    lane = SimpleNamespace(
        keeper=Phases(),
        mix=MessageMix((1.0,), (1.0,), 0, 1),
        population=0,
        worker=1,
        worst_streams=WorstStreams(),
        sending_troubles=SendingTroubles(),
    )
    stream, times = Stream(), SendTimes()
    for label, count in enumerate((sent_before, sent_after)):
        stream.begin_segment(label, 0)
        for _ in range(count):
            number = stream.assign()
            times.note(number, number * S, stream)
    return SimpleNamespace(
        stream=stream, times=times, number=9, lane=lane, silent_from=-1, silence_harmed=False
    )


def test_a_gap_over_two_phases_is_one_and_its_messages_stand_in_their_own() -> None:
    session = a_session(sent_before=4, sent_after=4)
    for number in (0, 1, 6):
        session.stream.arrive(number, 20 * S)
    enter_settled(session, lived=True)
    before, after = (session.lane.keeper.of(phase) for phase in range(2))
    assert (before.gaps, before.messages_in_gaps, before.lost) == (1, 2, 2)
    assert (after.gaps, after.messages_in_gaps, after.lost) == (0, 2, 3)
    (worst,) = session.lane.worst_streams.all
    assert (worst.stream, worst.worker, worst.lost, worst.lost_ranges) == (9, 1, 5, [(2, 5), (7, 7)])
    assert (worst.first_sent_ns, worst.last_sent_ns, worst.why) == (2 * S, 7 * S, "drained")
    assert [each.second for each in session.lane.sending_troubles.all] == [2, 3, 4, 5, 7]


def test_a_fate_tells_what_a_dead_connection_leaves_open() -> None:
    session = a_session(sent_before=3, sent_after=0)
    enter_settled(session, lived=False, fate=[ACKNOWLEDGED, UNKNOWN, LOST].__getitem__)
    tally = session.lane.keeper.of(0)
    assert (tally.lost, tally.unknown, tally.acknowledged_lost, tally.gaps) == (2, 1, 1, 0)
    (worst,) = session.lane.worst_streams.all
    assert (worst.lost_ranges, worst.unknown_ranges, worst.why) == ([(0, 0), (2, 2)], [(1, 1)], "died")
    assert session.lane.sending_troubles.all[1] == SentSecond(1, 1, 0, 1)


def test_a_message_waits_in_its_own_phase_for_one_of_the_phase_before() -> None:
    session = a_session(sent_before=1, sent_after=2)
    for number in (1, 2, 0):
        session.stream.arrive(number, (20 + number) * S if number else 30 * S)
    before, after = (session.lane.keeper.of(phase) for phase in range(2))
    enter_late(session, before, 0, 0)
    assert (before.reordered, before.reordered_in_type, before.order_waited) == (1, 1, 0)
    assert (after.order_waited, after.order_wait_ns_sum) == (2, 9 * S + 8 * S)


def test_a_stream_on_which_nothing_went_wrong_is_not_told() -> None:
    session = a_session(sent_before=2, sent_after=0)
    for number in (0, 1):
        session.stream.arrive(number, 20 * S)
    enter_settled(session, lived=True)
    assert session.lane.worst_streams.all == []


def test_invalid_text_is_counted_each_time_and_told_once_a_connection() -> None:
    tallies, told = Tallies(0, 0, 0, 0, max_latencies_ns=[NEVER_NS], sends=True), []
    keeper = SimpleNamespace(noted=lambda session, kind, text: told.append((session.epoch, kind, text)))
    session: Any = SimpleNamespace(
        heard_tallies=tallies, lane=SimpleNamespace(keeper=keeper), epoch=0, invalid_text_epoch=-1
    )
    for session.epoch in (0, 0, 1):
        enter_invalid_text(session)
    assert tallies.connection.invalid_utf8 == 3
    assert [(epoch, kind) for epoch, kind, _ in told] == [(0, "invalid_utf8"), (1, "invalid_utf8")]
    assert "1007" in told[0][2]
