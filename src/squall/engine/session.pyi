"""What `session` offers, for type checkers: they cannot follow the Cython types of the hot path."""

from picows import WSListener, WSTransport

from squall.delivery.ledger import Stream
from squall.engine.connector import Attempt
from squall.engine.lane import Lane
from squall.engine.send_times import SendTimes
from squall.engine.slow_frame import SlowFrame
from squall.engine.tally import Tallies

IDLE: int
OPEN: int
DRAINING: int
CLOSING: int
DOWN: int
GONE: int
OPENING: int

class Session(WSListener):
    number: int
    index: int
    lane: Lane
    stream: Stream
    state: int
    epoch: int
    invalid_text_epoch: int
    due_ns: int
    leave_ns: int
    upgraded_ns: int
    times: SendTimes
    started: bool
    scheduled: bool
    tallies: Tallies | None
    sent_tallies: Tallies | None
    heard_tallies: Tallies | None
    transport: WSTransport | None
    held: list[tuple[int, int]] | None
    not_sent: int
    paused: bool
    unsent: int
    down_by_tester: bool
    place: int
    attempts: int
    slot: int
    attempt: Attempt
    refusal: tuple[int, str] | None
    slow: SlowFrame | None
    afflicted: bool
    withholds_acks: bool
    cut_by_fault: bool
    silent_from: int
    silence_harmed: bool
    def __init__(self, number: int, index: int, lane: Lane) -> None: ...
    def connected(self, transport: WSTransport, tallies: Tallies) -> None: ...
    def may_send(self, now: int) -> None: ...
    def begin_traffic(self, now: int) -> None: ...
    def opening_late(self) -> None: ...
    def retune(self, lane: Lane, from_ns: int) -> None: ...
    def drain(self) -> None: ...
    def close(self, code: int) -> None: ...
    def owes_nothing(self) -> bool: ...
    def went_down(self) -> None: ...
    def give_up_held(self) -> None: ...
    def end(self, lived: bool) -> None: ...
    def come_again(self) -> None: ...
    def settle(self, lived: bool) -> None: ...
    def on_due(self, now: int) -> int: ...
    def ping(self) -> None: ...
    def recover(self) -> None: ...
    def send_piece(self) -> None: ...
    def clear_way(self) -> None: ...
