"""Entry-point URLs: what a valid one is, and how one is shown.

The rule: an address may hold secrets in its user part and in its query, so whatever is shown, in a message,
a record or a `repr`, goes through `public_url`, and no message about a bad address quotes it.
Knows nothing of connecting.
"""

from __future__ import annotations

import re
from urllib.parse import SplitResult, urlsplit

__all__ = ["MASK", "Url", "http_url_mistake", "public_url", "url_mistake"]

MASK = "***"
"""What stands where a secret was."""

_FOREIGN = re.compile(r"[^!-~]|[<>\"\\^`|]")  # RFC 3986 has no place for these; braces are judged apart


class Url(str):
    """A URL in clear that shows itself without its secrets wherever it is printed by its `repr`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(public_url(self))


def public_url(url: str) -> str:
    """The URL without its user part and fragment, each value of its query masked; `***` if it cannot be read.

    Never raises: it is what error messages use. The path is shown as it is.
    """
    parts = _split(url)
    if parts is None:
        return MASK
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(map(_public_parameter, parts.query.split("&"))) if parts.query else ""
    return f"{parts.scheme}://{host}{parts.path}{'?' if query else ''}{query}"


def url_mistake(url: str) -> str | None:
    """What keeps this from being an entry point, in words that do not quote it; None if nothing does."""
    if not url:
        return "an empty URL"
    if (bad := _FOREIGN.search(url)) is not None:
        return f"character {bad.start() + 1} ({_character_name(bad[0])}) must be percent-encoded in a URL"
    scheme, separator, _ = url.partition("://")
    if not separator:
        return "needs its scheme: ws:// or wss://"
    if scheme.lower() in ("http", "https"):
        return (
            f"the scheme is {scheme.lower()}; did you mean {'wss' if scheme.lower() == 'https' else 'ws'}://?"
        )
    if scheme.lower() not in ("ws", "wss"):
        return "the scheme must be ws or wss"
    if "#" in url:
        return "a WebSocket URL has no fragment (#…); write %23 for a # in the path or query"
    parts = _split(url)
    if parts is None:
        return "host and port cannot be read; a port is 1 to 65535, an IPv6 address stands in [brackets]"
    if not parts.hostname:
        return "names no host"
    if "{" in parts.netloc + parts.path or "}" in parts.netloc + parts.path:
        return "{column} is filled in the query only, not in host or path"
    return None


def http_url_mistake(url: str) -> str | None:
    """What keeps this from being a page's address, in words that do not quote it; None if nothing does."""
    if (bad := _FOREIGN.search(url)) is not None:
        return f"character {bad.start() + 1} ({_character_name(bad[0])}) must be percent-encoded in a URL"
    if url.partition("://")[0].lower() not in ("http", "https"):
        return "must begin with http:// or https://"
    parts = _split(url)
    if parts is None or not parts.hostname:
        return "host and port cannot be read; a port is 1 to 65535, an IPv6 address stands in [brackets]"
    return None


def _split(url: str) -> SplitResult | None:
    """The parts of a URL with a readable host and port; None where there is no such thing."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme and parts.netloc and port != 0 else None


def _public_parameter(parameter: str) -> str:
    name, equals, _ = parameter.partition("=")
    return f"{name}={MASK}" if equals else MASK


def _character_name(character: str) -> str:
    if character == " ":
        return "a space"
    return "not ASCII" if ord(character) > 126 else f"U+{ord(character):04X}"
