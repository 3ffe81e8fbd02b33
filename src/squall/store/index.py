"""The list of the runs under one folder, and finding one of them by what a person types.

The truth is in the run folders; `index.sqlite` beside them only spares reading those that have not changed
since. It may be deleted at any time, two processes may write it at once, and where it cannot be used (a
damaged file, a folder that may not be written) the list is made without it. It knows nothing of runs
elsewhere: those are opened by their path.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from squall.errors import StoreError
from squall.store.folder import RUN_FILE, VERDICT_FILE
from squall.store.log import LOG_FILE, is_being_written, store_failure
from squall.store.reader import duration_and_peak, open_run

__all__ = ["INDEX_FILE", "RunEntry", "find_run", "list_runs"]

INDEX_FILE = "index.sqlite"
INDEX_VERSION = 1
"""Of the table below. An index of another version is made anew."""

BUSY_S = 2.0
"""How long to wait for another process that is writing the index, before doing without it."""


class RunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the list. None: not known, because the run has not ended or its folder cannot be read."""

    path: str
    run_id: str
    name: str
    started_wall_ns: int
    duration_ns: int | None
    connections_peak: int | None
    outcome: str | None
    exit_code: int | None
    complete: bool
    running: bool = False
    problem: str = ""
    """Why the folder could not be read; empty where it could."""


def list_runs(root: Path | str) -> list[RunEntry]:
    """All runs under `root`, the newest first. An empty list where the folder does not exist.

    Raises:
        StoreError: the folder may not be read.
    """
    base = Path(root)
    index = _Index(base)
    try:
        known = index.entries()
        current: dict[str, tuple[str, RunEntry]] = {}
        for folder in _run_folders(base):
            stamp = _stamp(folder)
            cached = known.get(folder.name)
            entry = cached[1] if cached is not None and cached[0] == stamp else _read_entry(folder)
            current[folder.name] = (stamp, entry)
        # One that is being written changes before it can be looked up again.
        index.replace(known, {name: found for name, found in current.items() if not found[1].running})
    finally:
        index.close()
    entries = [msgspec.structs.replace(entry, path=str(base / name)) for name, (_, entry) in current.items()]
    return sorted(entries, key=lambda entry: (entry.started_wall_ns, entry.path), reverse=True)


def find_run(root: Path | str, text: str) -> Path:
    """The folder of the run that is meant: "last", a path, or the beginning of a run's id, name or folder.

    Raises:
        StoreError: none fits, or several do; the message lists them.
    """
    given = Path(text)
    if text != "last" and (given / LOG_FILE).exists():
        return given
    entries = list_runs(root)
    if not entries:
        raise StoreError(
            f"no run {text!r}: there are none under {root}", hint="give the path of a run folder"
        )
    if text == "last":
        return Path(entries[0].path)
    exact = [entry for entry in entries if text in (entry.run_id, Path(entry.path).name)]
    fits = exact or [
        entry
        for entry in entries
        if any(word.startswith(text) for word in (entry.run_id, Path(entry.path).name, entry.name))
    ]
    if not fits:
        raise StoreError(f"no run under {root} begins with {text!r}", hint="`squall runs` lists them")
    if len(fits) > 1:
        names = ", ".join(Path(entry.path).name for entry in fits[:5])
        raise StoreError(f"{text!r} fits {len(fits)} runs: {names}", hint='give more of the id, or "last"')
    return Path(fits[0].path)


def _run_folders(root: Path) -> Iterator[Path]:
    try:
        folders = sorted(entry for entry in root.iterdir() if (entry / LOG_FILE).exists())
    except FileNotFoundError:
        return
    except OSError as error:
        raise store_failure(error, root) from None
    yield from folders


def _stamp(folder: Path) -> str:
    """What changes when a file of the run does."""
    parts = []
    for name in (RUN_FILE, LOG_FILE, VERDICT_FILE):
        try:
            found = (folder / name).stat()
        except OSError:
            continue
        parts.append(f"{name}:{found.st_size}:{found.st_mtime_ns}")
    return " ".join(parts)


def _read_entry(folder: Path) -> RunEntry:
    running = is_being_written(folder / LOG_FILE)
    try:
        record = open_run(folder)
        duration_ns, peak = duration_and_peak(record)
    except StoreError as error:
        return RunEntry(
            path=folder.name,
            run_id=folder.name,
            name="",
            started_wall_ns=0,
            duration_ns=None,
            connections_peak=None,
            outcome=None,
            exit_code=None,
            complete=False,
            running=running,
            problem=error.message,
        )
    return RunEntry(
        path=folder.name,
        run_id=record.header.run_id,
        name=record.header.name,
        started_wall_ns=record.header.started_wall_ns,
        duration_ns=duration_ns,
        connections_peak=peak,
        outcome=record.verdict.outcome if record.verdict else None,
        exit_code=record.verdict.exit_code if record.verdict else None,
        complete=record.complete,
        running=running and not record.complete,
    )


class _Index:
    """The table, as far as it can be used. Nothing it does can fail a list of runs."""

    def __init__(self, root: Path) -> None:
        self._connection: sqlite3.Connection | None = None
        if not root.is_dir():
            return
        path = root / INDEX_FILE
        try:
            self._connection = _opened(path)
        except sqlite3.OperationalError:
            pass  # another process is at it, or the folder may not be written
        except sqlite3.DatabaseError:
            # Damaged, or not a database at all. What is lost with it is in the run folders.
            try:
                path.unlink(missing_ok=True)
                self._connection = _opened(path)
            except (sqlite3.Error, OSError):
                self._connection = None

    def entries(self) -> dict[str, tuple[str, RunEntry]]:
        """What was known of each folder, and the stamp that it then had."""
        if self._connection is None:
            return {}
        try:
            rows = self._connection.execute("SELECT folder, stamp, entry FROM runs").fetchall()
            return {
                folder: (stamp, msgspec.json.decode(entry, type=RunEntry)) for folder, stamp, entry in rows
            }
        except (sqlite3.Error, msgspec.DecodeError):
            return {}

    def replace(
        self, known: dict[str, tuple[str, RunEntry]], current: dict[str, tuple[str, RunEntry]]
    ) -> None:
        """Make the table say what is there now; only what differs is written."""
        gone = [(name,) for name in known if name not in current]
        changed = [
            (name, stamp, msgspec.json.encode(entry).decode())
            for name, (stamp, entry) in current.items()
            if known.get(name) != (stamp, entry)
        ]
        if self._connection is None or not (gone or changed):
            return
        try:
            with self._connection:
                self._connection.executemany("DELETE FROM runs WHERE folder = ?", gone)
                self._connection.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?)", changed)
        except sqlite3.Error:
            pass  # another process is at it, or the folder may not be written: the list is right without

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_S)
    try:
        with connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != INDEX_VERSION:
                connection.execute("DROP TABLE IF EXISTS runs")
                connection.execute(f"PRAGMA user_version = {INDEX_VERSION}")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS runs"
                " (folder TEXT PRIMARY KEY, stamp TEXT NOT NULL, entry TEXT NOT NULL)"
            )
    except BaseException:
        connection.close()
        raise
    return connection
