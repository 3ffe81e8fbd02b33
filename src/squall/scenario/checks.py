"""The rules that a scenario keeps beyond types: pure functions that say where they are broken.

Each yields findings: the path within the value it is given, and what is wrong there. None quotes a header's
value or a URL, which may be secrets. What is a rule of the file system is in `disk`, that of thresholds'
grammar with the metrics.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from squall.scenario.data import columns
from squall.scenario.mistakes import Mistakes, Path, path_text
from squall.scenario.templates import TEMPLATED, columns_of
from squall.scenario.urls import url_mistake
from squall.units import format_duration

if TYPE_CHECKING:
    from squall.scenario.exchanges import ExchangeKind
    from squall.scenario.models import Load, Target
    from squall.scenario.traffic import Population, Traffic

__all__ = [
    "CONNECTIONS_MAX",
    "ENVELOPE_SIZES",
    "EXPONENTIAL_START",
    "Finding",
    "arrivals",
    "entry_points",
    "headers",
    "is_token",
    "payload_sizes",
    "places",
    "ramp",
    "rates",
    "repeated_names",
    "report",
    "scraped_metrics",
    "sequential",
    "source_addresses",
    "subprotocols",
    "templates",
    "texts_with_columns",
    "without_data",
]

Finding = tuple[Path, str]
"""Where, within the value that was checked, and what is wrong."""

CONNECTIONS_MAX: Final = 10_000_000
"""A level above this is a slip of the pen."""

EXPONENTIAL_START: Final = 10
"""Where an exponential ramp begins that does not say."""

ENVELOPE_SIZES: Final[dict[str, int]] = {"binary": 48, "text": 64}
"""The smallest message that holds an envelope, by format; bytes."""

_AGREEMENT = 0.01  # people round: a duration and a doubling time may differ by this share
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")  # RFC 9110, 5.6.2
_FIGURE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_HANDSHAKE_HEADERS = frozenset(
    (
        "upgrade",
        "connection",
        "sec-websocket-key",
        "sec-websocket-version",
        "sec-websocket-accept",
        "sec-websocket-extensions",
        "content-length",
        "transfer-encoding",
    )
)


def report(findings: Iterable[Finding]) -> None:
    """Nothing, if there are none.

    Raises:
        ValidationError: with all of them, for pydantic to put the validated value's path before each.
    """
    mistakes = Mistakes()
    for path, message in findings:
        mistakes.add(message, *path)
    mistakes.raise_any()


def entry_points(urls: Sequence[str]) -> Iterator[Finding]:
    """Each must be a URL that a WebSocket can be opened to."""
    for place, url in enumerate(urls):
        if (mistake := url_mistake(url)) is not None:
            yield (place,), mistake


def headers(clear: Mapping[str, str]) -> Iterator[Finding]:
    """Names and values must be able to stand in a request, once each, beside those of the handshake."""
    seen: set[str] = set()
    for name, value in clear.items():
        low = name.lower()
        if not is_token(name):
            yield (path_text((name,)),), "is no header name: letters, digits and - are"
            continue
        elif low == "sec-websocket-protocol":
            yield (name,), "is set by target.subprotocols"
        elif low in _HANDSHAKE_HEADERS:
            yield (name,), "belongs to the handshake, which sets it itself"
        elif low in seen:
            yield (name,), "is given twice; case makes no difference in header names"
        if "\r" in value or "\n" in value:
            yield (name,), "its value has a line break"
        elif not (value.isascii() and value.replace("\t", " ").isprintable()):
            yield (name,), "its value has characters other than printable ASCII"
        seen.add(low)


def is_token(name: str) -> bool:
    """Whether this can be the name of a header or of a sub-protocol."""
    return _TOKEN.fullmatch(name) is not None


def subprotocols(names: Sequence[str]) -> Iterator[Finding]:
    """Each a token, and offered once (RFC 6455, 4.1)."""
    for place, name in enumerate(names):
        if not is_token(name):
            yield (place,), "is no sub-protocol: letters, digits and .-_ are, spaces and commas are not"
        elif name in names[:place]:
            yield (place,), "is offered twice"


def source_addresses(addresses: Sequence[str]) -> Iterator[Finding]:
    """Each an IP address, listed once."""
    for place, address in enumerate(addresses):
        try:
            ipaddress.ip_address(address)
        except ValueError:
            yield (place,), "is no IP address"
        else:
            if address in addresses[:place]:
                yield (place,), "is listed twice"


def scraped_metrics(metrics: Mapping[str, str], parse: Callable[[str], object]) -> Iterator[Finding]:
    """Each figure has a name that can stand in a report, and a series that is understood."""
    for name, text in metrics.items():
        if _FIGURE.fullmatch(name) is None:
            yield (path_text((name,)),), "is no name of a figure: letters, digits and _ are"
            continue
        try:
            parse(text)
        except ValueError as error:
            yield (name,), str(error)


def payload_sizes(sizes: Sequence[int], message_format: str) -> Iterator[Finding]:
    """Each message must hold the envelope."""
    smallest = ENVELOPE_SIZES[message_format]
    for place, size in enumerate(sizes):
        if size < smallest:
            yield (
                ("payload", place, "size"),
                f"{size} bytes; a {message_format} message has at least {smallest}, its envelope",
            )


def ramp(shape: Any, *, before: int, to: int) -> Iterator[Finding]:
    """A shape must lead from the level `before` to the level `to` without contradicting itself."""
    if shape.kind == "sequence":
        level = before
        for place, part in enumerate(shape.parts):
            for path, message in ramp(part.ramp, before=level, to=part.to):
                yield ("parts", place, "ramp", *path), message
            level = part.to
        if level != to:
            last = len(shape.parts) - 1
            yield (
                ("parts", last, "to"),
                f"the last part leads to {level:,} connections, but the level is to be {to:,}",
            )
        return
    start_set = "start" in shape.model_fields_set and shape.start is not None
    if before > 0 and start_set and shape.start != before:
        yield ("start",), f"it begins at the {before:,} connections held then; leave start out"
    elif before == 0 and start_set and shape.start > to:
        yield ("start",), f"{shape.start:,} is above the {to:,} connections it leads to"
    elif shape.kind == "exponential":
        yield from _doubling(shape, start=before or shape.start, to=to)
    elif shape.kind == "adaptive" and shape.shape == "exponential" and to > 0:
        yield from _doubling(shape, start=before or shape.start or min(EXPONENTIAL_START, to), to=to)


def _doubling(shape: Any, *, start: int, to: int) -> Iterator[Finding]:
    """Given both, the duration must be what the doubling time leads to."""
    if shape.duration is None or shape.double_every is None:
        return
    doublings = math.log2(start) + 1 if to == 0 else abs(math.log2(to / start))
    follows_s = shape.double_every * doublings
    if abs(shape.duration - follows_s) > _AGREEMENT * max(shape.duration, follows_s):
        yield (
            ("duration",),
            f"contradicts double_every, from which {format_duration(follows_s)} follows; give one of them",
        )


def arrivals(load: Load, populations: Sequence[Population]) -> Iterator[Finding]:
    """Where new sessions arrive at a rate, each must end, and the connections follow from that."""
    if "connections" in load.model_fields_set:
        yield (), "load.arrivals is given, from which the connections follow; leave load.connections out"
    for place, each in enumerate(populations):
        if each.sessions.length is None:
            yield (place, "sessions", "length"), "is missing: with load.arrivals each session ends by itself"
        if each.sessions.think_time.mean > 0:
            yield (place, "sessions", "think_time"), "is never: with load.arrivals no session comes again"


_OF_PATTERNS: Final = {
    "rate": ("steady",),
    "arrival": ("steady", "burst"),
    "burst_size": ("burst",),
    "burst_every": ("burst",),
    "reply_timeout": ("sequential",),
}
"""Settings of the traffic that say when messages are due, each with the patterns that it is for."""


def rates(traffic: Traffic) -> Iterator[Finding]:
    """How often a message is due is said once: by the pattern's own settings, and by rate or by type."""
    for name, patterns in _OF_PATTERNS.items():
        if name in traffic.model_fields_set and traffic.pattern not in patterns:
            yield (name,), f"has no use with pattern {traffic.pattern}, only with {' or '.join(patterns)}"
    rated = [each.rate is not None for each in traffic.types]
    if not any(rated):
        return
    if traffic.pattern != "steady":
        yield ("types",), f"have rates, which have no use with pattern {traffic.pattern}"
    elif "rate" in traffic.model_fields_set:
        yield ("rate",), "is given, and the types have rates of their own; give one of them"
    for place, each in enumerate(traffic.types):
        if each.rate is None:
            yield ("types", place, "rate"), "is missing: another type has one"
        elif "weight" in each.model_fields_set:
            yield ("types", place, "weight"), "is given beside a rate; give one of them"


def sequential(traffic: Traffic, exchange: ExchangeKind) -> Iterator[Finding]:
    """Traffic that goes on with the reply needs an exchange whose sessions get one."""
    if traffic.pattern == "sequential" and not exchange.answers_sender:
        yield ("pattern",), "waits for a reply to each message, and in this exchange the sender gets none"


def repeated_names(items: Any, *, default: str) -> Iterator[tuple[int, str]]:
    """Place and name of each item that repeats an earlier one's name; of raw or validated items."""
    seen: set[str] = set()
    for place, item in enumerate(items if isinstance(items, (list, tuple)) else ()):
        name = item.get("name", default) if isinstance(item, Mapping) else getattr(item, "name", None)
        if isinstance(name, str):
            if name in seen:
                yield place, name
            seen.add(name)


def texts_with_columns(target: Target) -> list[str]:
    """The texts of a target in which a population's data is filled in."""
    values = [value.get_secret_value() for value in target.headers.values()]
    return values + [url.partition("?")[2] for url in target.url]


def templates(population: Population) -> Iterator[tuple[Path, set[str]]]:
    """Where in a population a message is written out, or told by data, and the columns that it names there."""
    holders: list[tuple[Path, Any]] = [(("exchange",), population.exchange)]
    holders += [(("opening", place), step) for place, step in enumerate(population.opening)]
    for path, holder in holders:
        for name in TEMPLATED:
            named = columns_of(_plain(getattr(holder, name, None)))
            yield (*path, name), named - population.exchange.fills


def _plain(value: Any) -> Any:
    """A template as it is; of conditions, what fields are held against."""
    return [each.equals for each in value] if isinstance(value, tuple) else value


def without_data(clear: Mapping[str, str], fills: frozenset[str]) -> Iterator[Finding]:
    """Headers that name a column where there is no data, and the exchange fills in only these."""
    for name, value in clear.items():
        if names := columns(value) - fills:
            yield (name,), f"{places(names)}, but the population has no data"


def places(names: set[str]) -> str:
    """ "{token} names a column", for one name or more."""
    listed = ", ".join(f"{{{name}}}" for name in sorted(names))
    return f"{listed} {'names a column' if len(names) == 1 else 'name columns'}"
