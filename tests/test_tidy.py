"""The rules of CONTRIBUTING.md that a machine can check: sizes, names, banned calls, a test file for each pure module."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted(path for path in (ROOT / "src").rglob("*.py") if path.name != "_built.py")

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60
"""A function that no longer fits on a screen has two jobs."""

BANNED_NAMES = frozenset({"common", "helper", "helpers", "lib", "misc", "stuff", "util", "utils"})
"""They say nothing of what is inside, so anything ends up there."""

BANNED_CALLS = {
    "time.time": "the wall clock jumps; take a squall.clock.Clock",
    "time.time_ns": "the wall clock jumps; take a squall.clock.Clock",
    "time.sleep": "it blocks the loop; await asyncio.sleep",
    "asyncio.create_task": "a lost task hides its error; use an asyncio.TaskGroup",
    "asyncio.ensure_future": "a lost task hides its error; use an asyncio.TaskGroup",
    "os._exit": "it skips every finally",
    "print": "only the command line prints; return text, or pass a stream in",
}
BANNED_IMPORTS = {"random": "not replayable from the run's seed; use squall.seeds"}

ALLOWED_CALLS = {
    ("clock.py", "time.time_ns"): "the one real clock",
    ("cli/state.py", "print"): "the one place that prints",
    ("engine/worker.py", "asyncio.ensure_future"): "each is watched, and its error ends the worker",
    (
        "fleet/inline.py",
        "asyncio.create_task",
    ): "the worker outlives the call that starts it, and is waited for",
    (
        "fleet/process.py",
        "os._exit",
    ): "thousands of sessions are freed by the system at once, by Python one by one",
    ("reference/service.py", "os._exit"): "a forked node must not run what its parent has still to do",
}
"""Each with its reason. An entry that is no longer needed fails the test."""

PURE_ROOMS = ("analysis", "charts", "delivery", "metrics", "profiles", "protocols", "record", "scenario")
PURE_MODULES = ("errors", "scale", "seeds", "units")
WITHOUT_OWN_TEST: frozenset[str] = frozenset()
"""Pure modules that have no test file of their own yet. It may only get shorter."""

PLACES = {
    "a path of somebody's machine": re.compile(r"(?<![\w.~$}])/(?:home|root|Users|work)/\w"),
    "the number of an issue": re.compile(r"\bissues? #?\d", re.IGNORECASE),
    "an address of a package index": re.compile(
        r"pypi\.(?:org|io)|pythonhosted|(?:--(?:extra-)?|\b)index-url\b|--find-links"
    ),
    "work left for later": re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b"),
}

UNEXPLAINED = re.compile(
    r"#\s*noqa(?!: [A-Z]+\d+(?:, [A-Z]+\d+)* - \w)|#\s*type: ignore(?!\[[\w, -]+\] {1,2}# \w)|#\s*pragma: no cover"
)


def repository() -> list[Path]:
    """Every file of the checkout that is not ignored, committed or not."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[Path, str]]:
    """The text files among them."""
    for path in repository():
        content = path.read_bytes()
        if b"\0" not in content:
            yield path, content.decode()


def named(path: Path) -> str:
    """The path as the rules and exceptions write it."""
    return path.relative_to(ROOT / "src" / "squall").as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def called(tree: ast.AST) -> Iterator[str]:
    """The dotted names that are called, tasks made by a loop written as those of asyncio."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        if name.endswith(("loop().create_task", "loop.create_task")):
            yield "asyncio.create_task"
        else:
            yield name


def imported(tree: ast.AST) -> Iterator[str]:
    """The top-level packages that are imported."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.split(".")[0]


def test_source_files_are_short() -> None:
    long = {
        named(path): lines for path in SOURCES if (lines := path.read_text().count("\n")) > FILE_LINES_MAX
    }
    assert long == {}, f"at most {FILE_LINES_MAX} lines: split by what the parts answer"


def test_functions_are_short() -> None:
    long = {
        f"{named(path)}: {function.name}": lines
        for path in SOURCES
        for function in functions(ast.parse(path.read_text()))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert long == {}, f"at most {FUNCTION_LINES_MAX} lines"


def test_names_say_what_is_inside() -> None:
    vague = [
        path.relative_to(ROOT).as_posix()
        for path in repository()
        if BANNED_NAMES & {part.split(".")[0] for part in path.relative_to(ROOT).parts}
    ]
    assert vague == [], "name it by its subject"


def test_banned_calls_and_imports() -> None:
    found: dict[str, str] = {}
    used: set[tuple[str, str]] = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        for name in called(tree):
            if name in BANNED_CALLS:
                used.add((named(path), name))
                if (named(path), name) not in ALLOWED_CALLS:
                    found[f"{named(path)}: {name}"] = BANNED_CALLS[name]
        found |= {
            f"{named(path)}: import {name}": BANNED_IMPORTS[name]
            for name in imported(tree)
            if name in BANNED_IMPORTS
        }
    assert found == {}
    assert set(ALLOWED_CALLS) - used == set(), "no longer needed: take it out of the exceptions"


def test_modules_open_with_what_they_are() -> None:
    silent = [named(path) for path in SOURCES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == [], "a module starts with what it is, the rule it lives by, what it does not know"


def test_modules_say_what_is_public() -> None:
    lacking = []
    for path in SOURCES:
        tree = ast.parse(path.read_text())
        names = {
            ast.unparse(target)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        only_words = all(isinstance(node, ast.Expr) for node in tree.body)
        if "__all__" not in names and not only_words and path.name != "__main__.py":
            lacking.append(named(path))
    assert lacking == [], "an __all__ is missing"


def test_annotations_are_never_evaluated_at_import() -> None:
    lacking = [
        named(path)
        for path in SOURCES
        if any(functions(ast.parse(path.read_text())))
        and "from __future__ import annotations\n" not in path.read_text()
    ]
    assert lacking == [], "from __future__ import annotations is missing"


def test_each_pure_module_has_its_own_test_file() -> None:
    lacking = set()
    for room in PURE_ROOMS:
        for path in (ROOT / "src" / "squall" / room).glob("*.py"):
            tested = ROOT / "tests" / "unit" / room / f"test_{path.stem}.py"
            if path.name != "__init__.py" and not tested.exists():
                lacking.add(f"{room}.{path.stem}")
    lacking |= {name for name in PURE_MODULES if not (ROOT / "tests" / "unit" / f"test_{name}.py").exists()}
    assert lacking - WITHOUT_OWN_TEST == set(), "tests/unit/<room>/test_<module>.py is missing"
    assert WITHOUT_OWN_TEST - lacking == set(), "they have one now: take them out of the exceptions"


@pytest.mark.parametrize("what", PLACES)
def test_repository_is_free_of(what: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:80]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if PLACES[what].search(line) and path != Path(__file__)
    ]
    assert found == []


def test_every_silenced_check_says_why() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in repository()
        if path.suffix == ".py" and path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if UNEXPLAINED.search(line)
    ]
    assert found == [], "write the code and the reason: `# noqa: CODE - why`, `# type: ignore[code]  # why`"


def test_text_files_end_with_one_newline() -> None:
    found = [
        path.relative_to(ROOT).as_posix()
        for path, text in texts()
        if text and (not text.endswith("\n") or text.endswith("\n\n"))
    ]
    assert found == []


def test_lines_end_with_a_newline_alone() -> None:
    found = [path.relative_to(ROOT).as_posix() for path, text in texts() if "\r\n" in text]
    assert found == [], "lines end with a newline alone"
