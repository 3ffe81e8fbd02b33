"""A frame that leaves in pieces, as a slow client sends one (RFC 6455 §5.2 on its layout).

It says which bytes come next; when is its owner's to know. Between its first piece and its last nothing else may be
written to the connection: whoever must, writes the rest of it first. Pure but for the masking key.
"""

from __future__ import annotations

import os

__all__ = ["SlowFrame", "masked_frame"]

_FIN = 0x80
_MASKED = 0x80
_TWO_BYTES, _EIGHT_BYTES = 126, 127


class SlowFrame:
    """The next message of a connection, in so many pieces."""

    def __init__(self, pieces: int) -> None:
        self._pieces = pieces
        self._left = b""
        self.begun = False
        """Some of it is on its way, and not all."""
        self.ended = False
        """All of it is."""

    def begin(self, frame: bytes) -> bytes:
        """The first piece of a frame."""
        self._left = frame
        self.begun = True
        return self.next()

    def next(self) -> bytes:
        """The next piece; the last one is the rest."""
        size = -(-len(self._left) // max(1, self._pieces))
        self._pieces -= 1
        piece, self._left = self._left[:size], self._left[size:]
        self.begun = bool(self._left)
        self.ended = not self._left
        return piece

    def rest(self) -> bytes:
        """All that is left of it."""
        self._pieces = 1
        return self.next()


def masked_frame(opcode: int, payload: bytes) -> bytes:
    """A whole message as a client's one frame."""
    size = len(payload)
    if size < _TWO_BYTES:
        length = bytes((_MASKED | size,))
    elif size < 1 << 16:
        length = bytes((_MASKED | _TWO_BYTES,)) + size.to_bytes(2, "big")
    else:
        length = bytes((_MASKED | _EIGHT_BYTES,)) + size.to_bytes(8, "big")
    key = os.urandom(4)
    whole = key * (size // 4 + 1)
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(whole[:size], "big")).to_bytes(size, "big")
    return bytes((_FIN | opcode,)) + length + key + masked
