"""An idle session asked for nothing."""

from __future__ import annotations

import pytest

from squall.protocols.base import Unexpected
from unit.protocols.talks import frame, talk


def test_whatever_comes_was_not_asked_for() -> None:
    idle = talk({"kind": "idle"})
    idle.begin()
    assert idle.read(frame({"op": "news"})) == Unexpected("")
    with pytest.raises(NotImplementedError):
        idle.message(0, 0, 0)
