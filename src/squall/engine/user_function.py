"""A function of the user's, found by `module:function` or `file.py:function`.

A module is looked for as Python does, the working folder included; a file is run once a process, as a module of its
own. The rule: what the user's code raises is the user's error, named by its line, and never quoted.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from squall.errors import ScenarioError, UserCodeError

__all__ = ["user_function"]


@cache
def user_function(name: str) -> Callable[..., Any]:
    """The function.

    Raises:
        ScenarioError: there is no such module, file or function.
        UserCodeError: the module raised when it was imported.
    """
    where, _, function = name.rpartition(":")
    try:
        module = _from_file(Path(where)) if where.endswith(".py") else _from_path(where)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        raise _of_import(where, error) from None
    found: Callable[..., Any] | None = getattr(module, function, None)
    if not callable(found):
        raise ScenarioError(f"exchange.check: {where} has no function called {function}")
    return found


def _from_path(name: str) -> ModuleType:
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    return importlib.import_module(name)


def _from_file(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_squall_check_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def _of_import(where: str, error: Exception) -> ScenarioError | UserCodeError:
    """No such module is the scenario's mistake; anything else is that of its code."""
    is_itself = (
        isinstance(error, ModuleNotFoundError)
        and where.split(".", maxsplit=1)[0] == (error.name or "").split(".")[0]
    )
    if is_itself or isinstance(error, FileNotFoundError):
        return ScenarioError(
            f"exchange.check: there is no {where}",
            hint="a module that Python finds from here, or a file relative to the scenario: checks.py:is_right",
        )
    line = traceback.extract_tb(error.__traceback__)[-1].lineno
    return UserCodeError(
        f"exchange.check: {where}: {type(error).__name__} at line {line} when it was imported"
    )
