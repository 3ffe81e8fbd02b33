"""The files that a scenario names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from squall.scenario.disk import mistakes_on_disk, rebased


def _tree(file: Path, *, url: str = "ws://h/", **headers: str) -> dict[str, Any]:
    return {"target": {"url": [url], "headers": headers}, "populations": [{"data": {"file": str(file)}}]}


def test_files_are_relative_to_the_scenario(tmp_path: Path) -> None:
    absolute = str(tmp_path / "abs.csv")
    tree = {
        "target": {"tls": {"ca_file": "ca.pem", "verify": True}},
        "populations": [{"data": {"file": "users.csv"}}, {"data": {"file": absolute}}, {}],
    }
    done = rebased(tree, tmp_path / "sub")
    assert done["target"]["tls"] == {"ca_file": str(tmp_path / "sub" / "ca.pem"), "verify": True}
    assert done["populations"][0]["data"]["file"] == str(tmp_path / "sub" / "users.csv")
    assert done["populations"][1]["data"]["file"] == absolute


def test_files_of_tls_must_be_readable(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("x")
    tls = {
        "ca_file": str(tmp_path / "ca.pem"),
        "cert_file": str(tmp_path / "no.pem"),
        "key_file": str(tmp_path),
    }
    found = {mistake.path: mistake.message for mistake in mistakes_on_disk({"target": {"tls": tls}})}
    assert set(found) == {("target", "tls", "cert_file"), ("target", "tls", "key_file")}
    assert "No such file" in found["target", "tls", "cert_file"]
    assert "Is a directory" in found["target", "tls", "key_file"]


def test_a_data_file_that_fits_is_no_mistake(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("name,token\nada,é\n")
    assert list(mistakes_on_disk(_tree(file, url="ws://h/?t={token}", X="{name}"))) == []


def test_a_missing_data_file_is_a_mistake(tmp_path: Path) -> None:
    (mistake,) = mistakes_on_disk(_tree(tmp_path / "no.csv"))
    assert mistake.path == ("populations", 0, "data", "file")
    assert "no.csv: No such file" in mistake.message


def test_a_column_that_is_not_there_is_a_mistake_with_a_suggestion(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("name,token\nada,t1\n")
    tree = _tree(file, url="ws://h/?t={tokn}", X="{name}")
    tree["populations"][0]["headers"] = {"Y": "{zzz}"}
    messages = [mistake.message for mistake in mistakes_on_disk(tree)]
    assert messages == [
        'no column called tokn; its first line names 2 columns; did you mean "token"?',
        "no column called zzz; its first line names 2 columns",
    ]


def test_a_file_without_a_first_line_of_names_does_not_leak(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("ada,hunter2\nben,hunter3\n")
    (mistake,) = mistakes_on_disk(_tree(file, X="{token}"))
    assert "hunter" not in mistake.message


def test_values_that_no_header_takes_are_mistakes_but_for_the_query(tmp_path: Path) -> None:
    file = tmp_path / "users.csv"
    file.write_text("name\n" + "hüntér2\n" * 10)
    found = [mistake.message for mistake in mistakes_on_disk(_tree(file, X="{name}"))]
    assert len(found) == 3
    assert found[0] == "row 1, column name: a header takes printable ASCII only"
    assert list(mistakes_on_disk(_tree(file, url="ws://h/?n={name}"))) == []


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"target": 5, "populations": 5},
        {
            "target": {"tls": 5, "url": 5, "headers": 5},
            "populations": [5, {"data": 5}, {"data": {"file": 5}}],
        },
        {"populations": [{"data": {"file": ""}}, {"data": {"file": "a\0b"}}]},
    ],
)
def test_what_is_no_scenario_is_left_for_the_models(tree: dict[str, Any]) -> None:
    assert list(mistakes_on_disk(tree)) == []
