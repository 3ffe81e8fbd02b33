"""What faults do to the content of a message, so that its frames stay valid."""

from __future__ import annotations

from squall.proxy.frames import encode_frame
from squall.proxy.message import Message

__all__ = ["corrupted", "truncated"]

_FIN = 0x80
_ASCII_BITS = 7


def corrupted(message: Message, draw: int) -> tuple[bytes | None, str]:
    """All bytes of the message with one bit of its payload flipped, and which; None where it is empty.

    In text a bit of an ASCII character flips that leaves one, where there is any: a receiver must refuse a
    message that is no UTF-8, and would never see the damage.
    """
    payload = message.payload()
    if not payload:
        return None, "it is empty"
    at, bits = (draw >> 8) % len(payload), 8
    if message.is_text and (ascii_at := _next_ascii(payload, at)) is not None:
        at, bits = ascii_at, _ASCII_BITS
    bit = (draw & 0xFF) % bits
    frames = [bytearray(data) for _, data in message.frames]
    left = at
    for (frame, _), data in zip(message.frames, frames, strict=True):
        if left < frame.size:
            data[len(frame.head) + left] ^= 1 << bit  # the mask is an XOR: under it the same bit flips
            break
        left -= frame.size
    return b"".join(frames), f"bit {bit} of byte {at}"


def truncated(message: Message, keep: float) -> tuple[bytes | None, str]:
    """The message with only that share of its payload, as one frame; None where it is empty."""
    payload = message.payload()
    if not payload:
        return None, "it is empty"
    kept = int(len(payload) * keep)
    while message.is_text and kept and payload[kept] & 0xC0 == 0x80:
        kept -= 1  # not within a character
    first = message.first
    return encode_frame(first.first_byte | _FIN, payload[:kept], first.mask), f"{kept} bytes are left"


def _next_ascii(payload: bytes, at: int) -> int | None:
    """Where the next ASCII character is, from a place on and around."""
    return next(
        (i % len(payload) for i in range(at, at + len(payload)) if payload[i % len(payload)] < 0x80), None
    )
