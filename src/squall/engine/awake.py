"""Keeps the processors of this machine from falling asleep while a run lasts, where the system lets us.

A processor that has nothing to do between two messages sleeps, and is late when it is woken: by some hundred
microseconds from the deep states of a real one, by milliseconds on a virtual machine, whose host gives it to others
meanwhile. A tester would measure that as lag of its own and as latency of the target. Linux takes a bound on the
time of waking for as long as a file stays open (`Documentation/power/pm_qos_interface.rst`); with 0 µs an idle
processor polls. Whatever ends this process ends the bound with it.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path
from types import TracebackType
from typing import Final, Self

__all__ = ["DEVICE", "KeptAwake", "reason_against"]

DEVICE: Final = Path("/dev/cpu_dma_latency")

_WAKE_MAX_US: Final = struct.pack("=i", 0)


class KeptAwake:
    """A context manager: inside, processors do not sleep, unless they are not ours to keep awake.

    Args:
        wanted: false leaves them alone.
        device: where the bound is put.
    """

    def __init__(self, *, wanted: bool = True, device: Path = DEVICE) -> None:
        self._wanted = wanted
        self._device = device
        self._file: int | None = None
        self._reason = "not asked for"

    def __enter__(self) -> Self:
        if self._wanted:
            try:
                self._file = _opened(self._device)
            except OSError as error:
                self._reason = _words(error, self._device)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def words(self) -> str:
        """Whether it holds, and why not where it does not."""
        return "kept awake" if self._file is not None else f"may sleep ({self._reason})"


def reason_against(device: Path = DEVICE) -> str:
    """Why processors cannot be kept awake; empty where they can, tried for a moment."""
    try:
        os.close(_opened(device))
    except OSError as error:
        return _words(error, device)
    return ""


def _opened(device: Path) -> int:
    # Never made where it is missing: a plain file of that name would bound nothing, and stay.
    file = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(file, _WAKE_MAX_US)
    except OSError:
        os.close(file)
        raise
    return file


def _words(error: OSError, device: Path) -> str:
    return f"{device}: {(error.strerror or str(error)).lower()}"
