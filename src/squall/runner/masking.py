"""Takes a scenario's secrets out of texts that are kept or shown: what workers wrote, why they failed.

Secrets are the values of headers, of URLs the user part and the values of the query, commands whole, and in what
is sent the values of keys that sound like a secret's (password, token, …). Where the data fill one of these in, the
values of that column are, too. A text shorter than `LENGTH_MIN` is left: it occurs everywhere, and to mask it there
would show it. Pure, but for the data files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import chain
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from squall.errors import ScenarioError
from squall.scenario.data import columns, read_rows
from squall.scenario.models import Population, Scenario
from squall.scenario.templates import WRITTEN_OUT, columns_of
from squall.scenario.urls import MASK

__all__ = ["LENGTH_MIN", "masker"]

LENGTH_MIN = 4

_SECRET_KEY = re.compile("pass|token|secret|auth|credential|api_?key", re.IGNORECASE)

_SCHEMES = frozenset({"bearer", "basic", "digest", "token"})
"""Words that stand before the secret in a header, and are none themselves."""

_WITHHELD = f"{MASK} (not shown: it may quote a data file, and that cannot be read any more)"


def masker(scenario: Scenario, *, with_rows: bool = False) -> Callable[[str], str]:
    """A function that masks every secret of the scenario in a text.

    Args:
        with_rows: those in the data files as well. They are read for the first text, and their secrets kept: for
            texts that are rare, and may quote what a session said. Of a million rows that takes a second or two.
    """
    fixed = frozenset(_forms(_secrets(scenario)))

    @cache
    def secrets() -> frozenset[str]:
        return fixed.union(_forms(_secrets_of_rows(scenario))) if with_rows else fixed

    def mask(text: str) -> str:
        try:
            return _masked(text, secrets()) if text else ""
        except ScenarioError:
            return _WITHHELD

    return mask


def _masked(text: str, secrets: frozenset[str]) -> str:
    """The text with each run of letters that belong to some secret masked as one: secrets may overlap."""
    lengths = sorted({len(secret) for secret in secrets}, reverse=True)
    shown: list[str] = []
    at = hidden_to = 0
    for place in range(len(text)):
        longest = next((length for length in lengths if text[place : place + length] in secrets), 0)
        if not longest:
            continue
        if place >= hidden_to:
            shown += (text[at:place], MASK)
        at = hidden_to = max(hidden_to, place + longest)
    return "".join((*shown, text[at:]))


def _forms(secrets: Iterable[str]) -> Iterator[str]:
    """Each secret as it is written and as it is meant; not what is too short, or only says what kind it is."""
    for secret in secrets:
        for form in (secret, unquote(secret)):
            if len(form) >= LENGTH_MIN and form.lower() not in _SCHEMES:
                yield form


def _secrets(scenario: Scenario) -> list[str]:
    """The secrets that the scenario itself says."""
    sources = scenario.watch.target
    headers = [
        scenario.target.headers,
        *(population.headers for population in scenario.populations),
        *(source.headers for source in sources),
    ]
    values = [value.get_secret_value() for each in headers for value in each.values()]
    found = [part for value in values for part in (value, *value.split())]
    found += [source.command.get_secret_value() for source in sources if source.command is not None]
    pages = [source.prometheus for source in sources if source.prometheus is not None]
    for url in (*scenario.target.url, *pages):
        parts = urlsplit(url)
        found += [part or "" for part in (parts.username, parts.password)]
        # A parameter without "=" is one whole, and may be the secret itself.
        found += [
            parameter.partition("=")[2] if "=" in parameter else parameter
            for parameter in parts.query.split("&")
        ]
    for population in scenario.populations:
        for template in _written_out(population):
            found += (value for value in _secrets_in(template) if not columns_of(value))
    return found


def _secrets_of_rows(scenario: Scenario) -> Iterator[str]:
    """What the data files fill in where a secret stands. Raises `ScenarioError` where one cannot be read."""
    urls = [urlsplit(url).query for url in scenario.target.url]
    for population in scenario.populations:
        if population.data is None:
            continue
        headers = chain(scenario.target.headers.values(), population.headers.values())
        places = [*urls, *(value.get_secret_value() for value in headers)]
        places += chain.from_iterable(map(_secrets_in, _written_out(population)))
        named = {name for place in places for name in columns(place)}
        if not named:
            continue
        rows = read_rows(population.data.file)
        wanted = [name for name in rows.names if name in named]
        for index in range(len(rows)):
            row = rows.row_for(index)
            for value in map(row.__getitem__, wanted):
                yield from (value, quote(value, safe=""), *value.split())


def _written_out(population: Population) -> Iterator[Any]:
    """The templates of what a population's sessions send."""
    yield from (getattr(population.exchange, name, None) for name in WRITTEN_OUT)
    yield from (step.send for step in population.opening)


def _secrets_in(template: Any, key: str = "") -> Iterator[str]:
    """The values in a template under keys that sound like a secret's."""
    if isinstance(template, Mapping):
        for name, value in template.items():
            yield from _secrets_in(value, name)
    elif isinstance(template, (list, tuple)):
        for value in template:
            yield from _secrets_in(value, key)
    elif isinstance(template, str) and _SECRET_KEY.search(key):
        yield template
