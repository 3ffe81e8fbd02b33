"""The page of the command line is current."""

from __future__ import annotations

from pathlib import Path

from squall.cli.reference import reference_markdown, write

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
