"""The production session on a simulated network: no sockets, no clock, thousands of cases.

Run by `test_simulated_network.py` with the sources of the hot path, where a session takes a fake transport. The network
keeps a log of what it did to which message; from that log alone, naively, come the figures that the session must show.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from picows import WSMsgType

from oracle.envelope import build, parse
from oracle.mini_websocket import BINARY
from squall.delivery.envelope import Codec
from squall.engine import connection as connection_module
from squall.engine import session as session_module
from squall.engine.backlog import Backlog
from squall.engine.check_windows import CheckWindows
from squall.engine.lane import Lane
from squall.engine.session import Session
from squall.engine.tally import NEVER_NS, Tallies
from squall.profiles.mix import MessageMix
from squall.profiles.schedule import UniformArrivals

PERIOD_NS = 10_000_000
SESSIONS = 2
SIZE = 80


@dataclass
class Clock:
    """The time that sessions read."""

    now: int = 0


@dataclass
class Transport:
    """Takes what a session sends."""

    sent: list[bytes] = field(default_factory=list)
    is_close_frame_sent: bool = False

    def send(self, _: WSMsgType, message: bytes) -> None:
        self.sent.append(message)

    def send_close(self, _: int) -> None:
        self.is_close_frame_sent = True


@dataclass
class Frame:
    """A whole message as picows hands it over."""

    payload: bytes
    msg_type: WSMsgType = WSMsgType.BINARY
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    @property
    def payload_size(self) -> int:
        return len(self.payload)

    def get_payload_as_bytes(self) -> bytes:
        return self.payload


class Keeper:
    """One phase, one place."""

    def __init__(self) -> None:
        self.tallies = Tallies(0, 0, 0, 0, max_latencies_ns=[NEVER_NS, NEVER_NS], sends=True)
        self.errors: list[BaseException] = []

    def tallies_at(self, *_: object) -> Tallies:
        return self.tallies

    tallies_now = tallies_labelled = tallies_at

    def ready(self, _: Session) -> None:
        """It is asked what is due by the simulation."""

    def drained(self, _: Session) -> None:
        """It is closed by the simulation."""

    def failed(self, error: BaseException) -> None:
        self.errors.append(error)


@dataclass(frozen=True)
class Copy:
    """One frame on its way: what it was made of, and what was done to it."""

    owner: int
    number: int
    payload: bytes
    damage: str = ""
    at_ns: int = 0


FATES = ("echo",) * 6 + ("lose", "double", "hold", "flip", "cut", "cross", "garbage")
fates = st.lists(
    st.tuples(st.sampled_from(FATES), st.integers(0, SIZE * 8 - 1), st.integers(1, 6)),
    min_size=1,
    max_size=60,
)


EVENTS = (
    "delivered",
    "duplicated",
    "reordered",
    "reordered_in_type",
    "corrupted_header",
    "corrupted_body",
    "unexpected",
    "order_waited",
    "order_wait_ns_sum",
    "timestamps_judged",
    "timestamps_wrong",
)


def expected_of(owner: int, arrived: list[Copy], types: list[int], times: dict[int, int]) -> dict[str, int]:
    """What the log says: lists and sets, nothing else. `times` are when each message was due."""
    found = dict.fromkeys(EVENTS, 0)
    seen: dict[int, int] = {}
    for copy in arrived:
        if copy.damage in {"header", "body"}:
            found[f"corrupted_{copy.damage}"] += 1
        elif copy.damage or copy.owner != owner:
            found["unexpected"] += 1
        elif copy.number in seen:
            found["duplicated"] += 1
        else:
            before = [number for number in seen if number > copy.number]
            found["delivered"] += 1
            found["reordered"] += bool(before)
            found["reordered_in_type"] += types[copy.number] in {types[number] for number in before}
            found["timestamps_wrong"] += any(times[number] > times[copy.number] for number in seen)
            seen[copy.number] = copy.at_ns
    waits = waits_of(list(seen.items()))
    found |= {"order_waited": len(waits), "order_wait_ns_sum": sum(waits), "timestamps_judged": len(seen)}
    return found | {"intended": len(types), "owed": len(types) - len(seen)}


def waits_of(arrivals: list[tuple[int, int]]) -> list[int]:
    """How long an in-order receiver would have held back each arrival that came before a predecessor."""
    return [
        max(later) - at_ns
        for place, (number, at_ns) in enumerate(arrivals)
        if (later := [other_ns for other, other_ns in arrivals[place:] if other < number])
    ]


def gaps_of(owner: int, arrived: list[Copy]) -> list[int]:
    """How long the runs of messages are that never came whole, and had one behind them that did."""
    came = sorted({copy.number for copy in arrived if copy.owner == owner and not copy.damage})
    return [after - before - 1 for before, after in pairwise([-1, *came]) if after - before > 1]


def flipped(payload: bytes, bit: int) -> bytes:
    changed = bytearray(payload)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


class Network:
    """Does to each message what the case says, and remembers it."""

    def __init__(self, plan: list[tuple[str, int, int]]) -> None:
        self.plan = plan
        self.used = 0
        self.arrived: list[list[Copy]] = [[] for _ in range(SESSIONS)]
        self.held: list[tuple[int, int, Copy]] = []  # (deliveries to let pass, receiver, copy)

    def carry(self, owner: int, number: int, payload: bytes) -> list[tuple[int, Copy]]:
        """The copies that arrive now, each with its receiver."""
        fate, bit, wait = self.plan[self.used % len(self.plan)]
        self.used += 1
        whole = Copy(owner, number, payload)
        where = "header" if bit // 8 < 48 else "body"
        now: dict[str, list[tuple[int, Copy]]] = {
            "echo": [(owner, whole)],
            "lose": [],
            "double": [(owner, whole), (owner, whole)],
            "hold": [],
            "flip": [(owner, Copy(owner, number, flipped(payload, bit), where))],
            "cut": [(owner, Copy(owner, number, payload[:-1], "body"))],
            "cross": [((owner + 1) % SESSIONS, whole)],
            "garbage": [(owner, whole), (owner, Copy(owner, number, b"\0" * 60, "garbage"))],
        }
        self.held = [(left - 1, to, copy) for left, to, copy in self.held]
        due = [(to, copy) for left, to, copy in self.held if left <= 0]
        self.held = [each for each in self.held if each[0] > 0]
        if fate == "hold":
            self.held.append((wait, owner, whole))
        return now[fate] + due

    def rest(self) -> list[tuple[int, Copy]]:
        """What was held back at the end of it all."""
        return [(to, copy) for _, to, copy in self.held]


def lane_of(
    keeper: Any, types: tuple[float, ...], *, arrivals: Any = None, messages: int = 0, **pattern: Any
) -> Lane:
    arrivals = arrivals or UniformArrivals(PERIOD_NS, 5)
    return Lane(
        population=0,
        codec=Codec(77, False, (SIZE,), 5),
        mix=MessageMix(types, (1.0,), messages, 5),
        arrivals=arrivals,
        period_ns=arrivals.step_ns,
        keeper=keeper,
        checks=CheckWindows(NEVER_NS),
        backlog=Backlog(1 << 30),
        enveloped=True,
        silent=False,
        ignore_foreign=False,
        send_buffer_max=1 << 20,
        send_buffer_age_max_ns=NEVER_NS,
        blocked_max=10,
        receive_message_max=1 << 20,
        **pattern,
    )


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=fates, messages=st.integers(1, 40), lived=st.booleans(), two_types=st.booleans())
def test_figures_are_those_of_the_networks_log(
    monkeypatch: pytest.MonkeyPatch,
    plan: list[tuple[str, int, int]],
    messages: int,
    lived: bool,
    two_types: bool,
) -> None:
    clock = Clock()
    for module in (session_module, connection_module):
        monkeypatch.setattr(module, "now_ns", lambda: clock.now)
    keepers = [Keeper() for _ in range(SESSIONS)]
    sessions, transports = [], [Transport() for _ in range(SESSIONS)]
    for number, keeper in enumerate(keepers):
        session = Session(number, number, lane_of(keeper, (2.0, 1.0) if two_types else (1.0,)))
        session.connected(transports[number], keeper.tallies)
        sessions.append(session)
    network = Network(plan)
    times: list[dict[int, int]] = [{} for _ in range(SESSIONS)]

    def deliver(copies: list[tuple[int, Copy]]) -> None:
        for receiver, copy in copies:
            network.arrived[receiver].append(replace(copy, at_ns=clock.now))
            sessions[receiver].on_ws_frame(transports[receiver], Frame(copy.payload))

    for step in range(messages):
        clock.now = (step + 1) * PERIOD_NS
        for owner, session in enumerate(sessions):
            session.on_due(clock.now)
            for payload in transports[owner].sent:
                times[owner][session.stream.next_sequence - 1] = int.from_bytes(payload[25:32], "little")
                clock.now += 1000
                deliver(network.carry(owner, session.stream.next_sequence - 1, payload))
            transports[owner].sent.clear()
    deliver(network.rest())

    for owner, (session, keeper) in enumerate(zip(sessions, keepers, strict=True)):
        assert not keeper.errors
        session.drain()
        session.settle(lived)
        tallies = keeper.tallies
        sent = session.stream.next_sequence
        types = [session.lane.mix.type_of(owner, number) for number in range(sent)]
        expected = expected_of(owner, network.arrived[owner], types, times[owner])
        gaps = gaps_of(owner, network.arrived[owner]) if lived else []
        expected |= {"gaps": len(gaps), "messages_in_gaps": sum(gaps)}
        names = {*expected, "lost", "unknown"} - {"owed", "corrupted_header", "unexpected"}
        summed = {name: sum(getattr(tally, name) for tally in tallies.types) for name in names}
        summed["corrupted_header"] = tallies.connection.corrupted_header
        summed["unexpected"] = tallies.connection.unexpected
        owed = expected.pop("owed")
        assert summed == expected | {"lost": owed if lived else 0, "unknown": 0 if lived else owed}
        assert sum(tally.response.count for tally in tallies.types) == summed["delivered"]
        assert sum(tally.lag.count for tally in tallies.types) == summed["intended"]
        assert messages - 1 <= summed["intended"] <= messages + 1


def test_a_copy_under_the_type_of_another_message_is_none_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, keeper, transport = Clock(), Keeper(), Transport()
    for module in (session_module, connection_module):
        monkeypatch.setattr(module, "now_ns", lambda: clock.now)
    session = Session(0, 0, lane_of(keeper, (2.0, 1.0)))
    session.connected(transport, keeper.tallies)
    clock.now = PERIOD_NS
    session.on_due(clock.now)
    sent = parse(BINARY, transport.sent[0])
    assert sent is not None
    for kind in (1 - sent.type, sent.type):
        copy = build(
            run=sent.run, stream=0, sequence=sent.sequence, message_type=kind, attempt=sent.attempt,
            intended_ns=sent.intended_ns, body=bytes(SIZE - 48),
        )  # fmt: skip
        session.on_ws_frame(transport, Frame(copy))
    assert keeper.tallies.connection.unexpected == 1
    assert [tally.delivered for tally in keeper.tallies.types] == [
        int(kind == sent.type) for kind in range(2)
    ]
