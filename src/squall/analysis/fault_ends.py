"""Which errors of connections are the doing of squall's own faults. Pure.

A session cannot tell a proxy from the service behind it: what ends its connection is counted as the target's doing. The
proxies' logs say how many connections faults ended, and how: each of these ends shows as one error at most, of the kinds
that it can show as. So as many of the errors as there were such ends are taken for those, by count. Of each kind of error
that is between `least` and `most`, which differ where the same ends may show as one kind or as another.

What may have ended a connection and need not have (a message that was spoilt, an opening that was held up, bytes that
were held back), or a deed that is not known, raises `most` alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Final

from squall.analysis.fault_deeds import FaultDeeds
from squall.record.fault_log import Deed
from squall.record.outcomes import Trouble
from squall.record.reconciliation import FaultedErrors

__all__ = ["errors_by_faults"]

_Way = tuple[int, Callable[[Trouble], bool]]
"""How many connections a fault may have ended in a way, and which errors that can show as."""
_ANY_NUMBER: Final = 1 << 62


def errors_by_faults(
    troubles: Mapping[Trouble, int], deeds: FaultDeeds, *, is_whole: bool
) -> tuple[list[FaultedErrors], int, int]:
    """Of each kind of error how many are squall's own faults' doing, where any may be; and of all together at least and
    at most.

    Args:
        troubles: how often connections went wrong in which way.
        deeds: what the faults did.
        is_whole: these are all of their deeds.
    """
    suspects = {each: count for each, count in troubles.items() if count and _is_suspect(each)}
    known = [(times, _shows_of(*end)) for end, times in deeds.ends.items()]
    ways = known + _doubts(deeds) + ([] if is_whole else [(_ANY_NUMBER, _is_suspect)])
    found, least = [], _matched(suspects, known)
    for each in sorted(suspects, key=lambda each: (each.step, each.kind)):
        others = {other: count for other, count in suspects.items() if other != each}
        most = _matched({each: suspects[each]}, ways)
        if most:
            found.append(
                FaultedErrors(
                    step=each.step,
                    kind=each.kind,
                    count=suspects[each],
                    least=least - _matched(others, known),
                    most=most,
                )
            )
    return found, least, _matched(suspects, ways)


def _doubts(deeds: FaultDeeds) -> list[_Way]:
    """What may have ended connections, and need not have."""
    return [
        (len(deeds.damaged_connections), lambda error: error.step != "upgrade"),
        (deeds.unnamed.destroyed + deeds.unnamed.delayed, lambda error: error.step == "opening"),
        (_ANY_NUMBER if deeds.slowed else 0, _is_wait),
    ]


def _matched(errors: Mapping[Trouble, int], ways: Sequence[_Way]) -> int:
    """How many pairs of an error and an end that can show so there are at most, each in one pair (Hall's theorem)."""
    there: Counter[frozenset[Trouble]] = Counter()
    for times, shows in ways:
        there[frozenset(each for each in errors if shows(each))] += times
    return min(
        sum(times for shown, times in there.items() if shown not in some)
        + sum(errors[each] for each in frozenset().union(*some))
        for size in range(len(there) + 1)
        for some in combinations(there, size)
    )


def _is_suspect(error: Trouble) -> bool:
    """Whether what a proxy does to a connection can show so."""
    return error.blame == "target" and error.step in ("upgrade", "opening", "open", "close")


def _shows_of(deed: Deed, direction: str) -> Callable[[Trouble], bool]:
    """Which errors the end of a connection can show as: what ends the way up is the service's to answer."""
    if deed == "reset":
        return lambda error: error.kind == "reset"
    if deed == "closed" and direction == "down":
        return _is_close_frame
    if deed == "limited" or direction == "down":
        return _is_broken
    if deed == "closed":
        return lambda error: _is_broken(error) or _is_close_frame(error)
    return lambda error: _is_broken(error) or _is_close_frame(error) or error.kind == "not_answered"


def _is_broken(error: Trouble) -> bool:
    """It ended without a word."""
    return error.kind in ("reset", "closed", "closed_without_frame")


def _is_close_frame(error: Trouble) -> bool:
    return error.kind.removeprefix("closed_").isdecimal()


def _is_wait(error: Trouble) -> bool:
    return error.kind == "not_answered" or error.kind.startswith("timeout")
