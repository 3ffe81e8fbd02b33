"""The reference page of the command line, written from the commands themselves.

The rule: the page is generated, and a test says so when it is not current:
`python -m squall.cli.reference docs/reference` writes it.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import typer

from squall.cli.app import app
from squall.cli.flags import FLAGS, Flag

__all__ = ["reference_markdown", "write"]

_HEAD = """\
# The command line

Written from the code (`python -m squall.cli.reference docs/reference`). `squall COMMAND --help` shows the same.
`python -m squall` is the same as `squall`.

Results go to standard output, progress, warnings and errors to standard error; with `--progress json` standard output
has [lines for machines](../how-to/watch-a-run.md) instead of results. An error is one message with what to do about it;
what squall did not foresee is called a bug of squall, and its traceback is in a file that the message
names (`SQUALL_DEBUG=1` shows it instead). Colours are left out where there is no terminal, and where `NO_COLOR` is
set. No output shows the values of headers, or of a URL its user part and the values of its query; its path is shown,
and a token in it too.

Exit codes are those of [exit-codes.md](exit-codes.md): 0 where all is well, 99 where a bound failed, 104 for a mistake
in arguments or scenario, 105 after Ctrl-C, 113 where this machine cannot carry the plan.
"""

_FLAGS_HEAD = """\
## Flags of {commands}

Each stands for a setting of the [scenario](scenario.md), and is read as that is read in a file. A flag is stronger
than the environment, that than the file, and that than the default; `squall plan` shows where each value comes from.
Flags that are marked with + may be given several times. Paths are relative to the working folder.
"""

_SHARED = frozenset(flag.key for flag in FLAGS)


def reference_markdown() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    for name, command in _commands():
        lines += _command(name, command)
    taking = [f"`{name}`" for name, command in _commands() if _takes_flags(command)]
    lines.append(_FLAGS_HEAD.format(commands=f"{', '.join(taking[:-1])} and {taking[-1]}"))
    for panel, flags in groupby(FLAGS, key=lambda flag: flag.panel):
        lines += [f"### {panel}", "", "| flag | setting | meaning |", "|---|---|---|", *map(_flag, flags), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def write(folder: Path) -> None:
    """Write the page into a folder."""
    (folder / "cli.md").write_text(reference_markdown(), encoding="utf-8")


def _commands() -> Iterator[tuple[str, Any]]:
    group: Any = typer.main.get_command(app)
    yield from group.commands.items()


def _command(name: str, command: Any) -> list[str]:
    takes_flags = _takes_flags(command)
    own = [each for each in command.params if not (takes_flags and each.name in _SHARED)]
    arguments = [each for each in own if each.param_type_name == "argument"]
    usage = " ".join(
        ["squall", name, *(_in_usage(each) for each in arguments), *(["[FLAGS]"] if takes_flags else [])]
    )
    lines = [f"## `{usage}`", "", _paragraphs(command.help), ""]
    if own:
        lines += ["| argument | meaning | default |", "|---|---|---|", *map(_row, own), ""]
    return lines


def _takes_flags(command: Any) -> bool:
    return {each.name for each in command.params} >= _SHARED


def _in_usage(argument: Any) -> str:
    word = argument.metavar or argument.name.upper()
    return word if argument.required else f"[{word}]"


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        names = parameter.metavar or parameter.name.upper()
    else:
        value = "" if parameter.is_flag else f" {parameter.metavar}"
        names = f"{', '.join(parameter.opts)}{value}"
    has_default = parameter.default is not None and parameter.default is not False
    default = f"`{parameter.default}`" if has_default else ""
    return f"| `{names}` | {parameter.help} | {default} |"


def _flag(flag: Flag) -> str:
    names = ", ".join(flag.names).replace("/", "`, `")
    value = f" {flag.metavar}" if flag.metavar else ""
    more = " +" if flag.repeats else ""
    return f"| `{names}{value}`{more} | `{flag.setting}` | {flag.about} |"


def _paragraphs(text: str) -> str:
    """The help with each paragraph on one line."""
    parts: Iterable[str] = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(part.split()) for part in parts)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
