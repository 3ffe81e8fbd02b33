"""What a session enters off the straight path: what a late arrival means for others, and how what is missing ended.

Here a message costs some Python; what comes in order never gets here. The ledger says what happened to which numbers,
and this books it where each of them belongs: in the cell of its label and type. It decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from squall.record.streams import RANGES_MAX, StreamTrouble

if TYPE_CHECKING:
    from squall.delivery.ledger import Fate, Range
    from squall.engine.session import Session
    from squall.engine.tally import MessageTally

__all__ = ["enter_evicted", "enter_late", "enter_settled"]


def enter_late(session: Session, tally: MessageTally, sequence: int, type_index: int) -> None:
    """A first copy came behind a successor: was that one of its type, and who had to wait for it?"""
    stream = session.stream
    tally.reordered_by(stream.extent, stream.late_ns)
    tally.reordered_in_type += _was_overtaken_in_type(session, sequence, type_index)
    for number, longer_ns, first in stream.take_waits():
        waiting = _tally_of(session, number)
        waiting.order_waited += first
        waiting.order_wait_ns_sum += longer_ns
    for begin, end in stream.take_unmeasured():
        for number in range(begin, end):
            _tally_of(session, number).order_wait_unmeasured += 1


def _was_overtaken_in_type(session: Session, sequence: int, type_index: int) -> bool:
    """Whether a later message of the type has arrived: looked for from the highest number down, so it is found soon."""
    stream = session.stream
    return any(
        _type_of(session, number) == type_index and not stream.is_missing(number)
        for number in range(stream.expected - 1, sequence, -1)
    )


def enter_evicted(session: Session) -> None:
    """Missing numbers fell out of the ledger's window: they are unknown for good."""
    session.lane.keeper.tallies_now(session).connection.window_exceeded += 1
    _enter_outcomes(session, session.stream.take_evicted(), "")


def enter_settled(session: Session, *, lived: bool, fate: Fate | None = None) -> None:
    """A session owes nothing from now on: enter what is lost or unknown; `fate` is the ledger's."""
    stream = session.stream
    _enter_outcomes(session, stream.settle(lived, fate), "drained" if lived else "died")
    for begin, end, label, begins in stream.take_gaps():
        types = session.lane.keeper.tallies_labelled(label).types
        types[_type_of(session, begin)].gaps += begins
        for number in range(begin, end):
            types[_type_of(session, number)].messages_in_gaps += 1


def _enter_outcomes(session: Session, ranges: list[Range], why: str) -> None:
    lane, stream = session.lane, session.stream
    sent: list[int] = []
    for begin, end, label, unknown, acknowledged in ranges:
        session.silence_harmed |= end > session.silent_from
        types = lane.keeper.tallies_labelled(label).types
        for number in range(begin, end):
            tally = types[_type_of(session, number)]
            sent_ns = session.times.of(number, stream.next_sequence)
            if unknown:
                tally.unknown += 1
            else:
                tally.lost += 1
                tally.acknowledged_lost += acknowledged
            lane.sending_troubles.count(sent_ns, lost=not unknown, unknown=unknown)
            if sent_ns >= 0:
                sent.append(sent_ns)
    if ranges or (why and (stream.duplicated or stream.reordered)):
        lane.worst_streams.add(
            StreamTrouble(
                population=lane.population,
                stream=session.number,
                worker=lane.worker,
                lost=sum(each[1] - each[0] for each in ranges if not each[3]),
                unknown=sum(each[1] - each[0] for each in ranges if each[3]),
                duplicated=stream.duplicated,
                reordered=stream.reordered,
                lost_ranges=_rows(each for each in ranges if not each[3]),
                unknown_ranges=_rows(each for each in ranges if each[3]),
                first_sent_ns=min(sent, default=None),
                last_sent_ns=max(sent, default=None),
                why=why,
            )
        )


def _rows(ranges: Iterable[Range]) -> list[tuple[int, int]]:
    """Ranges of one kind by their first and last numbers, where they touch as one."""
    rows: list[tuple[int, int]] = []
    for begin, end, *_ in ranges:
        if rows and rows[-1][1] + 1 == begin:
            rows[-1] = (rows[-1][0], end - 1)
        else:
            rows.append((begin, end - 1))
    return rows[:RANGES_MAX]


def _type_of(session: Session, number: int) -> int:
    return int(session.lane.mix.type_of(session.number, number))


def _tally_of(session: Session, number: int) -> MessageTally:
    tallies = session.lane.keeper.tallies_labelled(session.stream.label_of(number))
    return tallies.types[_type_of(session, number)]
