"""The modules of the hot path in both forms: as they are installed, and from their sources."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from pathlib import Path
from types import ModuleType

__all__ = ["FORMS", "module_in"]

FORMS = ("installed", "source")

_SOURCE = Path(__file__).parents[1] / "src"


@cache
def module_in(form: str, name: str) -> ModuleType:
    """The module `name` as it is installed, or a second one of its own from the source.

    What it imports is installed in either case, so a source module works with installed classes.
    """
    if form == "installed":
        return importlib.import_module(name)
    path = _SOURCE.joinpath(*name.split(".")).with_suffix(".py")
    spec = importlib.util.spec_from_file_location(f"{name}_from_source".replace(".", "_"), path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
