"""The reports for people, letter by letter: tests/unit/reports/golden/. Made anew with SQUALL_GOLDEN=write."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from squall.reports.markdown_report import markdown_report
from squall.reports.terminal_report import WIDTH, terminal_report
from unit.reports import reported
from unit.reports.reported import Run

GOLDEN = Path(__file__).parent / "golden"
RUNS = [
    reported.passed,
    reported.troubled,
    reported.killed,
    reported.nothing,
    reported.only_held,
    reported.fed,
]

every_run = pytest.mark.parametrize("make", RUNS, ids=lambda make: make.__name__)


def assert_golden(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("SQUALL_GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@every_run
def test_the_terminal_report_is_the_golden_one(make: Callable[[], Run]) -> None:
    text = terminal_report(*make()).plain
    assert_golden(f"{make.__name__}.txt", text)
    assert max(len(line) for line in text.splitlines()) <= WIDTH


@every_run
def test_the_markdown_report_is_the_golden_one(make: Callable[[], Run]) -> None:
    assert_golden(f"{make.__name__}.md", markdown_report(*make()))


@every_run
@pytest.mark.parametrize("width", [20, 72, 300])
def test_a_narrow_terminal_gets_shorter_lines(make: Callable[[], Run], width: int) -> None:
    lines = terminal_report(*make(), width=width).plain.splitlines()
    tables = [line for line in lines if re.search(r"\d ms +\d", line) or " p50  " in line]
    assert all(len(line) <= max(60, min(width, WIDTH)) for line in lines if line not in tables)


@every_run
def test_the_accounts_add_up_as_they_are_written(make: Callable[[], Run]) -> None:
    text = terminal_report(*make()).plain
    sums = re.findall(r"^.*?(?:intended|attempted|established) ([\d,-]+) = (.*\+.*)$", text, re.MULTILINE)
    for whole, parts in sums:
        numbers = [int(part.split()[-1].replace(",", "")) for part in parts.split(" + ")]
        assert int(whole.replace(",", "")) == sum(numbers)
    assert len(sums) == {"nothing": 0, "only_held": 2, "fed": 2}.get(make.__name__, 3)


@every_run
def test_the_verdict_stands_first(make: Callable[[], Run]) -> None:
    words = {"passed": "PASSED: ", "troubled": "FAILED: ", "only_held": "PASSED: ", "fed": "FAILED: "}
    word = words.get(make.__name__, "NO VERDICT: ")
    assert terminal_report(*make()).plain.startswith(word)
    assert markdown_report(*make()).splitlines()[2].startswith(f"**{word}")


@every_run
def test_no_text_of_a_stranger_reaches_the_terminal_as_a_command(make: Callable[[], Run]) -> None:
    for text in (terminal_report(*make()).plain, markdown_report(*make())):
        assert all(letter.isprintable() or letter == "\n" for letter in text)


def test_nothing_is_said_of_what_was_not_measured() -> None:
    for text in (terminal_report(*reported.nothing()).plain, markdown_report(*reported.nothing())):
        assert "not measured" in text
        assert "none" not in text.lower()
        assert not re.search(r"\b0 (ms|B|%|msg)", text)
