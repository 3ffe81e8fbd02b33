"""The pages lead somewhere, and say what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from squall.errors import ExitCode
from squall.scenario.models import Scenario

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
PYTHON = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    targets = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_examples_compile(page: Path) -> None:
    for number, source in enumerate(PYTHON.findall(page.read_text())):
        compile(source, f"{page.name}, example {number}", "exec")


def test_every_exit_code_is_explained() -> None:
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    assert [code for code in ExitCode if f"| {code.value} |" not in page] == []


def test_every_setting_is_explained() -> None:
    page = (ROOT / "docs/reference/scenario.md").read_text()
    assert [name for name in Scenario.model_fields if f"`{name}" not in page] == []
