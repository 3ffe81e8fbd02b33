"""The proxy's log: each entry is handed to the system when its deed is done, and the newest are kept to be asked for.

The rule: what is in the file survives a kill of the proxy. Memory is bounded: older entries than the newest
`KEPT_MAX` are in the file only. Where the file cannot be written the proxy goes on, and counts what is lacking.
"""

from __future__ import annotations

import os
from collections import deque
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from squall.errors import EnvironmentFailure
from squall.record.fault_log import FaultEntry, encode_entry

__all__ = ["KEPT_MAX", "FaultLog"]

KEPT_MAX: Final = 32_768
"""Entries in memory."""


class FaultLog:
    """Where entries go.

    Args:
        path: the file, which is made anew; None: none is written.

    Raises:
        EnvironmentFailure: on entering: the file cannot be made.
    """

    def __init__(self, path: Path | None) -> None:
        self.count = 0
        """Entries so far."""
        self.unwritten = 0
        """Entries that the file lacks."""
        self.problem = ""
        """Why."""
        self._path = path
        self._file: int | None = None
        self._kept: deque[bytes] = deque(maxlen=KEPT_MAX)

    def __enter__(self) -> Self:
        if self._path is not None:
            try:
                self._file = os.open(
                    self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644
                )
            except OSError as error:
                raise EnvironmentFailure(f"cannot write the log {self._path}: {error.strerror}") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def write(self, entry: FaultEntry) -> None:
        """One more."""
        line = encode_entry(entry)
        self.count += 1
        self._kept.append(line)
        if self._file is None:
            return
        try:
            written = os.write(self._file, line)
        except OSError as error:
            self.unwritten += 1
            self.problem = error.strerror or str(error)
            return
        if written < len(line):  # the disk is full: no half line is left, which would hide the next
            self.unwritten += 1
            self.problem = "the file took only a part of an entry"
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)

    def after(self, number: int, most: int) -> tuple[int, list[bytes]]:
        """The entries behind that one (0: all), as lines, so many at most, and the number of the first of them.

        It is greater than `number` + 1 where older ones are no longer in memory.
        """
        oldest = self.count - len(self._kept) + 1
        first = max(number + 1, oldest)
        return first, list(islice(self._kept, first - oldest, first - oldest + most))
