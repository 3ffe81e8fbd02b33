"""Each bug does what its name says, exactly as often as it is asked to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from picows import WSMsgType

from squall.reference.behaviours import Echo
from squall.reference.bugs import BUGS, Bug, parse_bug, refusal_every, with_bugs
from squall.reference.counters import Tally

TEXT = WSMsgType.TEXT


class Transport:
    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_cut = False
        self.is_close_frame_sent = False
        self.underlying_transport = self

    def send(self, _opcode: WSMsgType, payload: memoryview) -> None:
        self.sent.append(bytes(payload).decode())

    def disconnect(self, graceful: bool = True) -> None:
        self.is_cut = not graceful

    def is_closing(self) -> bool:
        return self.is_cut


class Loop:
    """Keeps what is to be called later."""

    def __init__(self) -> None:
        self.later: list[tuple[float, Callable[[], None]]] = []

    def call_later(self, delay: float, call, *arguments) -> None:
        self.later.append((delay, lambda: call(*arguments)))


def answers(
    *texts: str, bugs: str, transport: Transport | None = None, loop: Loop | None = None
) -> list[str]:
    tally, peer = Tally(), transport or Transport()
    found = [parse_bug(each) for each in bugs.split()]
    behaviour = with_bugs(Echo(tally), found, loop or Loop())  # type: ignore[arg-type] # all of a loop that is used
    for text in texts:
        behaviour.on_message(peer, TEXT, memoryview(text.encode()))  # type: ignore[arg-type] # the same
    assert tally.messages_sent == len(peer.sent)
    return peer.sent


@pytest.mark.parametrize(
    ("bugs", "expected"),
    [
        ("", ["a", "b", "c", "d"]),
        ("swallows:2", ["a", "c"]),
        ("swallows:5", ["a", "b", "c", "d"]),
        ("duplicates:3", ["a", "b", "c", "c", "d"]),
        ("corrupts:4", ["a", "b", "c", "e"]),
        ("reorders:2", ["a", "c", "b", "d"]),
        ("reorders:4", ["a", "b", "c"]),
        ("swallows:2 duplicates:2", ["a", "c", "c"]),
        ("refuses:1", ["a", "b", "c", "d"]),
    ],
)
def test_a_bug_strikes_each_so_many_messages(bugs: str, expected: list[str]) -> None:
    assert answers("a", "b", "c", "d", bugs=bugs) == expected


def test_a_cut_is_no_close_handshake() -> None:
    transport = Transport()
    assert answers("a", "b", bugs="cuts:2", transport=transport) == ["a"]
    assert transport.is_cut


def test_a_delayed_answer_comes_later_unless_its_connection_is_gone() -> None:
    transport, loop = Transport(), Loop()
    assert answers("a", "b", "c", bugs="delays:2:0.25", transport=transport, loop=loop) == ["a", "c"]
    ((delay, call),) = loop.later
    assert delay == 0.25
    call()
    assert transport.sent == ["a", "c", "b"]
    transport.is_close_frame_sent = True
    call()
    assert len(transport.sent) == 3


def test_what_is_held_back_waits_for_its_own_connection_and_not_for_ever() -> None:
    one, other = Transport(), Transport()
    behaviour = with_bugs(Echo(Tally()), [Bug(name="reorders", every=1)], Loop())

    def say(transport: Transport, text: str) -> None:
        behaviour.on_message(transport, TEXT, memoryview(text.encode()))

    say(one, "a")
    say(other, "x")
    assert (one.sent, other.sent) == ([], ["x"])
    say(one, "b")
    assert one.sent == ["b", "a"]
    say(one, "c")
    one.is_cut = True
    say(other, "y")
    say(other, "z")
    assert other.sent == ["x", "z", "y"]


def test_an_empty_message_cannot_be_changed() -> None:
    assert answers("", bugs="corrupts:1") == [""]


def test_bugs_are_written_by_name_and_number() -> None:
    assert parse_bug("swallows:10") == Bug(name="swallows", every=10)
    assert parse_bug("delays:3:0.5") == Bug(name="delays", every=3, seconds=0.5)
    assert refusal_every([parse_bug("cuts:2"), parse_bug("refuses:7")]) == 7
    assert refusal_every([parse_bug("cuts:2")]) is None
    assert all(parse_bug(f"{name}:1").name == name for name in BUGS)


@pytest.mark.parametrize(
    "text",
    ["", "swallows", "swallows:", "swallows:0", "swallows:-1", "swallows:x", "swallow:1", "cuts:1:2"]
    + [f"delays:1:{each}" for each in ("x", "0", "-1", "inf", "nan")],
)
def test_what_is_no_bug_is_refused_with_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"bug|seconds|time"):
        parse_bug(text)
