"""Quantities in models: base units, bounds, and no quoting of what is no text or number."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import Field, TypeAdapter, ValidationError

from squall.scenario.base import Model
from squall.scenario.quantities import Count, Duration, Rate, Size


class _All(Model):
    duration: Duration = 1.0
    size: Size = 1
    count: Count = 1
    rate: Rate | None = Field(None, gt=0)


def test_what_people_write_is_held_in_base_units() -> None:
    read = _All.model_validate({"duration": "1h30m", "size": "4KiB", "count": "10k", "rate": "30/min"})
    assert (read.duration, read.size, read.count, read.rate) == (5400.0, 4096, 10_000, 0.5)


def test_base_units_are_read_as_they_are() -> None:
    assert _All.model_validate(_All(duration=0.25, size=7, count=3, rate=2.5).model_dump()).rate == 2.5


@pytest.mark.parametrize("value", [True, [1], {"secret": "hunter2"}, b"1s"])
@pytest.mark.parametrize("name", ["duration", "size", "count", "rate"])
def test_what_is_no_quantity_is_refused_without_quoting_it(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        _All.model_validate({name: value})
    assert "must be a" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_none_is_refused_where_it_has_no_meaning() -> None:
    with pytest.raises(ValidationError, match="must be a duration"):
        _All.model_validate({"duration": None})
    assert _All.model_validate({"rate": None}).rate is None


def test_a_bound_holds_through_an_optional_quantity() -> None:
    with pytest.raises(ValidationError, match="greater than 0"):
        _All.model_validate({"rate": "0/s"})


def test_the_schema_takes_text_and_numbers() -> None:
    assert TypeAdapter(Size).json_schema()["type"] == ["string", "integer"]
