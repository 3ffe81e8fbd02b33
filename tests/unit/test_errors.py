"""The error tree: exit codes, their precedence, hints, and the module's own drawing of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from squall import errors
from squall.errors import EXIT_PRECEDENCE, ExitCode, SquallError, strongest


def tree(root: type[SquallError] = SquallError) -> Iterator[type[SquallError]]:
    """All errors below the root that the module itself defines."""
    for each in root.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from tree(each)


def test_the_drawing_is_the_tree() -> None:
    drawn = dict(re.findall(r"[├└]── (\w+) .*?(\d+)$", errors.__doc__ or "", re.MULTILINE))
    assert drawn == {each.__name__: str(int(each.exit_code)) for each in tree()}


def test_every_code_has_its_place_once() -> None:
    assert sorted(EXIT_PRECEDENCE) == sorted(ExitCode)
    assert [int(code) for code in EXIT_PRECEDENCE] == [1, 104, 107, 113, 111, 105, 99, 110, 112, 0]


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        (set(), 0),
        ({99, 110}, 99),
        ({110, 112}, 110),
        ({105, 99}, 105),
        ({105, 111}, 111),
        (set(ExitCode), 1),
        ({0, 112}, 112),
    ],
)
def test_if_several_hold_the_strongest_counts(codes: set[int], code: int) -> None:
    assert strongest({ExitCode(each) for each in codes}) == code


def test_a_hint_stands_below_the_message() -> None:
    assert str(SquallError("no room", hint="make some")) == "no room\n  hint: make some"
    assert str(SquallError("no room")) == "no room"


def test_what_is_no_known_error_is_a_bug() -> None:
    assert SquallError("?").exit_code is ExitCode.BUG
