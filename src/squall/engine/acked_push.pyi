"""What `acked_push` offers, for type checkers: they cannot follow the Cython types of the hot path."""

from squall.engine.lane import Lane
from squall.engine.talking import TalkingSession
from squall.protocols.opening import Script

UNANSWERED_MAX: int

class AckedPushSession(TalkingSession):
    acknowledges: bool
    deduplicates: bool
    def __init__(
        self,
        number: int,
        index: int,
        lane: Lane,
        script: Script | None,
        *,
        acknowledges: bool,
        deduplicates: bool,
    ) -> None: ...
