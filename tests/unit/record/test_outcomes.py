"""Troubles: steps and blames are closed sets, and a trouble can be counted."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from squall.record.outcomes import Trouble

REFUSED = Trouble("connect", "refused", "target")


def test_equal_troubles_are_counted_together() -> None:
    counts = Counter(
        [REFUSED, Trouble("connect", "refused", "target"), Trouble("connect", "refused", "network")]
    )
    assert counts[REFUSED] == 2
    assert len(counts) == 2


def test_a_trouble_is_stored_as_step_kind_and_blame() -> None:
    assert msgspec.json.encode(REFUSED) == b'["connect","refused","target"]'


@pytest.mark.parametrize(
    "stored", [b'["connexion","refused","target"]', b'["connect","refused","user"]', b'["connect","refused"]']
)
def test_what_is_no_trouble_is_not_read_as_one(stored: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(stored, type=Trouble)
