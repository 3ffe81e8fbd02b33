from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from squall.errors import StoreError
from squall.store import folder as module
from squall.store.folder import (
    RESERVE_BYTES,
    create_run_folder,
    release_room,
    reserve_room,
    write_whole,
)
from squall.store.log import StoreFull
from squall.store.writer import RunWriter
from unit.store.samples import HEADER

WALL_NS = 1_769_869_530_123_456_789


def test_a_folder_is_named_after_time_and_run(tmp_path: Path) -> None:
    folder = create_run_folder(None, "check out / étage 2", WALL_NS, root=tmp_path / "runs")
    assert folder.is_dir()
    assert folder.parent == tmp_path / "runs"
    stem, suffix = folder.name.rsplit("-", 1)
    assert stem == "20260131-142530-check-out-tage-2"
    assert len(suffix) == 4
    assert int(suffix, 16) >= 0


def test_a_name_without_a_usable_letter_gets_one(tmp_path: Path) -> None:
    assert "-run-" in create_run_folder(None, "../..", WALL_NS, root=tmp_path).name
    long = create_run_folder(None, "x" * 500, WALL_NS, root=tmp_path)
    assert len(long.name) < 80


def test_the_same_name_at_the_same_time_makes_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter(["aaaa", "aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr(module.secrets, "token_hex", lambda _: next(drawn))
    first = create_run_folder(None, "run", WALL_NS, root=tmp_path)
    second = create_run_folder(None, "run", WALL_NS, root=tmp_path)
    assert (first.name[-4:], second.name[-4:]) == ("aaaa", "bbbb")


def test_a_given_folder_is_made_or_taken_empty(tmp_path: Path) -> None:
    assert create_run_folder(str(tmp_path / "a" / "b"), "run", WALL_NS) == tmp_path / "a" / "b"
    assert create_run_folder(str(tmp_path / "a" / "b"), "run", WALL_NS) == tmp_path / "a" / "b"


def test_a_given_folder_holds_one_run(tmp_path: Path) -> None:
    folder = create_run_folder(str(tmp_path / "out"), "run", WALL_NS)
    writer = RunWriter(folder, HEADER)
    with pytest.raises(StoreError, match="another run is being written"):
        create_run_folder(str(folder), "run", WALL_NS)
    writer.close()
    with pytest.raises(StoreError, match="holds a run already") as caught:
        create_run_folder(str(folder), "run", WALL_NS)
    assert "--out" in caught.value.hint
    assert caught.value.exit_code == 111


def test_a_given_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match=r"not empty: notes\.txt"):
        create_run_folder(str(tmp_path), "run", WALL_NS)
    with pytest.raises(StoreError, match="is a file"):
        create_run_folder(str(tmp_path / "notes.txt"), "run", WALL_NS)
    with pytest.raises(StoreError, match="file exists"):
        create_run_folder(None, "run", WALL_NS, root=tmp_path / "notes.txt")
    with pytest.raises(StoreError, match="not a directory"):
        create_run_folder(None, "run", WALL_NS, root=tmp_path / "notes.txt" / "runs")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_file_is_put_in_place_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary.json"
    write_whole(path, b"first")

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "fsync", refuse)
    with pytest.raises(StoreFull, match=r"summary\.json"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_room_is_really_taken_and_given_back(tmp_path: Path) -> None:
    reserve_room(tmp_path)
    (reserved,) = tmp_path.iterdir()
    assert reserved.stat().st_size == RESERVE_BYTES
    assert reserved.stat().st_blocks * 512 >= RESERVE_BYTES
    release_room(tmp_path)
    release_room(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_no_room_to_reserve_is_told_but_a_limit_on_file_sizes_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(number: int) -> None:
        def failing(*_: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(module.os, "posix_fallocate", failing)

    refuse(errno.ENOSPC)
    with pytest.raises(StoreFull, match="reserve"):
        reserve_room(tmp_path)
    refuse(errno.EFBIG)
    reserve_room(tmp_path)
    assert list(tmp_path.iterdir()) == []
