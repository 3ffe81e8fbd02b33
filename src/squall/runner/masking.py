"""Takes a scenario's secrets out of texts that are kept or shown: what workers wrote, why they failed. Pure.

Secrets are the values of headers, of URLs the user part and the values of the query, commands whole, and in what
is sent the values of keys that sound like a secret's (password, token, …). A text shorter than `LENGTH_MIN` is
left: it occurs everywhere, and to mask it there would show it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from squall.scenario.models import Scenario
from squall.scenario.templates import WRITTEN_OUT, columns_of
from squall.scenario.urls import MASK

__all__ = ["LENGTH_MIN", "masker"]

LENGTH_MIN = 4

_SECRET_KEY = re.compile("pass|token|secret|auth|credential|api_?key", re.IGNORECASE)

_SCHEMES = frozenset({"bearer", "basic", "digest", "token"})
"""Words that stand before the secret in a header, and are none themselves."""


def masker(scenario: Scenario) -> Callable[[str], str]:
    """A function that masks every secret of the scenario in a text, the longest first."""
    secrets = sorted(set(_secrets(scenario)), key=len, reverse=True)

    def mask(text: str) -> str:
        for secret in secrets:
            text = text.replace(secret, MASK)
        return text

    return mask


def _secrets(scenario: Scenario) -> Iterator[str]:
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
        found += [parameter.partition("=")[2] for parameter in parts.query.split("&")]
    for population in scenario.populations:
        for template in (
            *(getattr(population.exchange, name, None) for name in WRITTEN_OUT),
            *(step.send for step in population.opening),
        ):
            found += _secrets_in(template)
    for secret in found:
        for form in (secret, unquote(secret)):
            if len(form) >= LENGTH_MIN and form.lower() not in _SCHEMES:
                yield form


def _secrets_in(template: Any, key: str = "") -> Iterator[str]:
    """The values in a template under keys that sound like a secret's; not those that the data fill in."""
    if isinstance(template, Mapping):
        for name, value in template.items():
            yield from _secrets_in(value, name)
    elif isinstance(template, (list, tuple)):
        for value in template:
            yield from _secrets_in(value, key)
    elif isinstance(template, str) and _SECRET_KEY.search(key) and not columns_of(template):
        yield template
