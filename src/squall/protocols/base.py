"""What an exchange is to the engine: frames go in, events and frames come out. No socket, no clock.

A **talk** is one session's side of an exchange: it says its messages and reads what comes. The session numbers the
messages, keeps the account and the times; the talk says which message a frame answers, and whether rightly. The rule:
whatever comes, one event says what it was, and none raises but for a user's own code.

The exchange that carries squall's envelope (echo) has no talk: the hot path says and reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

__all__ = [
    "FOREIGN",
    "Acknowledged",
    "Answered",
    "Event",
    "Foreign",
    "Frame",
    "Pushed",
    "Seat",
    "Surroundings",
    "Talk",
    "Unexpected",
    "UnknownAck",
    "Wrong",
]


class Frame(NamedTuple):
    """A whole message that came; `at_ns` is the time of the run."""

    payload: bytes
    text: bool
    at_ns: int


class Answered(NamedTuple):
    """A good reply to the message with this number."""

    sequence: int


class Acknowledged(NamedTuple):
    """An acknowledgement of the message with this number; `attempt` is 0 where it names none."""

    sequence: int
    attempt: int


class UnknownAck(NamedTuple):
    """An acknowledgement of a message that was never sent."""


class Wrong(NamedTuple):
    """A reply to the message with this number, and not what it should say; `why` is a fixed word."""

    sequence: int
    why: str


class Unexpected(NamedTuple):
    """Nothing that was waited for; `why` is a fixed word, "" where there is nothing to say."""

    why: str


class Foreign(NamedTuple):
    """A message that the scenario declares to be none of ours."""


class Pushed(NamedTuple):
    """A message that came unasked, and what its sequence and time stamp say.

    `missing` and `gaps` are changes of what is missing now. `delay_ns` is None where no delay is known.
    """

    sequenced: bool = False
    missing: int = 0
    gaps: int = 0
    duplicated: bool = False
    reordered: bool = False
    delay_ns: int | None = None
    misfits: tuple[str, ...] = ()


Event = Answered | Acknowledged | UnknownAck | Wrong | Unexpected | Foreign | Pushed

FOREIGN = Foreign()


class Talk(Protocol):
    """One session's side of an exchange."""

    def begin(self) -> None:
        """A connection stands; the stream of a session that reconnects goes on."""
        ...

    def message(self, sequence: int, type_index: int, at_ns: int) -> str:
        """The text of the session's message with this number; asked only of an exchange that sends."""
        ...

    def read(self, frame: Frame) -> Event:
        """What a whole message is."""
        ...


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a population's exchange is told of its run. `check` is the user's function, where there is one."""

    run_number: int = 0
    started_wall_ns: int = 0
    types: tuple[str, ...] = ("message",)
    check: Callable[[Any, Mapping[str, Any]], object] | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """Who talks: the session's number in the run, its index in its population, and its row of the data (secret)."""

    session: int
    index: int
    row: Mapping[str, str]
