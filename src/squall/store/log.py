"""The framed append-only log: whole frames or nothing, whenever the writer was killed.

    file   = "SQUALLOG" · format version u32 · frame*
    frame  = length u32 · crc32 u32 over (length, payload) · payload           (all little-endian)

The checksum covers the length too, so that neither a tail of zeros that a file system left behind nor a
damaged length is taken for a frame. A frame goes to the operating system in one call when it is appended:
what kills the process afterwards takes nothing along. What kills the machine takes at most what was appended
since the last checkpoint. The reader stops at the first frame that is torn or damaged, and says how far it
came.

Whoever made the file holds a lock on it until it is closed or dies; so readers can tell a run that is being
written from one that was killed. This module does not know what a payload means.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Literal

from squall.errors import FormatError, StoreError
from squall.record.run import FORMAT_VERSION

__all__ = [
    "FRAME_MAX_BYTES",
    "LOG_FILE",
    "FrameLog",
    "FrameReader",
    "StoreFull",
    "holds_a_run",
    "is_being_written",
    "store_failure",
    "unknown_version",
]

LOG_FILE = "record.log"
MAGIC = b"SQUALLOG"
FRAME_MAX_BYTES = 64 << 20
"""No payload is anywhere near this long: a length beyond it is damage, and is not read into memory."""

_PREAMBLE = struct.Struct("<8sI")
_LENGTH = struct.Struct("<I")
_FRAME = struct.Struct("<II")

End = Literal["clean", "torn", "damaged"]
"""How a log ends: after a whole frame, inside one, or at one whose bytes are not those that were written."""


class StoreFull(StoreError):  # noqa: N818 - the state of the store, named as people name it
    """No room: the disk is full, a quota or a limit on the size of files is reached."""


class FrameLog:
    """The writing end. Not for several threads.

    Raises:
        StoreError: the file exists already, or cannot be made or written (`StoreFull`: there is no room).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size_bytes = 0
        """Up to where the file holds whole frames; nothing stands behind it but what could not be removed."""
        self._sound = True
        self._syncer: ThreadPoolExecutor | None = None
        self._syncing: Future[None] | None = None
        try:
            self._fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except FileExistsError:
            raise holds_a_run(path.parent) from None
        except OSError as error:
            raise store_failure(error, path) from None
        # The file is ours, made a moment ago: only a reader's glance at the lock can be in the way.
        fcntl.flock(self._fd, fcntl.LOCK_EX)

    def begin(self) -> None:
        """Write what stands before the first frame."""
        self._write(_PREAMBLE.pack(MAGIC, FORMAT_VERSION))

    def append(self, payload: bytes) -> None:
        """Hand one frame to the operating system.

        Raises:
            StoreError: it could not be written. Every frame before it is whole, and so is the log, which may
                be appended to again when there is room.
        """
        if len(payload) > FRAME_MAX_BYTES:
            raise StoreError(f"{self.path}: a frame of {len(payload)} bytes is longer than {FRAME_MAX_BYTES}")
        length = _LENGTH.pack(len(payload))
        checksum = zlib.crc32(payload, zlib.crc32(length))
        self._write(b"".join((length, _LENGTH.pack(checksum), payload)))

    def checkpoint(self) -> None:
        """Start to bring all that was appended to the disk, in the background; a disk may take long over it.

        Raises:
            StoreError: the checkpoint before this one has failed.
        """
        if self._syncing is not None:
            if not self._syncing.done():
                return
            self._raise_failed_sync()
        if self._syncer is None:
            self._syncer = ThreadPoolExecutor(1, thread_name_prefix="squall-store")
        self._syncing = self._syncer.submit(os.fsync, self._fd)

    def sync(self) -> None:
        """Bring all that was appended to the disk, and wait for it.

        Raises:
            StoreError: the disk refused.
        """
        self._raise_failed_sync()
        try:
            os.fsync(self._fd)
        except OSError as error:
            raise store_failure(error, self.path) from None

    def close(self) -> None:
        """Let go of file and lock. Safe to call again."""
        if self._syncer is not None:
            self._syncer.shutdown(wait=True)
            self._syncer = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _raise_failed_sync(self) -> None:
        """Wait for a checkpoint under way, and raise what befell it."""
        syncing, self._syncing = self._syncing, None
        if syncing is None:
            return
        try:
            syncing.result()
        except OSError as error:
            raise store_failure(error, self.path) from None

    def _write(self, frame: bytes) -> None:
        if not self._sound:
            raise StoreError(f"{self.path}: a torn frame could not be removed; nothing more is appended")
        rest = memoryview(frame)
        try:
            while rest:
                rest = rest[os.write(self._fd, rest) :]
        except OSError as error:
            self._remove_torn_frame()
            raise store_failure(error, self.path) from None
        self.size_bytes += len(frame)

    def _remove_torn_frame(self) -> None:
        try:
            os.ftruncate(self._fd, self.size_bytes)
        except OSError:
            self._sound = False


class FrameReader:
    """The reading end: iterate over it for the payloads, as often as wanted, also while the log grows.

    `limit_bytes` ends it there, as if the file did. After an iteration, `whole_bytes` says how far whole
    frames went and `end` how it ended.

    Raises:
        StoreError: no file, no permission, or not a log.
        FormatError: a log of a format version that this squall does not know.
    """

    def __init__(self, path: Path, *, limit_bytes: int | None = None) -> None:
        self.path = path
        self.limit_bytes = limit_bytes
        self.whole_bytes = 0
        self.end: End = "clean"

    def __iter__(self) -> Iterator[bytes]:
        try:
            with self.path.open("rb") as file:
                yield from self._frames(file)
        except OSError as error:
            raise store_failure(error, self.path) from None

    def _frames(self, file: BinaryIO) -> Iterator[bytes]:
        self.whole_bytes, self.end = 0, "clean"
        if not self._preamble(file):
            return
        while self.limit_bytes is None or self.whole_bytes < self.limit_bytes:
            payload = self._frame(file)
            if payload is None:
                return
            self.whole_bytes += _FRAME.size + len(payload)
            yield payload

    def _preamble(self, file: BinaryIO) -> bool:
        preamble = file.read(_PREAMBLE.size)
        if not MAGIC.startswith(preamble[: len(MAGIC)]):
            raise StoreError(f"{self.path} is no log of a run", hint="give the folder that squall wrote")
        if len(preamble) < _PREAMBLE.size:
            self.end = "torn"
            return False
        version = _PREAMBLE.unpack(preamble)[1]
        if version != FORMAT_VERSION:
            raise unknown_version(self.path, version)
        self.whole_bytes = _PREAMBLE.size
        return True

    def _frame(self, file: BinaryIO) -> bytes | None:
        """The next payload; None where there is no whole one, with the reason in `end`."""
        head = file.read(_FRAME.size)
        if not head:
            return None
        if len(head) < _FRAME.size:
            self.end = "torn"
            return None
        length, checksum = _FRAME.unpack(head)
        if length > FRAME_MAX_BYTES:
            self.end = "damaged"
            return None
        payload = file.read(length)
        if len(payload) < length:
            self.end = "torn"
            return None
        if zlib.crc32(payload, zlib.crc32(head[: _LENGTH.size])) != checksum:
            self.end = "damaged"
            return None
        return payload


def is_being_written(path: Path) -> bool:
    """Whether the log's writer lives and has not closed it; False where there is no such file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False


def store_failure(error: OSError, path: Path) -> StoreError:
    """The error for a person: which file, what the system said, what to do."""
    said = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(f"{path}: {said.lower()}", hint="free some space, or give another place with --out")
    if error.errno == errno.EFBIG:
        return StoreFull(f"{path}: {said.lower()}", hint="raise the limit on the size of a file (ulimit -f)")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(
            f"{path}: {said.lower()}", hint="check owner and mode, or give another place with --out"
        )
    return StoreError(f"{path}: {said.lower()}")


def unknown_version(path: Path, found: object) -> FormatError:
    """The clear word on a folder that another version of squall wrote."""
    older = isinstance(found, int) and found < FORMAT_VERSION
    hint = (
        "it is older than any that can be read; run the squall that wrote it (its version stands in run.json)"
        if older
        else "install a newer squall (the version that wrote the run stands in run.json)"
    )
    return FormatError(
        f"{path} has format version {found!r}; this squall knows version {FORMAT_VERSION}", hint=hint
    )


def holds_a_run(folder: Path) -> StoreError:
    """The error for a folder that is taken."""
    if is_being_written(folder / LOG_FILE):
        return StoreError(f"another run is being written to {folder}", hint="give another folder with --out")
    return StoreError(f"{folder} holds a run already", hint="give another folder with --out: each holds one")
