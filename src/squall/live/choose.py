"""Which view a run gets: by `--progress`, and by whether there is a terminal."""

from __future__ import annotations

from typing import Literal, TextIO

from squall.live.base import LiveView
from squall.live.picture import Title
from squall.live.silent import SilentView

__all__ = ["Progress", "view_for"]

Progress = Literal["auto", "live", "plain", "json", "none"]


def view_for(
    progress: Progress,
    stream: TextIO,
    title: Title,
    *,
    is_terminal: bool,
    results: TextIO,
    is_dumb: bool = False,
) -> LiveView:
    """The view on a stream; `auto` is live on a terminal, and plain lines elsewhere; `json` goes to `results`.

    A dumb terminal (TERM says so) can show lines only.
    """
    if progress == "none":
        return SilentView()
    if progress == "json":
        from squall.live.json_lines import JsonView

        return JsonView(results)
    if not is_dumb and (progress == "live" or (progress == "auto" and is_terminal)):
        from squall.live.terminal import TerminalView

        return TerminalView(stream, title)
    from squall.live.plain import PlainView

    return PlainView(stream)
