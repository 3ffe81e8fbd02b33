"""Keeps secrets out of what the command line shows or records: header values, users and queries of URLs, commands.

The rule: an argument is judged by its look, not by the flag before it, since a flag may be misspelled. What
looks like a header or a URL is shown with its secret parts masked. A command looks like nothing: what follows
`--watch-command` is masked whole.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import unquote

from squall.scenario.urls import MASK, public_url

__all__ = ["command_line", "public_argument", "scrubbed", "secrets_in_arguments", "secrets_in_environment"]

_FLAG = re.compile(r"--[a-z][a-z-]*=|-H(?=[^\s-])")
"""A flag with its value in one word: `--header=…`, `-H…`."""

_HEADER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)\s*:(?!//)\s*(.+)", re.DOTALL)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BETWEEN_URLS = re.compile(r",(?=wss?://)")
_NO_HEADERS = (
    "--threshold",
    "--type",
    "--source-address",
    "--web",
    "--prometheus",
    "--fault",
    "--bug",
    "--listen",
)
"""Flags whose value has a colon, and no secret."""
_COMMAND = re.compile(r"--watch-c[a-z]*(=|$)")
"""A flag whose value is secret as a whole."""
_LENGTH_MIN = 3
"""A shorter text occurs everywhere; to mask it there would show it."""
_SCHEMES = ("bearer", "basic", "digest", "token")
"""Words that stand before the secret in an Authorization header."""


def command_line(arguments: Sequence[str]) -> str:
    """`squall` with these arguments as they can be shown and typed again, secrets masked."""
    return shlex.join(["squall", *_public(arguments)])


def public_argument(argument: str) -> str:
    """An argument with its secret parts masked."""
    flag = _FLAG.match(argument)
    if flag is not None and _COMMAND.match(argument):
        return f"{flag[0]}{MASK}"
    if flag is not None:
        is_open = flag[0].rstrip("=") in _NO_HEADERS
        return argument if is_open else flag[0] + public_argument(argument[flag.end() :])
    header = _HEADER.fullmatch(argument)
    if header is not None:
        return f"{header[1]}: {MASK}"
    if _URL.search(argument) is None:
        return argument
    return ",".join(map(public_url, _BETWEEN_URLS.split(argument)))


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret masked, the longest first."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, MASK)
    return text


def secrets_in_arguments(arguments: Sequence[str]) -> set[str]:
    """The secret parts of all arguments."""
    found: set[str] = set()
    for argument, public in zip(arguments, _public(arguments), strict=True):
        if public == MASK or (public.endswith(f"={MASK}") and _COMMAND.match(argument)):
            found.add(argument.partition("=")[2] if public != MASK else argument)
        elif argument != public:
            found |= _parts(argument[len(flag[0]) :] if (flag := _FLAG.match(argument)) else argument)
    return found


def secrets_in_environment(environment: Mapping[str, str]) -> set[str]:
    """The secret parts of the variables that set headers and URLs."""
    found: set[str] = set()
    for name, value in environment.items():
        if name.startswith("SQUALL_") and "__HEADERS__" in name:
            found |= _parts(f"{name}: {value}")
        elif name.startswith("SQUALL_WATCH__TARGET"):
            found |= {value, *_texts_in(value)}
        elif name.startswith("SQUALL_TARGET"):
            found |= _parts(value)
    return found


def _public(arguments: Sequence[str]) -> list[str]:
    before = ""
    shown = []
    for argument in arguments:
        if _COMMAND.fullmatch(before):
            shown.append(MASK)
        else:
            shown.append(argument if before in _NO_HEADERS else public_argument(argument))
        before = argument
    return shown


def _texts_in(value: str) -> set[str]:
    """What a variable that holds JSON has of secrets: commands whole, parts of URLs and headers."""
    found: set[str] = set()
    for source in _mappings(value):
        found |= {str(source["command"])} if "command" in source else set()
        found |= _parts(str(source.get("prometheus", "")))
        headers = source.get("headers")
        for name, each in headers.items() if isinstance(headers, Mapping) else ():
            found |= _parts(f"{name}: {each}")
    return {text for text in found if len(text) >= _LENGTH_MIN}


def _mappings(value: str) -> list[Mapping[str, object]]:
    try:
        found = json.loads(value)
    except ValueError:
        return []
    listed = found if isinstance(found, list) else [found]
    return [each for each in listed if isinstance(each, Mapping)]


def _parts(value: str) -> set[str]:
    """What is secret in one value: a header's, or the user parts and query values of URLs."""
    header = _HEADER.fullmatch(value)
    found: set[str] = set()
    if header is not None:
        found = {header[2].strip(), *header[2].split()}
    elif _URL.search(value):
        found = {part for url in _BETWEEN_URLS.split(value) for part in _parts_of_url(url)}
    return {part for part in found if len(part) >= _LENGTH_MIN and part.lower() not in _SCHEMES}


def _parts_of_url(url: str) -> set[str]:
    rest, _, fragment = url.partition("://")[2].partition("#")
    user, _, _ = re.split(r"[/?]", rest, maxsplit=1)[0].rpartition("@")
    found = {user, *user.split(":"), fragment}
    for parameter in rest.partition("?")[2].split("&"):
        name, equals, value = parameter.partition("=")
        found |= {value, unquote(value)} if equals else {name}
    return found
