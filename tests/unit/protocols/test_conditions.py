"""Conditions: what each asks, and that none raises."""

from __future__ import annotations

from typing import Any

import pytest

from squall.protocols.conditions import checks_of, meets_all, meets_any
from squall.protocols.reading import Heard
from squall.scenario.exchanges import Condition
from unit.protocols.talks import SEAT, frame


def meets(condition: dict[str, Any], message: Any) -> bool:
    return meets_all(Heard(frame(message)), checks_of([Condition.model_validate(condition)], SEAT.row))


@pytest.mark.parametrize(
    ("condition", "good", "bad"),
    [
        ({"field": "s", "equals": "ok"}, {"s": "ok"}, {"s": "OK"}),
        ({"field": "s", "equals": "ok"}, {"s": "ok"}, {}),
        ({"field": "s", "equals": "{user}"}, {"s": "ada"}, {"s": "ben"}),
        ({"field": "n", "equals": 1}, {"n": 1.0}, {"n": True}),
        ({"field": "n", "equals": True}, {"n": True}, {"n": 1}),
        ({"field": "n", "equals": None}, {"n": None}, {}),
        ({"field": "n", "exists": True}, {"n": None}, {"m": 1}),
        ({"field": "n", "exists": False}, {"m": 1}, {"n": None}),
        ({"field": "n", "matches": "^4[0-9]$"}, {"n": 42}, {"n": 142}),
        ({"field": "n", "matches": "x"}, {"n": "axb"}, {}),
        ({"matches": "^ok "}, "ok 3", "not ok 3"),
        ({"equals": "pong"}, "pong", "pong "),
        ({"field": "s", "equals": "ok"}, {"s": "ok"}, "no json"),
        ({"field": "s", "equals": "x"}, {"s": "x"}, {"s": ["x"]}),
    ],
)
def test_each_is_met_and_not_met(condition: dict[str, Any], good: Any, bad: Any) -> None:
    assert meets(condition, good)
    assert not meets(condition, bad)


def test_all_and_any() -> None:
    both = checks_of([Condition(field="a", equals=1), Condition(field="b", equals=2)], {})
    one = Heard(frame({"a": 1}))
    assert (meets_all(one, both), meets_any(one, both)) == (False, True)
    assert (meets_all(one, ()), meets_any(one, ())) == (True, False)
