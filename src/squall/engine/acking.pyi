"""What `acking` offers, for type checkers: they cannot follow the Cython types of the hot path."""

from squall.delivery.acks import AckWindow, Retries
from squall.engine.lane import Lane
from squall.engine.talking import TalkingSession
from squall.protocols.base import Talk
from squall.protocols.opening import Script

class AckTerms:
    retries: Retries
    room: int
    by_receiver: bool
    recognised: bool
    def __init__(self, retries: Retries, room: int, *, by_receiver: bool) -> None: ...
    def stranger(self, why: str) -> None: ...
    def complaint(self) -> str: ...

class AckingSession(TalkingSession):
    terms: AckTerms
    window: AckWindow
    schedule_ns: int
    def __init__(
        self,
        number: int,
        index: int,
        lane: Lane,
        talk: Talk | None,
        script: Script | None,
        terms: AckTerms,
    ) -> None: ...
