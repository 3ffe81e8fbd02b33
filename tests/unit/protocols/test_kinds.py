"""Every exchange has a talk, but for those that the hot path speaks."""

from __future__ import annotations

import pytest

from squall.protocols.base import Surroundings
from squall.protocols.kinds import talk_of
from squall.scenario.exchanges import EXCHANGES
from unit.protocols.talks import SEAT

NEEDED = {"request": {"send": "{id}", "reply": {"field": "id"}}}


@pytest.mark.parametrize("kind", EXCHANGES)
def test_each_kind_has_a_talk_or_the_envelope(kind: str) -> None:
    exchange = EXCHANGES[kind].model_validate(NEEDED.get(kind, {}))
    made = talk_of(exchange, SEAT, Surroundings())  # type: ignore[arg-type]  # one of the union
    assert (made is None) is exchange.enveloped
