"""Per-connection data: rows by session, places filled, and no value in any message."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.errors import ScenarioError
from squall.scenario.data import columns, fill, fill_url, parse_rows, read_rows

_TEXT = "name,token\nada,t1\nben,t2\ncleo,t3\n"


def test_session_g_takes_row_g() -> None:
    rows = parse_rows(_TEXT, shown_as="users.csv")
    assert [rows.row_for(g)["token"] for g in range(3)] == ["t1", "t2", "t3"]
    assert rows.names == ("name", "token")


def test_rows_of_all_workers_are_each_row_once() -> None:
    rows = parse_rows(_TEXT, shown_as="users.csv")
    shares = [[rows.row_for(g)["name"] for g in range(worker, 3, 2)] for worker in range(2)]
    assert sorted([*shares[0], *shares[1]]) == ["ada", "ben", "cleo"]


def test_too_few_rows_are_said_before_and_refused_then() -> None:
    rows = parse_rows(_TEXT, shown_as="users.csv")
    assert rows.enough_for(3)
    assert not rows.enough_for(4)
    with pytest.raises(ScenarioError, match="session 3 has no row"):
        rows.row_for(3)


def test_with_cycle_rows_start_again() -> None:
    rows = parse_rows(_TEXT, shown_as="users.csv", cycle=True)
    assert rows.enough_for(10_000)
    assert rows.row_for(4) == {"name": "ben", "token": "t2"}


def test_a_place_is_filled_and_escaped_braces_and_json_are_left() -> None:
    row = {"token": "a b&c", "n": "1"}
    assert fill("Bearer {token}/{n}", row) == "Bearer a b&c/1"
    assert fill('{{token}} {"a":{"b":1}}', row) == '{token} {"a":{"b":1}}'
    assert fill_url("ws://h/p?t={token}&n={n}", row) == "ws://h/p?t=a%20b%26c&n=1"
    assert fill("no places", {}) == "no places"


def test_a_value_is_filled_in_once_only() -> None:
    assert fill("{a}", {"a": "{b}", "b": "x"}) == "{b}"


def test_a_place_without_a_column_is_refused() -> None:
    with pytest.raises(ScenarioError, match="token"):
        fill("{token}", {})


def test_the_columns_of_a_text_are_its_places() -> None:
    assert columns('{a} {{b}} {c.d} {"e"} { f }') == {"a", "c.d"}


def test_quotes_line_breaks_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_bytes('\ufeffname,quote\r\n\r\nada,"a, ""b""\nc"\r\n'.encode())
    assert read_rows(file).row_for(0) == {"name": "ada", "quote": 'a, "b"\nc'}


def test_values_that_no_header_takes_are_found_by_row_and_column() -> None:
    rows = parse_rows('name,token\nada,ok\nben,"hunter2\nx"\ncleo,hunter2é\n', shown_as="users.csv")
    found = rows.unfit_for_headers({"token"})
    assert [text.split(":")[0] for text in found] == ["row 2, column token", "row 3, column token"]
    assert "hunter2" not in "".join(found)
    assert rows.unfit_for_headers({"name"}) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("name,token\n", "no rows"),
        ("hunter2,hunter2\na,b\n", "columns 1, 2 have the same name"),
        ("name,\na,b\n", "column 2 has no name"),
        ("name,token\nhunter2\na,b\nhunter2,b,c\n", "line 2, 4"),
        ('name\n"hunter2\n', "line 2"),
        ('name\n"a"hunter2\n', "line 2"),
    ],
)
def test_a_bad_file_is_refused_by_line_without_its_values(text: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_rows(text, shown_as="users.csv")
    assert words in str(caught.value)
    assert "users.csv" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"nowhere\.csv: No such file"):
        read_rows(tmp_path / "nowhere.csv")
    (tmp_path / "latin.csv").write_bytes(b"name\n\xe9\n")
    with pytest.raises(ScenarioError, match="byte 5 is not UTF-8"):
        read_rows(tmp_path / "latin.csv")


def test_rows_do_not_show_themselves() -> None:
    assert repr(parse_rows(_TEXT, shown_as="users.csv")) == "<DataRows: 3 rows of 2 columns>"
