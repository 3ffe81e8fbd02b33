"""Where the head of an HTTP message ends in a stream of bytes; nothing else of it is read but its status.

The upgrade of a WebSocket passes as it is; what stands behind it is frames.
"""

from __future__ import annotations

from typing import Final

__all__ = ["HEAD_MAX", "HeadFinder"]

HEAD_MAX: Final = 64 << 10
"""Bytes of a head; a longer one is none of HTTP's."""

_END: Final = b"\r\n\r\n"
_STATUS_LINE: Final = 12  # "HTTP/1.1 101"


class HeadFinder:
    """Looks for the end of a head, fed in pieces of any size."""

    __slots__ = ("_seen", "_start", "_tail")

    def __init__(self) -> None:
        self._start = b""
        self._tail = b""
        self._seen = 0

    def feed(self, data: bytes) -> int:
        """How much of `data` belongs to the head if it ends here, else -1."""
        if len(self._start) < _STATUS_LINE:
            self._start += data[: _STATUS_LINE - len(self._start)]
        known = len(self._tail)
        found = (self._tail + data).find(_END)
        if found >= 0:
            return found + len(_END) - known
        self._seen += len(data)
        self._tail = (self._tail + data[-3:])[-3:]
        return -1

    @property
    def is_endless(self) -> bool:
        """It is longer than any head may be."""
        return self._seen > HEAD_MAX

    @property
    def status(self) -> int | None:
        """Of a response; None where it is none."""
        version, _, status = self._start.partition(b" ")
        return int(status) if version.startswith(b"HTTP/1.") and status.isdigit() else None
