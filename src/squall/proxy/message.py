"""A message that a fault has struck, collected from the pieces of its frames."""

from __future__ import annotations

from typing import Final

from squall.proxy.frames import TEXT, Frame, Piece, masked
from squall.proxy.table import Placed

__all__ = ["Message"]

_THROWN_KEPT: Final = 4096
"""Bytes of a message that are kept of one that is thrown away: enough to say which it was."""


class Message:
    """Frames as they came, masks and all.

    Args:
        number: the message's in its direction, from 1.
        fault: what has struck it.
        is_thrown: it is thrown away, so that only its beginning is kept.
    """

    __slots__ = ("fault", "frames", "is_thrown", "kept", "number", "size")

    def __init__(self, number: int, fault: Placed, is_thrown: bool) -> None:
        self.number = number
        self.fault = fault
        self.is_thrown = is_thrown
        self.frames: list[tuple[Frame, bytearray]] = []
        """Each with its bytes, header included."""
        self.kept = 0
        """Bytes that are kept of it."""
        self.size = 0
        """Of its payload, as far as it has come; bytes."""

    def add(self, piece: Piece) -> int:
        """Take the next piece; how many bytes more are kept."""
        if piece.begins:
            self.size += piece.frame.size
        if self.is_thrown and self.kept + len(piece.data) > _THROWN_KEPT and self.frames:
            return 0
        if piece.begins:
            self.frames.append((piece.frame, bytearray()))
        self.frames[-1][1].extend(piece.data)
        self.kept += len(piece.data)
        return len(piece.data)

    @property
    def first(self) -> Frame:
        """Its first frame."""
        return self.frames[0][0]

    @property
    def is_text(self) -> bool:
        """Whether its payload is text as it stands."""
        return self.first.opcode == TEXT and not self.first.is_extended

    def raw(self) -> bytes:
        """All of its bytes."""
        return b"".join(data for _, data in self.frames)

    def payload(self) -> bytes:
        """Its payload, unmasked."""
        return b"".join(masked(bytes(data[len(frame.head) :]), frame.mask) for frame, data in self.frames)
