"""One direction of one connection: bytes come from its source, pass the faults that are on, and go to its sink.

The rule: while no fault is on, what comes is handed on as it came; only the headers of its frames are read, so
that faults of messages can begin between any two. Head of the upgrade, then frames: first the faults of
messages, then those of bytes. No byte is lost or made but by a fault, and each of those is in the log. What
waits is bounded: past that the source is not read.
"""

from __future__ import annotations

import asyncio
from copy import copy
from typing import TYPE_CHECKING, Final, Literal

from squall.proxy.frames import CONTINUATION, TEXT, FrameCursor, masked
from squall.proxy.message import Message
from squall.proxy.messages import Stage
from squall.proxy.shaping import Corruptor, Shaper
from squall.proxy.table import Placed
from squall.proxy.upgrade import HeadFinder
from squall.record.fault_log import Deed, FaultEntry
from squall.scenario.faults import Bandwidth, Blackhole, ByteLimit, CorruptBytes, Latency, Slice, SlowClose

if TYPE_CHECKING:
    from squall.proxy.connection import Connection, Side
    from squall.proxy.hub import Hub

__all__ = ["HELD_MAX", "Flow"]

HELD_MAX: Final = 256 << 10
"""Bytes that wait in one direction before its source is no longer read."""

HELD_SCARCE_MAX: Final = 16 << 10
"""The same while all connections together hold too much."""

_SLOWING: Final = (Latency, Bandwidth, Slice, Blackhole)
_STREAM_LOOKS: Final = 16
"""Reads of a connection's begin in which an envelope is looked for."""


class Flow:
    """One direction of a connection.

    Args:
        connection: whose it is.
        direction: up or down.
        hub: what all share.
    """

    __slots__ = (
        "_applied",
        "_busy",
        "_connection",
        "_corruptors",
        "_cursor",
        "_cut",
        "_eof",
        "_framing",
        "_head",
        "_hub",
        "_is_dead",
        "_is_ending",
        "_is_opaque",
        "_limits",
        "_looks",
        "_messages",
        "_shaper",
        "_sink_full",
        "_slow_close",
        "_stage",
        "_timer",
        "_timer_ns",
        "_version",
        "direction",
        "is_finished",
        "sink",
        "source",
    )

    def __init__(self, connection: Connection, direction: Literal["up", "down"], hub: Hub) -> None:
        self.source: Side
        self.sink: Side
        self.direction: Final = direction
        self.is_finished = False
        """All that came has been handed on, and nothing more will."""
        self._connection = connection
        self._hub = hub
        self._head: HeadFinder | None = HeadFinder()
        self._cursor = FrameCursor()
        self._stage: Stage | None = None
        self._framing = False
        """What comes is cut into frames."""
        self._is_opaque = False
        """It is no WebSocket, or its frames cannot be told apart."""
        self._shaper: Shaper | None = None
        self._messages: tuple[Placed, ...] = ()
        self._applied: tuple[Placed, ...] = ()
        self._corruptors: list[Corruptor] = []
        self._limits: dict[Placed, int] = {}
        self._slow_close: Placed | None = None
        self._version = -1
        self._busy = False
        """What comes does not simply pass."""
        self._sink_full = False
        self._eof = False
        self._cut: Placed | None = None
        self._is_dead = False
        self._is_ending = False
        self._timer: asyncio.TimerHandle | None = None
        self._timer_ns = 0
        self._looks = _STREAM_LOOKS if direction == "up" else 0

    # --- what comes ---

    def feed(self, data: bytes) -> None:
        """Bytes from the source."""
        if self._is_dead:
            return
        if self._hub.table.version != self._version:
            self.settle()
        if self._head is not None:
            data = self._take_head(self._head, data)
            if not data:
                return
        if self._looks:
            self._look(data)
        if not self._busy:
            self._cursor.skip(data)
            self.sink.write(data)
            return
        now_ns = self._hub.now_ns()
        before = copy(self._cursor) if self._corruptors else None
        chunks = self._framed(data, now_ns)
        if self._cut is None:
            if before is not None:
                chunks = self._damaged(chunks, before, now_ns)
            self._send(chunks, now_ns)

    def eof(self) -> None:
        """The source sends nothing more."""
        if self._eof:
            return
        self._eof = True
        if self._is_dead:
            self._finish()
            return
        now_ns = self._hub.now_ns()
        out: list[bytes] = []
        if self._framing and self._stage is not None:
            out = self._stage.flush(now_ns)
            self._stop_framing(out)
        self._send(out, now_ns)
        self._pump(now_ns)

    def sink_is_full(self, is_full: bool) -> None:
        """The sink cannot take more now, or can again."""
        self._sink_full = is_full
        self.source.pause("sink", is_full)
        if not is_full and self._shaper is not None:
            self._pump(self._hub.now_ns())

    def die(self) -> None:
        """There is no sink any more: what is held, and what still comes, goes nowhere."""
        if self._is_dead:
            return
        self._is_dead = True
        if self._stage is not None:
            self._stage.discard(self._hub.now_ns())
        if self._shaper is not None:
            self._hub.room.note(-self._shaper.held)
            self._shaper.clear()
        if self._timer is not None:
            self._timer.cancel()
        self.source.pause("sink", False)
        self.source.pause("held", False)
        if self._eof:
            self._finish()

    def cut(self, placed: Placed) -> None:
        """End this direction: what comes from now on is discarded."""
        if self._cut is not None or self._eof or self._is_dead:
            return
        now_ns = self._hub.now_ns()
        placed.struck += 1
        self._tell(placed, "half_closed", now_ns, None, None, "")
        if self._stage is None:
            self._stage = self._new_stage()
        elif self._framing:
            self._send(self._stage.flush(now_ns), now_ns)
        self._cut = placed
        self._stage.close_by(placed)
        self._busy = True
        self._pump(now_ns)

    # --- the upgrade ---

    def _take_head(self, head: HeadFinder, data: bytes) -> bytes:
        """Hand on what belongs to the head; the rest, if it ends here."""
        at = head.feed(data)
        now_ns = self._hub.now_ns()
        if at < 0:
            self._send([data], now_ns)
            if head.is_endless:
                self._connection.is_no_websocket()
            return b""
        self._send([data[:at]], now_ns)
        status = head.status
        if self.direction == "down" and status is not None and 100 <= status < 200 and status != 101:
            self._head = HeadFinder()  # an interim answer: the real one follows
            return self._take_head(self._head, data[at:]) if data[at:] else b""
        self._head = None
        if self.direction == "down":
            if status == 101:
                self._connection.is_upgraded()
            else:
                self._connection.is_no_websocket()
        return data[at:]

    def be_opaque(self) -> None:
        """From here on there are no frames to be found."""
        now_ns = self._hub.now_ns()
        self._head = None
        self._is_opaque = self._busy = True
        if self._framing and self._stage is not None:
            out = self._stage.flush(now_ns)
            self._stop_framing(out)
            self._send(out, now_ns)

    def _look(self, data: bytes) -> None:
        """Find out whose connection it is, by the first envelope on it."""
        self._looks -= 1
        for piece in FrameCursor().walk(data) if self._cursor.at_boundary else ():
            frame = piece.frame
            if piece.ends and not frame.is_control and frame.opcode != CONTINUATION:
                payload = masked(piece.data[len(frame.head) :], frame.mask)
                label = self._hub.envelopes.read(payload, frame.opcode == TEXT)
                if label is not None:
                    self._connection.stream, self._looks = label.stream, 0
                    return

    # --- frames ---

    def _framed(self, data: bytes, now_ns: int) -> list[bytes]:
        """What goes on of `data` by the faults of messages."""
        if self._is_opaque or self._cursor.is_lost:
            return [data]
        stage, faults = self._stage, self._messages
        out: list[bytes] = []
        if not self._framing:
            if stage is None or (not faults and stage.is_idle):
                self._cursor.skip(data)
                return [data]
            at = self._cursor.skip(data, to_boundary=True)
            out = [] if self._cut is not None else [data[:at]]
            if not self._cursor.at_boundary:
                return out
            data = data[at:]
            self._framing = True
            stage.begin()
        if stage is not None:
            out += stage.feed(data, now_ns, faults)
            if not faults and stage.is_idle:
                self._stop_framing(out)
        return out

    def _stop_framing(self, out: list[bytes]) -> None:
        """What comes need not be cut into frames any more."""
        self._framing = False
        if self._cursor.carried and self._cut is None:
            out.append(self._cursor.carried)
        self._note_busy()

    def _damaged(self, chunks: list[bytes], cursor: FrameCursor, now_ns: int) -> list[bytes]:
        """The chunks with the bits flipped that are to be; `cursor` is where it was before them."""
        damaged = []
        for chunk in chunks:
            changed, passed = bytearray(chunk), 0
            places = [(at, each) for each in self._corruptors for at in each.places(len(chunk))]
            for at, corruptor in sorted(places, key=lambda place: place[0]):
                cursor.skip(chunk[passed : at + 1])
                passed = at + 1
                changed[at] = corruptor.flip(changed[at])
                self._tell(corruptor.placed, "corrupted", now_ns, cursor.frames, None, "a byte of the stream")
            cursor.skip(chunk[passed:])
            damaged.append(bytes(changed))
        return damaged

    # --- bytes ---

    def _send(self, chunks: list[bytes], now_ns: int) -> None:
        """Hand on, at once or when it is time."""
        shaper = self._shaper
        if shaper is None or not shaper.is_on:
            for chunk in chunks:
                self._write(chunk)
            if self._framing:
                self._arm(now_ns)
            return
        for chunk in chunks:
            shaper.push(chunk, now_ns)
            self._hub.room.note(len(chunk))
        self._pump(now_ns)

    def _pump(self, now_ns: int) -> None:
        """Hand on what is due, and see to what is left."""
        shaper = self._shaper
        if shaper is not None:
            if not self._sink_full:
                for piece in shaper.pop(now_ns):
                    self._hub.room.note(-len(piece))
                    self._write(piece)
            if self._is_dead:
                return
            most = HELD_SCARCE_MAX if self._hub.room.is_scarce else HELD_MAX
            self.source.pause("held", shaper.held > most)
            self._note_busy()
        if (self._eof or self._cut is not None) and not (shaper is not None and shaper.held):
            self._end()
        self._arm(now_ns)

    def _write(self, data: bytes) -> None:
        if self._is_dead or self.is_finished or not data:
            return
        reached: Placed | None = None
        for placed, left in self._limits.items():
            if len(data) >= left:
                data, reached = data[:left], placed
        for placed in self._limits:
            self._limits[placed] -= len(data)
        self.sink.write(data)
        if reached is not None:
            self._tell(reached, "limited", self._hub.now_ns(), None, None, "")
            self._connection.close()

    def _arm(self, now_ns: int) -> None:
        """Have the next thing that is due noticed."""
        dues = [self._shaper.next_due_ns if self._shaper is not None and not self._sink_full else None]
        if self._framing and self._stage is not None:
            dues.append(self._stage.next_due_ns)
        due_ns = min((each for each in dues if each is not None), default=None)
        if self._timer is not None:
            if due_ns is not None and self._timer_ns <= due_ns:
                return  # it comes early enough, and looks again
            self._timer.cancel()
            self._timer = None
        if due_ns is not None:
            self._timer_ns = due_ns
            self._timer = self._hub.loop.call_later(max(0, due_ns - now_ns) / 1e9, self._on_time)

    def _on_time(self) -> None:
        self._timer = None
        now_ns = self._hub.now_ns()
        self._release(now_ns)
        self._pump(now_ns)

    def _release(self, now_ns: int) -> None:
        """Let go what messages are to be held no longer."""
        if self._framing and self._stage is not None:
            out = self._stage.due(now_ns)
            if not self._messages and self._stage.is_idle:
                self._stop_framing(out)
            self._send(out, now_ns)

    # --- the end ---

    def _end(self) -> None:
        """All that came has been handed on: so is the end, at once or later."""
        if self._is_ending:
            return
        self._is_ending = True
        placed = self._slow_close
        if placed is None or not isinstance(placed.fault, SlowClose):
            self._finish()
        else:
            self._hub.loop.call_later(placed.fault.delay, self._end_slowly, placed)

    def _end_slowly(self, placed: Placed) -> None:
        if not self.is_finished:
            self._tell(placed, "close_delayed", self._hub.now_ns(), None, None, "")
            self._finish()

    def _finish(self) -> None:
        if not self.is_finished:
            self.is_finished = True
            self._connection.flow_finished(self)

    # --- which faults ---

    def settle(self) -> None:
        """Go by the faults that are on now."""
        table, now_ns = self._hub.table, self._hub.now_ns()
        self._version = table.version
        if self._is_dead:
            return
        self._messages = table.of_messages[self.direction]
        hit = tuple(
            each
            for each in table.of_connections[self.direction]
            if each.strikes(self._connection.number, 0) and not _ends_connections(each)
        )
        if hit != self._applied:
            self._apply(hit, now_ns)
        if self._messages and self._stage is None:
            self._stage = self._new_stage()
        self._note_busy()
        self._release(now_ns)
        if self._shaper is not None or self._framing:
            self._pump(now_ns)

    def _apply(self, hit: tuple[Placed, ...], now_ns: int) -> None:
        before, self._applied = self._applied, hit
        for each in before:
            if each not in hit:
                self._tell(each, "lifted", now_ns, None, None, "")
        for each in hit:
            if each not in before:
                each.struck += 1
                self._tell(each, "applied", now_ns, None, None, "")
        slowing = [each for each in hit if isinstance(each.fault, _SLOWING)]
        if slowing and self._shaper is None:
            self._shaper = Shaper(self._about)
        if self._shaper is not None:
            self._shaper.settle(slowing)
        known = {corruptor.placed: corruptor for corruptor in self._corruptors}
        self._corruptors = [
            known.get(each) or Corruptor(each, self._about)
            for each in hit
            if isinstance(each.fault, CorruptBytes)
        ]
        self._limits = {
            each: self._limits.get(each, each.fault.bytes)
            for each in hit
            if isinstance(each.fault, ByteLimit)
        }
        self._slow_close = next((each for each in hit if isinstance(each.fault, SlowClose)), None)

    def _note_busy(self) -> None:
        shaped = self._shaper is not None and self._shaper.is_on
        self._busy = bool(
            shaped
            or self._framing
            or self._messages
            or self._corruptors
            or self._limits
            or self._is_opaque
            or self._cut is not None
        )

    @property
    def _about(self) -> int:
        """What the draws of this direction of this connection are about."""
        return 2 * self._connection.number + (self.direction == "down")

    def _new_stage(self) -> Stage:
        return Stage(self._about, self.direction == "up", self._cursor, self._tell, self._hub.room)

    def _tell(
        self, placed: Placed, what: Deed, now_ns: int, frame: int | None, message: Message | None, note: str
    ) -> None:
        label = None
        if message is not None:
            label = self._hub.envelopes.read(message.payload(), message.is_text)
        self._hub.log.write(
            FaultEntry(
                at_ns=now_ns,
                connection=self._connection.number,
                direction=self.direction,
                frame=frame,
                fault=placed.name,
                what=what,
                stream=self._connection.stream if message is None else label and label.stream,
                sequence=label and label.sequence,
                attempt=label and label.attempt,
                is_ack=label and label.is_ack,
                epoch=label and label.epoch,
                size_bytes=None if message is None else message.size,
                note=note,
            )
        )


def _ends_connections(placed: Placed) -> bool:
    return placed.fault.ends_connections
