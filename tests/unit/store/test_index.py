from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from squall.errors import StoreError
from squall.store import index as module
from squall.store.index import INDEX_FILE, find_run, list_runs
from squall.store.writer import RunWriter
from unit.store.samples import HEADER, VERDICT, interval

SECOND = 1_000_000_000


def record_run(root: Path, name: str, *, started_s: int = 0, finish: bool = True) -> Path:
    folder = root / f"{name}-folder"
    folder.mkdir(parents=True)
    header = msgspec.structs.replace(
        HEADER, run_id=f"id-{name}", name=name, started_wall_ns=started_s * SECOND
    )
    with RunWriter(folder, header) as writer:
        writer.accept(interval(0, held=5))
        writer.accept(interval(1, held=3))
        if finish:
            writer.finish(VERDICT)
    return folder


def count_reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    read: list[Path] = []
    really = module.open_run
    monkeypatch.setattr(module, "open_run", lambda folder: (read.append(folder), really(folder))[1])
    return read


def test_runs_are_listed_newest_first_with_their_figures(tmp_path: Path) -> None:
    record_run(tmp_path, "older", started_s=10)
    record_run(tmp_path, "newer", started_s=20, finish=False)
    newer, older = list_runs(tmp_path)
    assert (newer.name, newer.complete, newer.outcome, newer.exit_code) == ("newer", False, None, None)
    assert (older.name, older.complete, older.outcome, older.exit_code) == ("older", True, "failed", 99)
    assert (older.duration_ns, older.connections_peak) == (2 * SECOND, 5)
    assert (newer.duration_ns, newer.connections_peak) == (2 * SECOND, 5)
    assert older.path == str(tmp_path / "older-folder")
    assert not newer.running


def test_a_run_is_read_again_only_when_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_run(tmp_path, "one")
    first = list_runs(tmp_path)
    read = count_reads(monkeypatch)
    assert list_runs(tmp_path) == first
    assert read == []
    second = record_run(tmp_path, "two", started_s=1)
    assert [entry.name for entry in list_runs(tmp_path)] == ["two", "one"]
    assert read == [second]


def test_a_run_that_is_gone_leaves_the_list(tmp_path: Path) -> None:
    for path in sorted(record_run(tmp_path, "one").iterdir()):
        assert [entry.name for entry in list_runs(tmp_path)] == ["one"]
        path.unlink()
        if path.name == "record.log":
            break
    assert list_runs(tmp_path) == []


def test_a_run_that_is_being_written_is_read_anew_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    folder.mkdir()
    with RunWriter(folder, HEADER) as writer:
        writer.accept(interval(0))
        (entry,) = list_runs(tmp_path)
        assert (entry.running, entry.duration_ns) == (True, SECOND)
        writer.accept(interval(1))
        (entry,) = list_runs(tmp_path)
        assert (entry.running, entry.duration_ns) == (True, 2 * SECOND)
    (entry,) = list_runs(tmp_path)
    assert not entry.running


@pytest.mark.parametrize("damage", ["deleted", "garbage", "other version", "folder", "bad row"])
def test_the_index_is_made_again_from_the_folders(tmp_path: Path, damage: str) -> None:
    record_run(tmp_path, "one")
    expected = list_runs(tmp_path)
    path = tmp_path / INDEX_FILE
    if damage in ("deleted", "folder"):
        path.unlink()
    if damage == "folder":
        path.mkdir()
    if damage == "garbage":
        path.write_bytes(b"no database at all " * 100)
    if damage in ("other version", "bad row"):
        connection = sqlite3.connect(path)
        with connection:
            if damage == "bad row":
                connection.execute("UPDATE runs SET entry = '[]'")
            else:
                connection.execute("PRAGMA user_version = 77")
                connection.execute("ALTER TABLE runs RENAME COLUMN stamp TO mark")
        connection.close()
    assert list_runs(tmp_path) == expected
    assert list_runs(tmp_path) == expected


def test_another_process_that_holds_the_index_only_costs_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_run(tmp_path, "one")
    list_runs(tmp_path)
    monkeypatch.setattr(module, "BUSY_S", 0.01)
    other = sqlite3.connect(tmp_path / INDEX_FILE, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    record_run(tmp_path, "two", started_s=1)
    assert [entry.name for entry in list_runs(tmp_path)] == ["two", "one"]
    other.execute("ROLLBACK")
    assert other.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    other.execute("BEGIN IMMEDIATE")
    assert [entry.name for entry in list_runs(tmp_path)] == ["two", "one"]
    other.execute("ROLLBACK")
    other.close()
    assert [entry.name for entry in list_runs(tmp_path)] == ["two", "one"]


def test_a_folder_that_cannot_be_read_is_listed_with_the_reason(tmp_path: Path) -> None:
    folder = record_run(tmp_path, "one")
    (folder / "run.json").write_text('{"format_version": 99}')
    (entry,) = list_runs(tmp_path)
    assert entry.run_id == "one-folder"
    assert "format version 99" in entry.problem
    assert not entry.complete


def test_other_things_beside_the_runs_are_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nowhere") == []
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").touch()
    assert list_runs(tmp_path) == []
    with pytest.raises(StoreError, match="not a directory"):
        list_runs(tmp_path / "file")


def test_a_run_is_found_by_what_a_person_types(tmp_path: Path) -> None:
    root = tmp_path / "runs"
    first = record_run(root, "alpha", started_s=1)
    second = record_run(root, "alphabet", started_s=2)
    elsewhere = record_run(tmp_path / "elsewhere", "gamma", started_s=3)
    assert find_run(root, "last") == second
    assert find_run(root, "id-alpha") == first
    assert find_run(root, "id-alphab") == second
    assert find_run(root, "alphabet-f") == second
    assert find_run(root, str(elsewhere)) == elsewhere
    with pytest.raises(StoreError, match="fits 2 runs: alphabet-folder, alpha-folder"):
        find_run(root, "alp")
    with pytest.raises(StoreError, match="begins with 'beta'") as caught:
        find_run(root, "beta")
    assert "squall runs" in caught.value.hint
    with pytest.raises(StoreError, match="there are none"):
        find_run(tmp_path / "empty", "last")
