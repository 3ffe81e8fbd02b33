"""Chooses, for each module of the hot path, between its compiled form and its Python source.

The modules in `COMPILED` are ordinary Python files that a C compiler turns into extension modules at install
time. Python would always prefer the extension; this finder stands in front and takes the source instead
where `SQUALL_PURE=1` asks for it, or where the installed picows is not the one the extensions were built
against: a compiled subclass binds to the memory layout of picows' classes, and a different layout would
not fail but misread.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

__all__ = ["COMPILED", "install", "reason_for_sources"]

COMPILED = (
    "squall.delivery.acks",
    "squall.delivery.envelope",
    "squall.delivery.fanout",
    "squall.delivery.ledger",
    "squall.engine.acked_push",
    "squall.engine.acking",
    "squall.engine.backlog",
    "squall.engine.check_windows",
    "squall.engine.connection",
    "squall.engine.lane",
    "squall.engine.pacer",
    "squall.engine.room_session",
    "squall.engine.send_times",
    "squall.engine.session",
    "squall.engine.talking",
    "squall.engine.tally",
    "squall.engine.ticks",
    "squall.metrics.histogram",
    "squall.profiles.mix",
    "squall.profiles.quotas",
    "squall.seeds",
)


def reason_for_sources() -> str:
    """Why the Python sources are in use; empty where the compiled forms are."""
    if os.environ.get("SQUALL_PURE", "") not in ("", "0"):
        return "SQUALL_PURE is set"
    try:
        built = import_module("squall._built")  # written by the build
    except ImportError:
        return "no compiled modules: squall was installed without a C compiler or Python's headers"
    from importlib.metadata import version

    installed = version("picows")
    if installed != built.PICOWS:
        return f"the compiled modules were built for picows {built.PICOWS}, and {installed} is installed"
    return ""


class _SourceFinder:
    """A meta path finder that answers for the hot path only, and only where sources are wanted."""

    _wants_sources: bool | None = None

    def find_spec(
        self, name: str, path: list[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of the Python source, or None to let Python take the extension."""
        if name not in COMPILED or path is None:
            return None
        if self._wants_sources is None:
            self._wants_sources = bool(reason_for_sources())
        if not self._wants_sources:
            return None
        for entry in path:
            spec = FileFinder(entry, (SourceFileLoader, [".py"])).find_spec(name, target)
            if spec is not None:
                return spec
        return None


def install() -> None:
    """Put the finder in front of Python's own, once."""
    if not any(isinstance(finder, _SourceFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _SourceFinder())  # type: ignore[arg-type]  # a finder in all that is used
