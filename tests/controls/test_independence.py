"""The oracle and the services of the controls share nothing with what they are to check."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
INDEPENDENT = ("controls/oracle.py", "controls/stack_websockets.py")
"""What must know nothing of squall; and all that these import, however deep, of the tests."""


def imported(file: Path) -> set[str]:
    """The modules that a file imports, by name; of `from a import b` both a and a.b."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: an import that is relative"
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__":
            raise AssertionError(f"{file}: an import that cannot be read")
    return found


def file_of(module: str) -> Path | None:
    """Where a module of the tests stands; None for any other module."""
    file = TESTS.joinpath(*module.split(".")).with_suffix(".py")
    return file if file.exists() else None


def reached(start: str) -> tuple[set[str], set[Path]]:
    """Every module that is imported, directly or not, and the files of the tests that were followed."""
    names: set[str] = set()
    files: set[Path] = set()
    ahead = [TESTS / start]
    while ahead:
        file = ahead.pop()
        if file in files:
            continue
        files.add(file)
        found = imported(file)
        assert "importlib" not in {name.partition(".")[0] for name in found}, f"{file}: imports by name"
        names |= found
        ahead += [path for name in found if (path := file_of(name)) is not None]
    return names, files


@pytest.mark.parametrize("start", INDEPENDENT)
def test_it_imports_nothing_of_squall(start: str) -> None:
    names, files = reached(start)
    assert not [name for name in names if name.partition(".")[0] == "squall"]
    assert TESTS / "oracle" / "envelope.py" in files, "the envelope's reader is not among what was followed"


def test_an_import_of_squall_would_be_found() -> None:
    names, _ = reached("controls/compare.py")
    assert "squall.metrics.totals" in names
