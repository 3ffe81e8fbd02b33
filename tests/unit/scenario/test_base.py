"""What all models share: frozen, closed, discreet."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError, ValidatorFunctionWrapHandler, field_validator

from squall.scenario.base import Model, with_unique_names


class _Item(Model):
    name: str = "main"
    weight: int = 1


class _Holder(Model):
    items: tuple[_Item, ...] = ()

    @field_validator("items", mode="wrap")
    @classmethod
    def _unique(cls, items: Any, inner: ValidatorFunctionWrapHandler) -> Any:
        return with_unique_names(items, inner, what="items", default="main")


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        _Item().weight = 2  # type: ignore[misc]  # this is what must not work


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="wieght"):
        _Item.model_validate({"wieght": 1})


def test_an_error_does_not_quote_what_was_given() -> None:
    with pytest.raises(ValidationError) as caught:
        _Item.model_validate({"weight": "hunter2"})
    assert "hunter2" not in str(caught.value)


def test_repeated_names_are_reported_beside_every_other_mistake() -> None:
    with pytest.raises(ValidationError) as caught:
        _Holder.model_validate({"items": [{}, {"name": "a"}, {"name": "main", "weight": "x"}, {"name": "a"}]})
    found = {error["loc"] for error in caught.value.errors()}
    assert {("items", 2, "name"), ("items", 3, "name"), ("items", 2, "weight")} <= found


def test_names_of_their_own_pass() -> None:
    items = (_Item(name="a"), _Item(name="b"))
    assert _Holder(items=items).items == items
