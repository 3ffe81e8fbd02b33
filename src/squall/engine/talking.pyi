"""What `talking` offers, for type checkers: they cannot follow the Cython types of the hot path."""

from squall.engine.lane import Lane
from squall.engine.session import Session
from squall.protocols.base import Talk
from squall.protocols.opening import Script

class TalkingSession(Session):
    talk: Talk | None
    script: Script | None
    def __init__(
        self, number: int, index: int, lane: Lane, talk: Talk | None, script: Script | None
    ) -> None: ...
    def opening_failed(self, why: str) -> None: ...
