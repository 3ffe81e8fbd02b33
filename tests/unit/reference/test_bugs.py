"""Bugs are written by name and number, and strike exactly as often as they are asked to."""

from __future__ import annotations

import pytest

from squall.reference.bugs import BUGS, Bug, Strikes, find, parse_bug


def test_bugs_are_written_by_name_and_how_often() -> None:
    assert parse_bug("lose:10") == Bug(name="lose", every=10)
    assert parse_bug("lose:1") == Bug(name="lose", every=1)
    assert parse_bug("lose:0.01") == Bug(name="lose", rate=0.01)
    assert parse_bug("delay:3:0.5") == Bug(name="delay", every=3, seconds=0.5)
    assert parse_bug("stall:0.5:2") == Bug(name="stall", rate=0.5, seconds=2)
    assert all(parse_bug(f"{name}:1").name == name for name in BUGS)


@pytest.mark.parametrize(
    "text",
    ["", "lose", "lose:", "lose:0", "lose:-1", "lose:x", "loses:1", "lose:1.0", "lose:1.5", "lose:0.0"]
    + ["lose:nan", "lose:-0.1", "cut:1:2", "lose:1:2"]
    + [f"delay:1:{each}" for each in ("x", "0", "-1", "inf", "nan")],
)
def test_what_is_no_bug_is_refused_with_what_one_is(text: str) -> None:
    with pytest.raises(ValueError, match=r"bug|seconds|time"):
        parse_bug(text)


def struck(text: str, *, seed: int = 0, of: int = 1000) -> list[int]:
    strikes = Strikes(parse_bug(text), seed)
    return [number for number in range(1, of + 1) if strikes.next()]


def test_each_so_many_is_exactly_that_whatever_the_seed() -> None:
    assert struck("lose:300") == struck("lose:300", seed=7) == [300, 600, 900]
    assert struck("lose:1", of=3) == [1, 2, 3]


def test_a_rate_is_drawn_by_seed_name_and_count_alone() -> None:
    first = struck("lose:0.1")
    assert first == struck("lose:0.1")
    assert first[:5] == [7, 21, 29, 60, 77]
    assert len(first) == 94
    assert first != struck("lose:0.1", seed=1)
    assert first != struck("corrupt:0.1")


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.999])
def test_a_rate_is_the_share_that_is_struck(rate: float) -> None:
    of = 50_000
    deviation = (of * rate * (1 - rate)) ** 0.5
    assert abs(len(struck(f"lose:{rate}", of=of)) - of * rate) < 4 * deviation


def test_those_of_a_bug_are_found_by_its_name() -> None:
    strikes = [Strikes(parse_bug(each), 0) for each in ("cut:2", "refuse:7")]
    assert find("refuse", strikes) is strikes[1]
    assert find("lose", strikes) is None
