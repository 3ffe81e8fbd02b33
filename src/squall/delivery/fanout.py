"""The ledger of a room: what each publisher owes to each other member, and what of it came.

**Definitions.** A message is *owed* to a member from the publish on, if both its publisher and that member were joined
then. A member is joined from the answer to its join until it begins to leave, or its connection is gone. What is
published while a join or a leave is pending is not owed: it is counted nowhere, and its arrival is `NOT_OWED`. Every
figure counts owed (message, member) pairs: each pair has the outcomes and events of `ledger`, in the account of its
publisher and its member. An account that breaks (one of the two connections died) goes on, and what was in flight
stays unknown unless a good copy comes later: also of a publisher that died for good, since the service may still hold a
copy. One whose member is gone, or whose publisher has left, is settled. *Recovered* is what comes on a later connection
of the member than it had at the publish.

**Places.** What one member is owed of a publisher's messages are runs of its numbers. An account gives them *places*,
0, 1, 2, …, without gaps, so that it is a `ledger.Stream` of places. As many runs are kept as are of use, at most
`RUNS_KEPT`: what is still missing of older ones is unknown for good.

**Memory.** A room of n members has at most n · (n − 1) accounts, each with a window of its own. `window_of` makes
those that lead to one member no larger in all than that of a single stream, but for the least one of 64.

Knows no sockets, clocks or types; labels are the publisher's, handed in at the publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cython

if cython.compiled:
    from cython.cimports.squall.delivery.ledger import Stream
else:
    from squall.delivery.ledger import Stream

from squall.delivery.ledger import WINDOW, Fate, GapPiece, Range, Wait

__all__ = ["NOT_OWED", "RUNS_KEPT", "WINDOW_MIN", "Account", "Member", "Room", "window_of"]

NOT_OWED = 5
"""What an arrival is that nobody waited for, beside the outcomes of `ledger`."""

RUNS_KEPT = 16
WINDOW_MIN = 64


def window_of(members: int) -> int:
    """The window of each account in a room of so many members."""
    return max(WINDOW_MIN, WINDOW // max(1, members - 1))


@cython.cclass
class Account:
    """What one publisher owes one member. `stream` counts in places; a number is one of the publisher's."""

    def __init__(self, publisher: int, member: int, window: int, orders: bool = True) -> None:
        self.publisher = publisher
        self.member = member
        self.stream = Stream(orders, window)
        self.first = 0
        self.base = 0
        self.earlier = None
        self.read_since = 0

    # --- what is owed ---

    def open(self, number: int) -> list[Range]:
        """From this number on messages are owed. What is given up for that, as unknown, in numbers."""
        places: cython.longlong = self.stream.next_sequence
        if self.first + places - self.base == number:
            return []
        given_up: list[Range] = []
        if places > self.base:
            if self.earlier is None:
                self.earlier = []
            self.earlier.append((self.first, self.base, places))
            if len(self.earlier) > RUNS_KEPT:
                given_up = self._in_numbers(self.stream.give_up_below(self.earlier[1][1]))
                del self.earlier[0]
        self.first, self.base = number, places
        return given_up

    @cython.ccall
    def publish(self, label: cython.int) -> cython.longlong:
        """One more message is owed, under this label; its place."""
        if label != self.stream.label:
            self.stream.begin_segment(label, self.stream.epoch)
        return self.stream.assign()

    def breaks(self, *, reader: bool) -> None:
        """The publisher's connection died, or the reader's: what was on its way is not waited for any more."""
        self.stream.begin_segment(self.stream.label, self.stream.epoch + 1)
        if reader:
            self.read_since = self.stream.epoch

    def settle(self, lived: bool, fate: Fate | None = None) -> list[Range]:
        """What is owed when one of the two has left, as ranges of numbers that each have one label."""
        return self._in_numbers(self.stream.settle(lived, fate))

    def take_evicted(self) -> list[Range]:
        """What fell out of the window since the last call, as unknown ranges of numbers."""
        return self._in_numbers(self.stream.take_evicted())

    def _in_numbers(self, ranges: list[Range]) -> list[Range]:
        """The same in numbers."""
        return [
            (*piece, label, unknown, acknowledged)
            for first, end, label, unknown, acknowledged in ranges
            for piece in self._numbers(first, end)
        ]

    def _numbers(self, first: int, end: int) -> list[tuple[int, int]]:
        """The numbers at the places from `first` to before `end`, as ranges."""
        pieces: list[tuple[int, int]] = []
        for number, base, stop in self._runs():
            low, high = max(first, base), min(end, stop)
            if low < high:
                pieces.append((number + low - base, number + high - base))
        return pieces

    def _runs(self) -> list[tuple[int, int, int]]:
        """(first number, its place, one past the last place) of each run that is kept, in order."""
        return [*(self.earlier or ()), (self.first, self.base, self.stream.next_sequence)]

    # --- what came ---

    @cython.ccall
    def place_of(self, number: cython.longlong) -> cython.longlong:
        """The place of a number; -1 where that message is not owed."""
        place: cython.longlong = self.base + number - self.first
        if number >= self.first:
            return place if place < self.stream.next_sequence else -1
        if self.earlier is not None:
            for first, base, end in self.earlier:
                if first <= number < first + end - base:
                    return base + number - first
        return -1

    @cython.ccall
    def arrive(self, place: cython.longlong, now_ns: cython.longlong) -> cython.int:
        """Enter a good copy: an outcome of `ledger`, or NOT_OWED for a place below 0."""
        if place < 0:
            return 5
        return self.stream.arrive(place, now_ns)

    @cython.ccall
    def is_recovered(self, place: cython.longlong) -> cython.bint:
        """Whether what comes now at a place was published before the reader's present connection."""
        return self.stream.epoch_of(place) < self.read_since

    # --- what the ledger tells, in numbers ---

    def label_of(self, number: int) -> int:
        """The label of a number that is owed."""
        return int(self.stream.label_of(self.place_of(number)))

    def came_after(self, number: int) -> Iterator[int]:
        """The later numbers that have arrived, from the highest down."""
        for place in self.stream.came_after(self.place_of(number)):
            yield self._number_of(place)

    def take_waits(self) -> list[Wait]:
        """By how much waits became longer since the last call."""
        return [
            (self._number_of(place), longer_ns, first) for place, longer_ns, first in self.stream.take_waits()
        ]

    def take_unmeasured(self) -> list[tuple[int, int]]:
        """Arrivals whose wait went on after their time was forgotten."""
        return [piece for places in self.stream.take_unmeasured() for piece in self._numbers(*places)]

    def take_gaps(self) -> list[GapPiece]:
        """The gaps found since the last call, cut where the label changes, or numbers were not owed."""
        pieces: list[GapPiece] = []
        for first, end, label, begins in self.stream.take_gaps():
            numbers = self._numbers(first, end)
            pieces += [(*piece, label, begins and piece is numbers[0]) for piece in numbers]
        return pieces

    def _number_of(self, place: int) -> int:
        """The number at a place; -1 where its run is forgotten."""
        return next((first for first, _ in self._numbers(place, place + 1)), -1)

    @cython.ccall
    def has_come(self, place: cython.longlong) -> cython.bint:
        """Whether a good copy has come; False where that is not known any more."""
        return place >= 0 and self.stream.has_come(place)


@cython.cclass
class Member:
    """One member: as a publisher its numbers, and to whom they go now; as a member what others owe it.

    `is_here` says that the plan has it in the room: from its first join on, also while its connection is down,
    until it begins to leave. `died` says that its connection was gone at its end.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.stream = Stream()
        self.joined = False
        self.is_here = False
        self.died = False
        self.owed: list[Account] = []
        self.accounts_to: dict[int, Account] = {}
        self.accounts_from: dict[int, Account] = {}

    @cython.ccall
    def awaited(self) -> cython.longlong:
        """How many owed pairs, from it and to it, can still come."""
        count: cython.longlong = 0
        account: Account
        for each in self.accounts_to.values():
            account = cython.cast(Account, each)
            count += account.stream.awaited()
        for each in self.accounts_from.values():
            account = cython.cast(Account, each)
            count += account.stream.awaited()
        return count


class Room:
    """Who is in a room, and all accounts between them.

    Args:
        window: that of each account, see `window_of`.
        account: makes the account of a publisher and a member.
    """

    def __init__(self, window: int, account: Callable[[int, int, int], Account] = Account) -> None:
        self.members: dict[int, Member] = {}
        self._window = window
        self._account = account

    def member(self, number: int) -> Member:
        """The member with this number, new here or not."""
        if number not in self.members:
            self.members[number] = Member(number)
        return self.members[number]

    def join(self, number: int) -> list[tuple[Account, list[Range]]]:
        """The answer to its join is here. What is given up for that, by account."""
        me = self.member(number)
        given_up: list[tuple[Account, list[Range]]] = []
        for other in self._others(me):
            given_up += [self._open(other, me), self._open(me, other)]
        me.joined = me.is_here = True
        me.died = False
        return [each for each in given_up if each[1]]

    def _open(self, publisher: Member, member: Member) -> tuple[Account, list[Range]]:
        account = publisher.accounts_to.get(member.number)
        if account is None:
            account = self._account(publisher.number, member.number, self._window)
            publisher.accounts_to[member.number] = member.accounts_from[publisher.number] = account
        publisher.owed.append(account)
        return account, account.open(publisher.stream.next_sequence)

    def leave(self, number: int) -> None:
        """It begins to leave: nothing more is owed to it, and what is owed to and by it may still come."""
        self._part(self.member(number))
        self.members[number].is_here = False

    def breaks(self, number: int) -> None:
        """Its connection is gone, and that was not planned."""
        me = self.member(number)
        self._part(me)
        for account in me.accounts_to.values():
            account.breaks(reader=False)
        for account in me.accounts_from.values():
            account.breaks(reader=True)

    def ends(self, number: int, *, lived: bool) -> list[tuple[Account, bool]]:
        """It has left, or died for good: the accounts that are to be settled, each with whether both sides lived.

        What one that died has published may still reach the others: that is settled at their end.
        """
        me = self.member(number)
        self._part(me)
        me.is_here, me.died = False, not lived
        if lived:
            done = [*me.accounts_to.values(), *me.accounts_from.values()]
            return [(each, not self.members[each.publisher].died) for each in done]
        for account in me.accounts_to.values():
            account.breaks(reader=False)
        return [(account, False) for account in me.accounts_from.values()]

    def here_besides(self, number: int) -> int:
        """How many others the plan has here."""
        return sum(each.is_here for each in self.members.values() if each.number != number)

    def _part(self, me: Member) -> None:
        if me.joined:
            me.joined = False
            me.owed.clear()
            for other in self._others(me):
                other.owed.remove(other.accounts_to[me.number])

    def _others(self, me: Member) -> list[Member]:
        """Who is joined besides."""
        return [each for each in self.members.values() if each.joined and each is not me]
