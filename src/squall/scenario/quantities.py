"""Field types that read what people write ("5m", "1KiB", "2k/s", "10k") and hold base units."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

from squall.units import parse_count, parse_duration_s, parse_rate_hz, parse_size

__all__ = ["Count", "Duration", "Rate", "Size"]

Duration = Annotated[
    float,
    BeforeValidator(parse_duration_s),
    WithJsonSchema({"type": ["string", "number"], "description": 'a duration: "30s", "5m", "1h30m"; seconds'}),
]
"""Seconds."""

Size = Annotated[
    int,
    BeforeValidator(parse_size),
    WithJsonSchema({"type": ["string", "integer"], "description": 'a size: 128, "1KiB", "8kB"; bytes'}),
]
"""Bytes."""

Count = Annotated[
    int,
    BeforeValidator(parse_count),
    WithJsonSchema({"type": ["string", "integer"], "description": 'a count: 100, "10k"'}),
]
"""A whole number."""

Rate = Annotated[
    float,
    BeforeValidator(parse_rate_hz),
    WithJsonSchema({"type": ["string", "number"], "description": 'a rate: "1/s", "2k/s", "30/min"; per second'}),
]
"""Events per second."""
