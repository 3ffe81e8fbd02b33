"""Field types that read what people write ("5m", "1KiB", "2k/s", "10k") and hold base units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from squall.units import parse_count, parse_duration_s, parse_rate_hz, parse_size

__all__ = ["Count", "Duration", "Rate", "Size"]

T = TypeVar("T")


def _plain(parse: Callable[[object], T], *, forms: str) -> Callable[[object], T]:
    """The parser, kept from quoting a whole mapping or list (it may hold secrets) in what it refuses."""

    def read(value: object) -> T:
        if value is None or isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise PydanticCustomError("quantity", "{message}", {"message": f"must be {forms}"})
        return parse(value)

    return read


Duration = Annotated[
    float,
    BeforeValidator(_plain(parse_duration_s, forms='a duration like "30s" or "5m"')),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "minimum": 0,
            "description": 'a duration: "30s", "5m", "1h30m"; seconds',
        }
    ),
]
"""Seconds."""

Size = Annotated[
    int,
    BeforeValidator(_plain(parse_size, forms='a size like 128 or "1KiB"')),
    WithJsonSchema(
        {"type": ["string", "integer"], "minimum": 0, "description": 'a size: 128, "1KiB", "8kB"; bytes'}
    ),
]
"""Bytes."""

Count = Annotated[
    int,
    BeforeValidator(_plain(parse_count, forms='a count like 100 or "10k"')),
    WithJsonSchema({"type": ["string", "integer"], "minimum": 0, "description": 'a count: 100, "10k"'}),
]
"""A whole number."""

Rate = Annotated[
    float,
    BeforeValidator(_plain(parse_rate_hz, forms='a rate like "1/s" or "2k/s"')),
    WithJsonSchema(
        {
            "type": ["string", "number"],
            "minimum": 0,
            "description": 'a rate: "1/s", "2k/s", "30/min"; per second',
        }
    ),
]
"""Events per second."""
