"""What `room_session` offers, for type checkers: they cannot follow the Cython types of the hot path."""

from squall.delivery.fanout import Account, Member
from squall.engine.lane import Lane
from squall.engine.rooms import Room
from squall.engine.send_times import SendTimes
from squall.engine.talking import TalkingSession
from squall.protocols.opening import Script

class Pair(Account):
    times: SendTimes
    def __init__(self, publisher: int, member: int, window: int, orders: bool = ...) -> None: ...
    def forget_times(self) -> None: ...
    def sent_at(self, number: int) -> int: ...

class RoomSession(TalkingSession):
    room: Room
    member: Member
    def __init__(self, number: int, index: int, lane: Lane, script: Script | None, room: Room) -> None: ...
