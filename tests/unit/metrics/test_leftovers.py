"""What is left at either end is kept apart, and what was not measured is not taken for nothing."""

from __future__ import annotations

import pytest

from squall.metrics.leftovers import Leftovers


@pytest.mark.parametrize(
    ("at_squall", "at_target", "none_left"),
    [
        (0, 0, True),
        (2, 0, False),
        (0, 3, False),
        (2, None, False),
        (None, 3, False),
        (0, None, None),
        (None, 0, None),
        (None, None, None),
    ],
)
def test_nothing_is_left_only_where_both_ends_say_so(
    at_squall: int | None, at_target: int | None, none_left: bool | None
) -> None:
    assert Leftovers(at_squall=at_squall, at_target=at_target).none_left is none_left


def test_both_ends_are_told() -> None:
    assert Leftovers(at_squall=2000).in_words() == (
        "left at squall's end (connections, descriptors, tasks): 2,000;"
        " at the target's (connections or descriptors): not measured"
    )
