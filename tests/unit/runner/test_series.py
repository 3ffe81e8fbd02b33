"""A series of runs: its pauses. What it carries out is shown by the tests that do so (scaling, ordering)."""

from __future__ import annotations

import pytest

from squall.errors import PlanError
from squall.runner.series import checked_settle_s


def test_a_pause_is_a_duration() -> None:
    assert (checked_settle_s("2m"), checked_settle_s(0)) == (120, 0)
    with pytest.raises(PlanError, match="settle"):
        checked_settle_s("a while")
