"""A scenario as a Python file: a module that defines `scenario`, a `Scenario` or a mapping.

The file is run once, here, with its folder on the path as a script has it. The rule: what its code raises is
the user's own error and is named with its line; a mistake in the scenario that it builds is a scenario's.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from squall.errors import ScenarioError, SquallError, UserCodeError
from squall.scenario.explain import explained
from squall.scenario.fields import model_named
from squall.scenario.mistakes import path_text
from squall.scenario.models import Scenario

__all__ = ["run_python"]


def run_python(file: Path, text: str) -> Scenario | Mapping[str, Any]:
    """The `scenario` that a Python file defines.

    Raises:
        UserCodeError: its code raised, or is no Python.
        ScenarioError: it defines no scenario, or one with mistakes.
    """
    module = ModuleType(f"_squall_scenario_{file.stem}")
    module.__file__ = str(file)
    try:
        with _as_script(module, file):
            exec(compile(text, str(file), "exec"), module.__dict__)  # noqa: S102 - running it is what was asked for
    except SquallError:
        raise
    except SyntaxError as error:
        raise UserCodeError(f"{file.name}:{error.lineno}: {error.msg}") from None
    except ValidationError as error:
        raise _of_models(file, error) from None
    except (Exception, SystemExit) as error:
        said = f": {error}" if str(error) else ""
        raise UserCodeError(f"{file.name}:{_line(file, error)}: {type(error).__name__}{said}") from error
    scenario = module.__dict__.get("scenario")
    if not isinstance(scenario, (Scenario, Mapping)):
        what = "defines no" if scenario is None else f"has a {type(scenario).__name__} as its"
        raise ScenarioError(f"{file.name} {what} `scenario`", hint="scenario = Scenario(…), or a mapping")
    return scenario


@contextmanager
def _as_script(module: ModuleType, file: Path) -> Iterator[None]:
    """Its neighbours importable by their names while it runs, the module itself by its own from then on."""
    folder = str(file.resolve().parent)
    sys.modules[module.__name__] = module
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


def _of_models(file: Path, error: ValidationError) -> SquallError:
    """The error for what a model refused: one of the scenario, or one of the user's own models."""
    where, model = f"{file.name}:{_line(file, error)}", model_named(error.title)
    if model is None:
        return UserCodeError(f"{where}: {type(error).__name__} of {error.title}")
    found = "".join(f"\n  {path_text(each.path)}: {each.message}" for each in explained(error, model))
    return ScenarioError(f"{where}: mistakes in {error.title}{found}")


def _line(file: Path, error: BaseException) -> int | str:
    """The last line of the file itself on the way to the error."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or "?" for frame in reversed(frames) if frame.filename == str(file)), "?")
