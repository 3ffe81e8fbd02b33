"""The walk over the models."""

from __future__ import annotations

import pytest

from squall.scenario.fields import find, kinds, known_keys, model_named, resolve, settings
from squall.scenario.models import (
    Engine,
    ExponentialRamp,
    LinearRamp,
    Load,
    MessageType,
    Scenario,
    SequencePart,
    Threshold,
)


def test_the_walk_reaches_every_depth() -> None:
    paths = {setting.path for setting in settings()}
    assert ("load", "ramp_up", "parts", "[]", "ramp", "double_every") in paths
    assert ("populations", "[]", "traffic", "types", "[]", "max_latency") in paths
    assert ("target", "tls", "verify") in paths


def test_a_setting_knows_what_is_nested_in_it() -> None:
    types = find(("populations", 3, "traffic", "types"))
    assert types is not None
    assert (types.models, types.many, types.name) == ((MessageType,), True, "types")
    hold = find(("load", "hold"))
    assert hold is not None
    assert (hold.owner, hold.models, hold.many) == (Load, (), False)
    assert find(("load", "holt")) is None


def test_kinds_choose_between_models() -> None:
    assert kinds((LinearRamp, ExponentialRamp)) == {"linear": LinearRamp, "exponential": ExponentialRamp}
    assert kinds((Engine,)) == {}


def test_a_key_is_known_by_all_its_names() -> None:
    assert {"abortOnFail", "abort_on_fail", "metric"} <= set(known_keys((Threshold,)))


@pytest.mark.parametrize(
    ("loc", "path", "owners"),
    [
        (("name",), ("name",), (Scenario,)),
        (("load", "ramp_up", "linear", "start"), ("load", "ramp_up", "start"), (LinearRamp,)),
        (
            ("load", "ramp_up", "exponential", "exponential"),
            ("load", "ramp_up", "exponential"),
            (ExponentialRamp,),
        ),
        (
            ("load", "ramp_up", "sequence", "parts", 2, "ramp", "linear", "duratoin"),
            ("load", "ramp_up", "parts", 2, "ramp", "duratoin"),
            (LinearRamp,),
        ),
        (
            ("load", "ramp_up", "sequence", "parts", 2, "too"),
            ("load", "ramp_up", "parts", 2, "too"),
            (SequencePart,),
        ),
        (("target", "headers", "X-A"), ("target", "headers", "X-A"), ()),
        (("nothing", "below"), ("nothing", "below"), ()),
        ((), (), ()),
    ],
)
def test_the_place_of_an_error_is_found_in_the_scenario(
    loc: tuple[str | int, ...], path: tuple[str | int, ...], owners: tuple[type, ...]
) -> None:
    assert resolve(loc) == (path, owners)


def test_models_are_found_by_name() -> None:
    assert model_named("Scenario") is Scenario
    assert model_named("LinearRamp") is LinearRamp
    assert model_named("Nothing") is None
