"""The scales of a test: one list of them, wherever a scale is chosen."""

from __future__ import annotations

import squall.pytest_plugin
from squall.metrics.scaling import levels_at, settle_at
from squall.scale import SCALES


def test_there_are_three_and_each_has_levels_and_a_pause() -> None:
    assert SCALES == ("smoke", "standard", "full")
    assert all(levels_at(each) and settle_at(each) > 0 for each in SCALES)


def test_pytest_offers_the_same() -> None:
    offered: list[object] = []

    class Group:
        def addoption(self, name: str, **details: object) -> None:
            offered.extend([details["choices"]] if name == "--squall-scale" else [])

    class Parser:
        def getgroup(self, *_: object) -> Group:
            return Group()

    squall.pytest_plugin.pytest_addoption(Parser())  # type: ignore[arg-type] # all that it uses of one
    assert offered == [SCALES]
