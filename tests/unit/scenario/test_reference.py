"""The reference page: current, and complete."""

from __future__ import annotations

from pathlib import Path

from squall.scenario.fields import settings
from squall.scenario.reference import reference_markdown, write

_FOLDER = Path(__file__).parents[3] / "docs/reference"


def test_the_published_page_is_current() -> None:
    published = (_FOLDER / "scenario.md").read_text(encoding="utf-8")
    assert published == reference_markdown(), "python -m squall.scenario.reference docs/reference"


def test_every_setting_is_on_the_page_with_its_words() -> None:
    page = reference_markdown()
    for setting in settings():
        assert f"{setting.name}`" in page
        assert (setting.info.description or "").replace("|", "\\|") in page


def test_defaults_are_shown_as_people_write_them() -> None:
    page = reference_markdown()
    assert "| `engine.send_buffer_max` | size | 1 MiB |" in page
    assert "| `engine.pacing_window` | duration | 1 ms |" in page
    assert "| `populations[].traffic.rate` | rate | 1/s |" in page
    assert "| `linear`, 5 s | the way from all connections to none |" in page
    assert "| `target.url` | list of text | required |" in page
    assert "| `load.reconnect.after_drop` | yes or no | no |" in page


def test_page_and_schema_are_written_side_by_side(tmp_path: Path) -> None:
    write(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["scenario.md", "scenario.schema.json"]
    assert (tmp_path / "scenario.schema.json").read_bytes() == (_FOLDER / "scenario.schema.json").read_bytes()
