"""The view that shows nothing: `--progress none`, and runs started from Python."""

from __future__ import annotations

from squall.live.base import LiveView

__all__ = ["SilentView"]


class SilentView(LiveView):
    """Takes everything and shows nothing."""
