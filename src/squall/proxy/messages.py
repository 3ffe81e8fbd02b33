"""Faults of messages in one direction of one connection: frames in, frames out, by the faults that are on.

Whether a message is struck is drawn when its first header comes. One that is not passes as it comes, piece by
piece; one that is, is collected until it is whole (control frames between its frames pass), and the fault has
all of it. What is held goes on between two messages, never within one; when its fault ends it goes on at once,
as it does before a close frame and at the end of the stream. Nothing here reads a clock or a socket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from squall.proxy.damage import corrupted, truncated
from squall.proxy.frames import CLOSE, PING, Frame, FrameCursor, Piece, encode_frame
from squall.proxy.message import Message
from squall.proxy.table import Placed
from squall.record.fault_log import Deed
from squall.scenario.faults import CloseFrame, Corrupt, Delay, Drop, Duplicate, Reorder, Truncate
from squall.seeds import word_draw

__all__ = ["HELD_BYTES_MAX", "MESSAGE_BYTES_MAX", "Scribe", "Stage"]

MESSAGE_BYTES_MAX: Final = 16 << 20
"""A larger message is not struck, but by what throws it away."""

HELD_BYTES_MAX: Final = 4 << 20
"""What one direction of one connection holds back at most; while it does, no other message is."""

_CLOSE_FRAME: Final = 0x80 | CLOSE


Scribe = Callable[[Placed, Deed, int, int | None, Message | None, str], None]
"""Writes down what was done by which fault, when, to which frame, to which whole message, and a note."""


@dataclass(slots=True)
class _Held:
    message: Message
    raw: bytes
    due_ns: int
    to_overtake: int
    """Messages that are still to overtake it; 0: it waits for its time alone."""
    is_overtaken: bool = False


class Stage:
    """The faults of messages in one direction.

    Args:
        about: what the draws are about: a number of this connection and direction alone.
        is_masked: the frames go to the service, and must be masked.
        cursor: that of the stream; it is walked on here.
        tell: the log.
        room: asked for so many bytes before they are kept; told of those that are free again (negative).
    """

    def __init__(
        self, about: int, is_masked: bool, cursor: FrameCursor, tell: Scribe, room: Callable[[int], bool]
    ) -> None:
        self._about = about
        self._is_masked = is_masked
        self._cursor = cursor
        self._tell = tell
        self._room = room
        self._collected: Message | None = None
        self._held: list[_Held] = []
        self._held_bytes = 0
        self._closed_by: Placed | None = None
        self._pings = 0
        self._swallows = False
        """The ping that comes is thrown away."""
        self._passing = False
        """A message that was not struck is partly out."""
        self._in_control = False
        """A control frame is partly out."""

    @property
    def is_idle(self) -> bool:
        """It keeps nothing, and the stream may pass without it."""
        return not (self._collected or self._held or self._swallows or self._closed_by)

    @property
    def next_due_ns(self) -> int | None:
        """When something that is held is to go on; None also while it cannot."""
        if self._passing or self._in_control:
            return None
        return min((each.due_ns for each in self._held), default=None)

    def begin(self) -> None:
        """The stream is between two messages, and passes through here from now on."""
        self._passing = self._in_control = False

    def close_by(self, placed: Placed) -> None:
        """Nothing goes on any more; what still comes is discarded, because of this fault."""
        self._closed_by = placed

    def feed(self, data: bytes, now_ns: int, faults: Sequence[Placed]) -> list[bytes]:
        """What goes on of `data`, and of what was held."""
        out: list[bytes] = []
        for piece in self._cursor.walk(data):
            if piece.frame.is_control:
                self._take_control(piece, now_ns, faults, out)
            else:
                self._take_data(piece, now_ns, faults, out)
        if self._cursor.is_lost:
            out += self.flush(now_ns)
        return out

    def due(self, now_ns: int) -> list[bytes]:
        """What is held and may go on by now: its time has come, or its fault is no longer on."""
        return self._release(now_ns, lambda each: each.due_ns <= now_ns or not each.message.fault.is_on)

    def flush(self, now_ns: int) -> list[bytes]:
        """The stream ends: all that is held, and what was collected of a message that will never be whole."""
        out = self._release(now_ns, lambda _: True)
        collected = self._collected
        if collected is not None and not collected.is_thrown:
            out.append(collected.raw())
        self._forget_collected()
        if self._held:
            self.discard(now_ns)  # the stream ends within a message: there is no place for another
        return out

    def discard(self, now_ns: int) -> None:
        """There is nowhere for what is held to go."""
        for each in self._held:
            self._tell(each.message.fault, "discarded", now_ns, each.message.first.number, each.message, "")
        self._room(-self._held_bytes)
        self._held, self._held_bytes = [], 0
        self._forget_collected()

    # --- control frames ---

    def _take_control(self, piece: Piece, now_ns: int, faults: Sequence[Placed], out: list[bytes]) -> None:
        if self._closed_by is not None:
            return  # nothing may follow a close frame
        if piece.begins and piece.frame.opcode == PING:
            self._swallows = self._is_swallowed(piece, now_ns, faults)
        elif piece.begins and piece.frame.opcode == CLOSE:
            out += self._release(now_ns, lambda _: True)
        if self._swallows:
            self._swallows = not piece.ends
            return
        out.append(piece.data)
        self._in_control = not piece.ends
        if piece.ends and self._held:
            out += self.due(now_ns)

    def _is_swallowed(self, piece: Piece, now_ns: int, faults: Sequence[Placed]) -> bool:
        self._pings += 1
        for each in faults:
            if each.fault.acts_on == "ping" and each.strikes(self._about, self._pings):
                each.struck += 1
                self._tell(each, "swallowed", now_ns, piece.frame.number, None, "")
                return True
        return False

    # --- messages ---

    def _take_data(self, piece: Piece, now_ns: int, faults: Sequence[Placed], out: list[bytes]) -> None:
        if piece.begins and not self._passing and self._collected is None:
            if self._held:
                out += self.due(now_ns)
            struck = self._closed_by or self._struck(piece.frame, faults)
            if struck is not None:
                is_thrown = self._closed_by is not None or isinstance(struck.fault, Drop)
                self._collected = Message(piece.frame.message, struck, is_thrown)
        if self._collected is not None:
            self._collect(self._collected, piece, now_ns, out)
            return
        out.append(piece.data)
        self._passing = not (piece.ends and piece.frame.is_last)
        if self._held and not self._passing:
            out += self._overtaken(now_ns)

    def _struck(self, frame: Frame, faults: Sequence[Placed]) -> Placed | None:
        waiting = any(each.to_overtake for each in self._held)
        for each in faults:
            if each.fault.acts_on != "message" or (waiting and isinstance(each.fault, Reorder)):
                continue  # a message that another waits for is not held itself
            if each.strikes(self._about, frame.message):
                return each
        return None

    def _collect(self, message: Message, piece: Piece, now_ns: int, out: list[bytes]) -> None:
        kept = message.add(piece)
        if kept and not (message.kept <= MESSAGE_BYTES_MAX and self._room(kept)):
            message.kept -= kept  # it was not granted
            out.append(message.raw())
            self._tell_passed(message, now_ns, "it is too large to be held")
            self._forget_collected()
            self._passing = not (piece.ends and piece.frame.is_last)
        elif piece.ends and piece.frame.is_last:
            self._strike(message, now_ns, out)
            self._forget_collected()

    def _strike(self, message: Message, now_ns: int, out: list[bytes]) -> None:
        """The message is whole: have its fault done to it."""
        placed, fault, number = message.fault, message.fault.fault, message.first.number
        if self._closed_by is not None:
            self._tell(placed, "discarded", now_ns, number, message, "behind its end")
            return
        if isinstance(fault, (Delay, Reorder)):
            self._hold(message, fault, now_ns, out)
            return
        what: Deed = "dropped"
        note = ""
        sent: bytes | None = b""
        if isinstance(fault, Duplicate):
            what, sent = "duplicated", message.raw() * 2
        elif isinstance(fault, Corrupt):
            what = "corrupted"
            sent, note = corrupted(message, word_draw(placed.seed, self._about, ~message.number & _WORD))
        elif isinstance(fault, Truncate):
            what = "truncated"
            sent, note = truncated(message, fault.keep)
        elif isinstance(fault, CloseFrame):
            what, note = "closed", f"code {fault.code}"
            sent = message.raw() + b"".join(self._release(now_ns, lambda _: True)) + self._close(placed)
            self._closed_by = placed
        if sent is None:
            out.append(message.raw())
            self._tell_passed(message, now_ns, note)
        else:
            placed.struck += 1
            out.append(sent)
            self._tell(placed, what, now_ns, number, message, note)
        if self._held and what != "dropped":
            out += self._overtaken(now_ns)

    def _close(self, placed: Placed) -> bytes:
        code = cast(CloseFrame, placed.fault).code
        key = word_draw(placed.seed, self._about, 0) & 0xFFFFFFFF
        return encode_frame(_CLOSE_FRAME, code.to_bytes(2), key.to_bytes(4) if self._is_masked else b"")

    def _tell_passed(self, message: Message, now_ns: int, why: str) -> None:
        self._tell(message.fault, "passed", now_ns, message.first.number, message, why)

    def _forget_collected(self) -> None:
        if self._collected is not None:
            self._room(-self._collected.kept)
        self._collected = None

    # --- what is held ---

    def _hold(self, message: Message, fault: Delay | Reorder, now_ns: int, out: list[bytes]) -> None:
        raw = message.raw()
        if self._held_bytes + len(raw) > HELD_BYTES_MAX or not self._room(len(raw)):
            out.append(raw)
            self._tell_passed(message, now_ns, "too much is held already")
            return
        wait, by = (fault.delay, 0) if isinstance(fault, Delay) else (fault.hold_max, fault.by)
        message.fault.struck += 1
        self._held_bytes += len(raw)
        self._held.append(_Held(message, raw, now_ns + round(wait * 1e9), by))
        self._tell(message.fault, "held", now_ns, message.first.number, message, "")

    def _overtaken(self, now_ns: int) -> list[bytes]:
        """A message has passed by what is held."""
        for each in self._held:
            if each.to_overtake:
                each.is_overtaken = True
                each.to_overtake -= 1
                if not each.to_overtake:
                    each.due_ns = now_ns
        return self.due(now_ns)

    def _release(self, now_ns: int, which: Callable[[_Held], bool]) -> list[bytes]:
        if not self._held or self._passing or self._in_control:
            return []
        released = sorted((each for each in self._held if which(each)), key=lambda each: each.due_ns)
        if not released:
            return []
        self._held = [each for each in self._held if each not in released]
        freed = sum(len(each.raw) for each in released)
        self._held_bytes -= freed
        self._room(-freed)
        for each in released:
            what: Deed = "reordered" if each.is_overtaken else "delayed"
            self._tell(each.message.fault, what, now_ns, each.message.first.number, each.message, "")
        return [each.raw for each in released]


_WORD: Final = (1 << 64) - 1
