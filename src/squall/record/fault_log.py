"""What the fault proxy did, to which frame: one entry a deed, kept as lines of JSON.

The rule: the log, not the list of faults, is the truth about what happened. A line is written when the deed is
done; of a log whose writer was killed only a last line can be incomplete, and that one is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

__all__ = ["DEEDS", "Deed", "FaultEntry", "encode_entry", "read_entries"]

Deed = Literal[
    "on",
    "off",
    "applied",
    "lifted",
    "dropped",
    "held",
    "delayed",
    "duplicated",
    "reordered",
    "corrupted",
    "truncated",
    "closed",
    "swallowed",
    "discarded",
    "passed",
    "reset",
    "half_closed",
    "limited",
    "close_delayed",
    "refused",
    "upstream_lost",
]

DEEDS: Final[dict[str, str]] = {
    "on": "the fault began; connection 0",
    "off": "the fault ended; connection 0",
    "applied": "a fault of connections acts on this connection and direction from now on",
    "lifted": "it no longer does",
    "dropped": "the message was thrown away",
    "held": "the message is kept back; `delayed`, `reordered` or `discarded` follows",
    "delayed": "the message that was held went on, later",
    "duplicated": "the message went on twice",
    "reordered": "the message that was held went on, behind others that came after it",
    "corrupted": "a bit was flipped in the message, or in a byte of the stream",
    "truncated": "the message went on without its end",
    "closed": "a close frame was put in behind the message",
    "swallowed": "the ping was thrown away",
    "discarded": "the message could go nowhere any more: its direction had ended",
    "passed": "the message was to be struck, and went on as it was; `note` says why",
    "reset": "the connection was reset on both sides",
    "half_closed": "the direction was ended",
    "limited": "the connection was closed at its limit of bytes",
    "close_delayed": "the end of the direction was passed on, later",
    "refused": "no connection to the service: the client was answered 502 or 503; no fault of the list",
    "upstream_lost": "the service reset the connection; no fault of the list",
}
"""What each deed means."""


class FaultEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One deed. Stored by keyword: fields may come, with a default."""

    at_ns: int
    """CLOCK_MONOTONIC of the proxy's host."""
    connection: int
    """The number of the connection, from 1 in the order in which the proxy took them; 0: all of it."""
    direction: Literal["up", "down", "both"]
    frame: int | None
    """The number of the (first) frame in its direction, from 1 after the upgrade; None: no frame is meant."""
    fault: str
    """The fault's name; "" where it was none."""
    what: Deed
    stream: int | None = None
    """Of the envelope of the message; for deeds to a whole connection that of the first one seen on it."""
    sequence: int | None = None
    attempt: int | None = None
    is_ack: bool | None = None
    epoch: int | None = None
    size_bytes: int | None = None
    """Of the message's payload."""
    note: str = ""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(FaultEntry)


def encode_entry(entry: FaultEntry) -> bytes:
    """The entry as a line."""
    return _ENCODER.encode(entry) + b"\n"


def read_entries(text: bytes) -> Iterator[FaultEntry]:
    """The entries of a log, in order; a last line without its end is left out.

    Raises:
        ValueError: a line is no entry.
    """
    for number, line in enumerate(text.split(b"\n")[:-1], 1):
        try:
            yield _DECODER.decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"line {number} of the fault log is no entry: {error}") from None
