"""The direction of imports, as `.importlinter` states it; and that the contracts notice what they forbid."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINTER = "from importlinter.cli import lint_imports_command; lint_imports_command()"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of `root` on the package in its `src`."""
    return subprocess.run(
        [sys.executable, "-c", LINTER, "--config", str(ROOT / ".importlinter"), "--no-cache"],
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_imports_go_down_only() -> None:
    found = lint(ROOT)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("metrics/planted.py", "from squall.engine import base", "Imports go down only"),
        ("metrics/planted.py", "from squall.profiles import share", "Imports go down only"),
        ("reference/planted.py", "from squall import units", "Imports go down only"),
        ("runner/planted.py", "from squall.reference import node", "Nothing imports the bundled service"),
        ("delivery/planted.py", "import time", "The pure rooms"),
        ("profiles/planted.py", "from squall import clock", "The pure rooms"),
        ("planted/__init__.py", "", "Imports go down only"),
    ],
)
def test_contract_breaks_on_a_planted_import(tmp_path: Path, module: str, line: str, contract: str) -> None:
    for source in (ROOT / "src" / "squall").rglob("*.py"):
        copy = tmp_path / source.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, copy)
    planted = tmp_path / "src" / "squall" / module
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{line}\n")
    found = lint(tmp_path)
    broken = [said for said in found.stdout.splitlines() if said.endswith("BROKEN")]
    assert found.returncode != 0
    assert contract in "\n".join(broken), found.stdout + found.stderr
