"""The ledger of a room, and cause and effect in it, against an account that remembers everything."""

from __future__ import annotations

from collections import Counter
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from both_forms import FORMS, module_in
from simulation.naive_room import NaiveRoom
from squall.delivery.causality import Waiting

MEMBERS = 3
_WHO = st.integers(0, MEMBERS - 1)
_PUBLISH = st.tuples(st.just("publish"), _WHO, st.integers(0, 2))
# Who reads, of whom, and how far behind that one's next number.
_READ = st.tuples(st.just("read"), _WHO, st.integers(0, MEMBERS * 6 - 1))
_MOVE = st.tuples(st.sampled_from(("join", "join", "leave", "breaks", "gives up", "ends")), _WHO, st.just(0))
ROOM_STEPS = st.lists(st.one_of(_PUBLISH, _PUBLISH, _READ, _READ, _READ, _MOVE), min_size=15, max_size=100)


class BothRooms:
    """squall's ledger of a room and the naive one, led through the same steps."""

    def __init__(self, fanout: ModuleType) -> None:
        self.room = fanout.Room(fanout.window_of(MEMBERS))
        self.naive = NaiveRoom()
        self.counts: Counter[tuple[str, int]] = Counter()
        self.causes: dict[tuple[int, int], tuple[int, int] | None] = {}
        self.last_read: dict[int, tuple[int, int]] = {}
        self.waiting: dict[int, Waiting[str]] = {number: Waiting() for number in range(MEMBERS)}
        self.pairs = self.violations = 0
        for number in range(MEMBERS):
            self.room.member(number)

    def take(self, step: tuple[str, int, int]) -> None:
        what, who, more = step
        if what == "publish":
            self.publish(who, more)
        elif what == "read":
            publisher = more % MEMBERS
            self.read(who, publisher, self.naive.sent[publisher] - 1 - more // MEMBERS)
        elif what == "join" and who not in self.naive.joined:
            self.naive.joined.add(who)
            for _, ranges in self.room.join(who):
                self.settled(ranges)
        elif what == "leave" and who in self.naive.joined:
            self.naive.joined.discard(who)
            self.room.leave(who)
        elif what == "breaks":
            self.naive.breaks(who)
            self.room.breaks(who)
        elif what in {"gives up", "ends"}:
            self.end(who, lived=what == "ends")

    def publish(self, who: int, label: int) -> None:
        if who in self.naive.joined:
            self.naive.publish(who, label)
            member = self.room.member(who)
            for account in member.owed:
                account.publish(label)
                self.counts["owed", label] += 1
            self.causes[who, member.stream.assign()] = self.last_read.get(who)

    def read(self, who: int, publisher: int, number: int) -> None:
        if who == publisher or number < 0:
            return
        cause = self.causes[publisher, number]
        expected = self.naive.arrive(publisher, number, who, cause)
        self.last_read[who] = (publisher, number)
        account = self.room.member(who).accounts_from.get(publisher)
        if account is None:
            assert expected == "not owed"
            return
        place = account.place_of(number)
        kind = ("first", "reordered", "duplicate", "foreign", "undecided", "not owed")[
            account.arrive(place, 0)
        ]
        assert kind == expected
        if kind == "duplicate":
            self.counts["duplicated", account.stream.label_of(place)] += 1
        if kind in {"first", "reordered"}:
            label = account.stream.label_of(place)
            self.counts["delivered", label] += 1
            self.counts["reordered", label] += kind == "reordered"
            self.counts["recovered", label] += account.is_recovered(place)
            self.judge(who, publisher, number, cause)

    def judge(self, who: int, publisher: int, number: int, cause: tuple[int, int] | None) -> None:
        late = len(self.waiting[who].take(publisher, number))
        self.pairs += late
        self.violations += late
        if cause is None or cause[0] == who:
            return
        account = self.room.member(who).accounts_from.get(cause[0])
        place = -1 if account is None else account.place_of(cause[1])
        if account is not None and account.has_come(place):
            self.pairs += 1
        elif place >= 0:
            self.waiting[who].add(*cause, "effect")

    def end(self, who: int, *, lived: bool) -> None:
        self.naive.settle(who, lived=lived)
        for account, both_lived in self.room.ends(who, lived=lived):
            self.settled(account.settle(both_lived))

    def settled(self, ranges: list[tuple[int, int, int, bool, bool]]) -> None:
        for first, end, label, unknown, _ in ranges:
            self.counts["unknown" if unknown else "lost", label] += end - first


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=300, deadline=None)
@given(ROOM_STEPS, st.booleans())
def test_a_rooms_ledger_counts_each_owed_pair_as_the_definitions_do(
    form: str, steps: list[tuple[str, int, int]], lived: bool
) -> None:
    rooms = BothRooms(module_in(form, "squall.delivery.fanout"))
    for number in range(MEMBERS):
        rooms.take(("join", number, 0))
    for step in steps:
        rooms.take(step)
    for number in range(MEMBERS):
        rooms.end(number, lived=lived)
    assert +rooms.counts == +rooms.naive.counts
    for label in range(3):
        outcomes = sum(rooms.counts[name, label] for name in ("delivered", "lost", "unknown"))
        assert rooms.counts["owed", label] == outcomes
    assert (rooms.pairs, rooms.violations) == rooms.naive.causality()
    assert all(rooms.room.member(number).awaited() == 0 for number in range(MEMBERS))
