"""Which view a run gets."""

from __future__ import annotations

import io

import pytest

from squall.live.choose import Progress, view_for
from squall.live.picture import Title


@pytest.mark.parametrize(
    ("progress", "is_terminal", "view"),
    [
        ("auto", True, "TerminalView"),
        ("auto", False, "PlainView"),
        ("live", False, "TerminalView"),
        ("plain", True, "PlainView"),
        ("json", True, "JsonView"),
        ("none", True, "SilentView"),
    ],
)
def test_auto_is_live_on_a_terminal_only(progress: Progress, is_terminal: bool, view: str) -> None:
    made = view_for(
        progress, io.StringIO(), Title("run", "ws://host/"), is_terminal=is_terminal, results=io.StringIO()
    )
    made.finish()
    assert type(made).__name__ == view


@pytest.mark.parametrize("progress", ["auto", "live"])
def test_a_dumb_terminal_gets_lines(progress: Progress) -> None:
    title = Title("run", "ws://host/")
    made = view_for(progress, io.StringIO(), title, is_terminal=True, results=io.StringIO(), is_dumb=True)
    made.finish()
    assert type(made).__name__ == "PlainView"
