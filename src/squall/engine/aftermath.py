"""What a session enters off the straight path: what a late arrival means for others, and how what is missing ended.

Here a message costs some Python; what comes in order never gets here. The ledger says what happened to which numbers,
and this books it where each of them belongs: in the cell of its label and type. It decides nothing.

A session that hears its own stream has one ledger, its stream. A member of a room has one for each publisher, the `pair`
of the two, which tells the same of the publisher's numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from squall.record.streams import RANGES_MAX, StreamTrouble

if TYPE_CHECKING:
    from squall.delivery.ledger import Fate, Range
    from squall.engine.room_session import Pair
    from squall.engine.session import Session
    from squall.engine.tally import MessageTally

__all__ = ["enter_evicted", "enter_invalid_text", "enter_late", "enter_outcomes", "enter_settled"]

_INVALID_TEXT = "text that is no UTF-8: RFC 6455 would have us close with 1007; kept, and judged as damage"


def enter_late(
    session: Session, tally: MessageTally, sequence: int, type_index: int, pair: Pair | None = None
) -> None:
    """A first copy came behind a successor: was that one of its type, and who had to wait for it?

    Of a pair, `sequence` is the publisher's number.
    """
    stream, ledger = (session.stream, session.stream) if pair is None else (pair.stream, pair)
    publisher = session.number if pair is None else pair.publisher
    type_of, labelled = session.lane.mix.type_of, session.lane.keeper.tallies_labelled

    def tally_of(number: int) -> MessageTally:
        return labelled(ledger.label_of(number)).types[int(type_of(publisher, number))]

    tally.reordered_by(stream.extent, stream.late_ns)
    # Looked for from the highest number down, one of its type is found soon.
    tally.reordered_in_type += any(
        type_of(publisher, number) == type_index for number in ledger.came_after(sequence)
    )
    for number, longer_ns, first in ledger.take_waits():
        waiting = tally_of(number)
        waiting.order_waited += first
        waiting.order_wait_ns_sum += longer_ns
    for begin, end in ledger.take_unmeasured():
        for number in range(begin, end):
            tally_of(number).order_wait_unmeasured += 1


def enter_invalid_text(session: Session) -> None:
    """A text message is no UTF-8. Each is counted; the first on a connection is told, with the code we do not send."""
    if session.heard_tallies is not None:  # there are some from the first connection on
        session.heard_tallies.connection.invalid_utf8 += 1
    if session.invalid_text_epoch != session.epoch:
        session.invalid_text_epoch = session.epoch
        session.lane.keeper.noted(session, "invalid_utf8", _INVALID_TEXT)


def enter_evicted(session: Session, pair: Pair | None = None) -> None:
    """Missing numbers fell out of the ledger's window: they are unknown for good."""
    session.lane.keeper.tallies_now(session).connection.window_exceeded += 1
    ledger = session.stream if pair is None else pair
    enter_outcomes(session, ledger.take_evicted(), "", pair)


def enter_settled(
    session: Session, *, lived: bool, fate: Fate | None = None, pair: Pair | None = None
) -> None:
    """A ledger owes nothing from now on: enter what is lost or unknown; `fate` is the ledger's."""
    ledger = session.stream if pair is None else pair
    publisher = session.number if pair is None else pair.publisher
    enter_outcomes(session, ledger.settle(lived, fate), "drained" if lived else "died", pair)
    for begin, end, label, begins in ledger.take_gaps():
        types = session.lane.keeper.tallies_labelled(label).types
        types[_type_of(session, publisher, begin)].gaps += begins
        for number in range(begin, end):
            types[_type_of(session, publisher, number)].messages_in_gaps += 1


def enter_outcomes(session: Session, ranges: list[Range], why: str, pair: Pair | None = None) -> None:
    """Enter numbers as lost or unknown. `why`: how the connection ended; "" where it goes on."""
    lane = session.lane
    stream = session.stream if pair is None else pair.stream
    publisher = session.number if pair is None else pair.publisher
    sent: list[int] = []
    for begin, end, label, unknown, acknowledged in ranges:
        session.silence_harmed |= pair is not None or end > session.silent_from
        types = lane.keeper.tallies_labelled(label).types
        for number in range(begin, end):
            tally = types[_type_of(session, publisher, number)]
            sent_ns = session.times.of(number, stream.next_sequence) if pair is None else pair.sent_at(number)
            if unknown:
                tally.unknown += 1
            else:
                tally.lost += 1
                tally.acknowledged_lost += acknowledged
            lane.sending_troubles.count(sent_ns, lost=not unknown, unknown=unknown)
            if sent_ns >= 0:
                sent.append(sent_ns)
    told_elsewhere = pair is not None and pair.member != session.number  # at the end of its reader
    if ranges or (why and not told_elsewhere and (stream.duplicated or stream.reordered)):
        lane.worst_streams.add(
            StreamTrouble(
                population=lane.population,
                stream=publisher,
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
                member=-1 if pair is None else pair.member,
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


def _type_of(session: Session, publisher: int, number: int) -> int:
    return int(session.lane.mix.type_of(publisher, number))
