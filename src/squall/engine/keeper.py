"""Who keeps the sessions of a process: the port through which a session asks and tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from picows import WSTransport

    from squall.engine.session import Session
    from squall.engine.tally import Tallies

__all__ = ["Keeper"]


class Keeper(Protocol):
    """Asked for tallies, told of what a session cannot decide alone. Times are nanoseconds of the run."""

    def tallies_at(self, session: Session, intended_ns: int) -> Tallies:
        """The tallies of the phase in which a time lies, for the session's population and place."""
        ...

    def tallies_now(self, session: Session) -> Tallies:
        """The tallies of the present phase."""
        ...

    def tallies_labelled(self, label: int) -> Tallies:
        """The tallies under a label that a ledger has kept."""
        ...

    def upgraded(self, session: Session, transport: WSTransport) -> None:
        """The upgrade was accepted."""
        ...

    def ready(self, session: Session) -> None:
        """The session may send for the first time: from now on it is asked what is due."""
        ...

    def due_sooner(self, session: Session) -> None:
        """The session has something to do before it was to be asked."""
        ...

    def awaits(self, session: Session, timeout_s: float) -> None:
        """A session that is opening waits for an answer, at most so long."""
        ...

    def opened(self, session: Session) -> None:
        """What goes before the traffic of this connection is done."""
        ...

    def drained(self, session: Session) -> None:
        """A draining session owes nothing any more."""
        ...

    def noted(self, session: Session, kind: str, text: str) -> None:
        """Something is worth a line in the record."""
        ...

    def refused(self, session: Session, code: int, why: str) -> None:
        """The peer broke the protocol and the session is about to fail the connection with a code."""
        ...

    def close_answered(self, session: Session) -> None:
        """The peer has answered our close frame."""
        ...

    def disconnected(self, session: Session, transport: WSTransport) -> None:
        """The connection is over."""
        ...

    def failed(self, error: BaseException) -> None:
        """Something in squall itself raised where an exception would be swallowed."""
        ...
