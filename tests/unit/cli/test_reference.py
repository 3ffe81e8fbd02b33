"""The page of the command line is current."""

from __future__ import annotations

import re
from pathlib import Path

from squall.cli.reference import reference_markdown, write
from squall.scenario.exchanges import EXCHANGES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "cli.md"


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_markdown(), (
        "write it anew: python -m squall.cli.reference docs/reference"
    )


def test_it_is_written_as_a_file(tmp_path: Path) -> None:
    write(tmp_path)
    text = (tmp_path / "cli.md").read_text(encoding="utf-8")
    assert "## `squall echo URL [FLAGS]`" in text
    assert "| `--hold, -d, --duration DURATION` | `load.hold` |" in text
    assert "| `--name NAME` | what the nodes are called" in text


def test_the_flags_are_those_of_all_commands_that_take_them() -> None:
    text = reference_markdown()
    heading = next(line for line in text.splitlines() if line.startswith("## Flags of "))
    taking = re.findall(r"^## `squall (\w+)[^`]*\[FLAGS\]`", text, re.MULTILINE)
    assert re.findall(r"`(\w+)`", heading) == taking
    assert {"delivery", "ordering", "acks", "scaling"} <= {*taking}


def test_every_exchange_is_named() -> None:
    row = next(line for line in reference_markdown().splitlines() if line.startswith("| `--exchange "))
    assert {*re.findall(r"\w+", row)} >= {*EXCHANGES}
    assert row.endswith("; request needs a file |")
