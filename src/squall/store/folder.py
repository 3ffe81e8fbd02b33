"""The run folder: what it is called, what lies in it, and how a file is put into it whole or not at all.

    runs/20260131-142530-checkout-3f9a/
        run.json       what was asked, of what, by what, where: written first
        record.log     what happened, second by second (`log`, `codec`)
        verdict.json   only where the log could take no more: the verdict
        reserve        only while the run is written: room for the result on a disk that fills up
        summary.json, summary.md, charts/, report.html, timeseries.csv, types.csv, resources.csv      the reports

A folder holds one run. The log is made exclusively, so of two writers one is refused.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path

from squall.errors import StoreError
from squall.store.log import LOG_FILE, holds_a_run, store_failure

__all__ = [
    "RESERVE_BYTES",
    "RUN_FILE",
    "VERDICT_FILE",
    "create_run_folder",
    "release_room",
    "reserve_room",
    "write_whole",
]

RUN_FILE = "run.json"
VERDICT_FILE = "verdict.json"
RESERVE_FILE = "reserve"
RESERVE_BYTES = 256 << 10
"""More than summary.json, summary.md and the last frames of a run take together."""

NAME_MAX = 40
_UNFIT = re.compile(r"[^A-Za-z0-9._]+")


def create_run_folder(out: str | None, name: str, wall_ns: int, *, root: Path = Path("runs")) -> Path:
    """Make the folder for one run: `out`, else one under `root` that nobody else has.

    `wall_ns` (since the Unix epoch) becomes the UTC time in the folder's name.

    Raises:
        StoreError: `out` holds a run or anything else already, or cannot be made.
    """
    if out is not None:
        return _given_folder(Path(out))
    started = datetime.fromtimestamp(wall_ns // 1_000_000_000, tz=UTC).strftime("%Y%m%d-%H%M%S")
    word = _UNFIT.sub("-", name).strip("-.")[:NAME_MAX] or "run"
    while True:
        folder = root / f"{started}-{word}-{secrets.token_hex(2)}"
        try:
            root.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except FileExistsError as error:
            if root.is_dir():
                continue
            raise store_failure(error, root) from None
        except OSError as error:
            raise store_failure(error, folder) from None
        return folder


def reserve_room(folder: Path) -> None:
    """Take `RESERVE_BYTES` of the disk, so that there is room for the result when nothing else fits any more.

    Raises:
        StoreError: there is not even that much.
    """
    path = folder / RESERVE_FILE
    try:
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(fd, 0, RESERVE_BYTES)
            else:
                os.write(fd, bytes(RESERVE_BYTES))
        finally:
            os.close(fd)
    except OSError as error:
        path.unlink(missing_ok=True)
        # Against a limit on the size of each file room set aside in another file is no help, and needs none.
        if error.errno != errno.EFBIG:
            raise store_failure(error, path) from None


def release_room(folder: Path) -> None:
    """Give the reserved room back, to be used for the result."""
    try:
        (folder / RESERVE_FILE).unlink(missing_ok=True)
    except OSError:
        pass  # then there is as much room as before: whoever needs more says so


def write_whole(path: Path, content: bytes) -> None:
    """Put a file in place whole or not at all, also if the machine stops meanwhile.

    Raises:
        StoreError: it could not be written; what was there before is untouched.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise store_failure(error, path) from None


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _given_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        found = sorted(entry.name for entry in folder.iterdir())
    except FileExistsError:
        raise StoreError(f"{folder} is a file", hint="give a folder with --out") from None
    except OSError as error:
        raise store_failure(error, folder) from None
    if RUN_FILE in found or LOG_FILE in found:
        raise holds_a_run(folder)
    if found:
        raise StoreError(
            f"{folder} is not empty: {found[0]}", hint="give a new or an empty folder with --out"
        )
    return folder
