"""How something was measured, from the header of a record: versions, seed, machine, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Iterable

from squall.record.run import RunHeader
from squall.reports.figures import NOT_MEASURED
from squall.reports.markup import table, text

__all__ = ["measured"]


def measured(header: RunHeader, first: Iterable[tuple[str, str]]) -> str:
    """The section's body; `first` are rows ahead of those that every record has."""
    rows = [
        *first,
        ("squall", header.squall_version),
        ("seed", str(header.seed)),
        *((name.replace("_", " "), _words(value)) for name, value in header.environment.items()),
    ]
    repeat = f"<h3>Repeat it</h3><pre><code>{text(header.command)}</code></pre>" if header.command else ""
    return table(("", ""), rows, caption="Versions, machine and limits") + repeat


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(each) for each in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return NOT_MEASURED if value is None else f"{value:,}" if isinstance(value, int) else str(value)
