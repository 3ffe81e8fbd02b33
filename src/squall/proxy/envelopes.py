"""Which message of squall's a payload is, where it carries squall's envelope."""

from __future__ import annotations

from typing import NamedTuple

from squall.delivery.envelope import BAD_BODY, BINARY_SIZE_MIN, GOOD, TEXT_SIZE_MIN, Codec

__all__ = ["EnvelopeReader", "Label"]

_ACK_FLAG = 4
_ATTEMPT_BITS = 0x0F


class Label(NamedTuple):
    """What an envelope says of its message."""

    stream: int
    sequence: int
    attempt: int
    is_ack: bool
    epoch: int


class EnvelopeReader:
    """Reads envelopes in both forms."""

    def __init__(self) -> None:
        self._binary = Codec(0, False, (BINARY_SIZE_MIN,), 0)
        self._text = Codec(0, True, (TEXT_SIZE_MIN,), 0)

    def read(self, payload: bytes, is_text: bool) -> Label | None:
        """The label of a payload; None where it has no envelope whose header is whole."""
        codec = self._text if is_text else self._binary
        if codec.decode_bytes(payload, is_text) not in (GOOD, BAD_BODY):
            return None
        return Label(
            stream=codec.stream,
            sequence=codec.sequence,
            attempt=codec.attempt & _ATTEMPT_BITS,
            is_ack=bool(codec.flags & _ACK_FLAG),
            epoch=codec.epoch,
        )
