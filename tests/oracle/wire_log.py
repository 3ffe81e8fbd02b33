"""The log of the oracle's echo server: every message in and every frame out, in the order of the server.

One file is a header and a row of records, each a fixed head and a payload. A server that is killed leaves at
most its last record torn; reading stops there. What the payloads mean is not known here.

head of a record, little-endian: kind (1 byte), connection (4), monotonic ns (8), opcode (1), source (8),
length (4)
source: for a frame out, the index of the message in that it was made from, plus one; 0 for none.
An event's payload is a JSON object with its ``event``: ``open`` or ``close``.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["EVENT", "IN", "OUT", "LogWriter", "Record", "read_log"]

IN = 1
OUT = 2
EVENT = 3

FILE_HEADER = b"ORACLE1\n"
HEAD = struct.Struct("<BIQBQI")
BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the log. ``index`` is its place in the file, from 0."""

    index: int
    kind: int
    connection: int
    at_ns: int
    opcode: int
    source: int | None
    payload: bytes

    @property
    def details(self) -> dict[str, Any]:
        """The contents of an event."""
        if self.kind != EVENT:
            raise ValueError("only an event has details")
        contents: dict[str, Any] = json.loads(self.payload)
        return contents


class LogWriter:
    """Appends records to a file; what was appended is on disk after ``flush`` or ``close``."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=BUFFER_BYTES)
        self._file.write(FILE_HEADER)
        self._next_index = 0

    def message_in(self, connection: int, opcode: int, payload: bytes) -> int:
        """Note a message received; returns its index, the ``source`` of the frames made from it."""
        return self._append(IN, connection, opcode, None, payload)

    def frame_out(self, connection: int, opcode: int, payload: bytes, *, source: int | None) -> int:
        """Note a frame handed to the transport."""
        return self._append(OUT, connection, opcode, source, payload)

    def event(self, connection: int, event: str, **details: object) -> int:
        """Note that a connection opened or closed, and how."""
        payload = json.dumps({"event": event, **details}).encode()
        return self._append(EVENT, connection, 0, None, payload)

    def flush(self) -> None:
        """Hand everything to the operating system."""
        self._file.flush()

    def close(self) -> None:
        """Flush and close."""
        self._file.close()

    def _append(self, kind: int, connection: int, opcode: int, source: int | None, payload: bytes) -> int:
        index = self._next_index
        self._next_index += 1
        marked_source = 0 if source is None else source + 1
        head = HEAD.pack(kind, connection, time.monotonic_ns(), opcode, marked_source, len(payload))
        self._file.write(head + payload)
        return index


def read_log(path: Path) -> Iterator[Record]:
    """The records of a log in order, without a torn last one.

    Raises:
        ValueError: the file is no log of the oracle.
    """
    with path.open("rb") as file:
        if file.read(len(FILE_HEADER)) != FILE_HEADER:
            raise ValueError(f"{path} is not a log of the oracle")
        index = 0
        while len(head := file.read(HEAD.size)) == HEAD.size:
            kind, connection, at_ns, opcode, marked_source, length = HEAD.unpack(head)
            payload = file.read(length)
            if len(payload) < length:
                return
            source = marked_source - 1 if marked_source else None
            yield Record(index, kind, connection, at_ns, opcode, source, payload)
            index += 1
