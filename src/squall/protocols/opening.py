"""What goes before the traffic of a connection: a login, a subscription, step by step. Sans-I/O.

Each step sends a frame, waits for an answer, or does both. What comes meanwhile and is neither the answer nor a
refusal is not the opening's: it is read as it would be later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from squall.protocols.base import Frame, Seat, Surroundings
from squall.protocols.conditions import Check, checks_of, meets_all, meets_any
from squall.protocols.reading import Heard
from squall.protocols.template import Filled, filled_with
from squall.scenario.exchanges import OpeningStep

__all__ = ["Opening", "Script", "Turn"]

_NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Turn:
    """What to do next: say this, then wait so long for an answer, or it is over, or it has failed."""

    says: tuple[str, ...] = ()
    wait_s: float = 0.0
    is_over: bool = False
    failed: str = ""


@dataclass(frozen=True, slots=True)
class _Step:
    send: Filled | None
    expect: tuple[Check, ...]
    refuse: tuple[Check, ...]
    timeout_s: float


class Script:
    """The opening of one session, made anew for each of its connections."""

    def __init__(self, steps: Sequence[OpeningStep], seat: Seat, around: Surroundings) -> None:
        self._steps = tuple(
            _Step(
                None if step.send is None else filled_with(step.send, seat.row),
                checks_of(step.expect, seat.row),
                checks_of(step.refuse, seat.row),
                step.timeout,
            )
            for step in steps
        )
        self._session = seat.session
        self._started_wall_ns = around.started_wall_ns

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, place: int) -> _Step:
        return self._steps[place]

    def text(self, filled: Filled, at_ns: int) -> str:
        """A frame that is sent at a time of the run."""
        now_ms = (self._started_wall_ns + at_ns) // _NS_PER_MS
        return filled.text({"session": self._session, "now_ms": now_ms})


class Opening:
    """The opening of one connection."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._place = 0

    def begin(self, at_ns: int) -> Turn:
        """The connection stands."""
        said: list[str] = []
        while self._place < len(self._script):
            step = self._script[self._place]
            if step.send is not None:
                said.append(self._script.text(step.send, at_ns))
            if step.expect:
                return Turn(tuple(said), wait_s=step.timeout_s)
            self._place += 1
        return Turn(tuple(said), is_over=True)

    def read(self, frame: Frame) -> Turn | None:
        """What a message means for the opening; None: nothing."""
        step, heard = self._script[self._place], Heard(frame)
        if meets_any(heard, step.refuse):
            return Turn(failed=self._named("refused"))
        if not meets_all(heard, step.expect):
            return None
        self._place += 1
        return self.begin(frame.at_ns)

    def late(self) -> str:
        """The word for an answer that did not come in time."""
        return self._named("timeout")

    def _named(self, word: str) -> str:
        return word if len(self._script) == 1 else f"{word}_at_step_{self._place + 1}"
