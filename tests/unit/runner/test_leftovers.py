"""Connections that only the peer has closed are found in the socket table, by port."""

from __future__ import annotations

from pathlib import Path

from squall.runner.leftovers import left_at, waiting_at

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ESTABLISHED, CLOSE_WAIT, LISTEN = "01", "08", "0A"


def table(folder: Path, name: str, *rows: tuple[int, int, str]) -> None:
    lines = [
        f"   {number}: 0100007F:{ours:04X} 0100007F:{theirs:04X} {state} 00000000:00000000 0 0 0 1\n"
        for number, (ours, theirs, state) in enumerate(rows)
    ]
    (folder / name).write_text(HEAD + "".join(lines))


def test_only_closed_connections_to_the_ports_asked_for_are_found(tmp_path: Path) -> None:
    table(
        tmp_path,
        "tcp",
        (8080, 40000, CLOSE_WAIT),
        (8080, 40001, ESTABLISHED),
        (8080, 0, LISTEN),
        (9090, 40002, CLOSE_WAIT),
        (40003, 8080, CLOSE_WAIT),
    )
    table(tmp_path, "tcp6", (8080, 40004, CLOSE_WAIT))
    found = waiting_at([8080], tables=tmp_path)
    assert found == {("0100007F:1F90", "0100007F:9C40"), ("0100007F:1F90", "0100007F:9C44")}


def test_a_machine_without_ipv6_is_understood(tmp_path: Path) -> None:
    table(tmp_path, "tcp", (8080, 40000, CLOSE_WAIT))
    assert waiting_at([8080], tables=tmp_path) is not None
    assert waiting_at([8081], tables=tmp_path) == frozenset()


def test_a_system_without_the_table_says_so(tmp_path: Path) -> None:
    assert waiting_at([8080], tables=tmp_path) is None


def test_what_stood_so_before_the_run_is_not_its_own() -> None:
    old, new = ("a", "b"), ("a", "c")
    assert left_at(frozenset({old}), frozenset({old, new})) == 1
    assert left_at(frozenset({old}), frozenset()) == 0
    assert left_at(None, frozenset()) is None
    assert left_at(frozenset(), None) is None
