"""Errors of connections held against what faults ended: each end is one error at most, and no error is taken twice."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.analysis.fault_deeds import FaultDeeds
from squall.analysis.fault_ends import errors_by_faults
from squall.record.fault_log import FaultEntry
from squall.record.outcomes import Trouble

RESET = Trouble("open", "reset", "target")
SILENT = Trouble("open", "closed_without_frame", "target")
CLOSED = Trouble("open", "closed_1011", "target")
UNANSWERED = Trouble("close", "not_answered", "target")
REFUSED = Trouble("connect", "refused", "target")


def deed(what: str, connection: int, **more: Any) -> FaultEntry:
    given: dict[str, Any] = {"at_ns": 1, "direction": "down", "frame": None, "fault": "f"}
    return FaultEntry(what=what, connection=connection, **given | more)  # type: ignore[arg-type] # its words


def deeds_of(**times: int) -> FaultDeeds:
    """So many connections that were ended in each way, on the way up where there is one."""
    deeds, number = FaultDeeds(), 0
    for what, count in times.items():
        for _ in range(count):
            number += 1
            deeds.add(deed(what, number, direction="up"))
    return deeds


def found(
    troubles: dict[Trouble, int], deeds: FaultDeeds, *, is_whole: bool = True
) -> tuple[dict[str, tuple[int, int]], int, int]:
    errors, least, most = errors_by_faults(troubles, deeds, is_whole=is_whole)
    assert all(troubles[Trouble(each.step, each.kind, "target")] == each.count for each in errors)  # type: ignore[arg-type] # its words
    return {each.kind: (each.least, each.most) for each in errors}, least, most


def test_as_many_resets_as_faults_did_are_theirs_and_the_rest_is_the_targets() -> None:
    assert found({RESET: 7}, deeds_of(reset=7)) == ({"reset": (7, 7)}, 7, 7)
    assert found({RESET: 7}, deeds_of(reset=5)) == ({"reset": (5, 5)}, 5, 5)
    assert found({RESET: 7}, deeds_of(reset=9)) == ({"reset": (7, 7)}, 7, 7)
    assert found({RESET: 7}, FaultDeeds()) == ({}, 0, 0)


def test_what_an_end_cannot_show_as_is_not_taken_for_it() -> None:
    assert found({SILENT: 7, CLOSED: 1, REFUSED: 3}, deeds_of(reset=5)) == ({}, 0, 0)
    assert found({SILENT: 7, CLOSED: 1}, deeds_of(limited=5)) == ({"closed_without_frame": (5, 5)}, 5, 5)


def test_what_ends_the_way_down_shows_as_it_was_put_in() -> None:
    errors, deeds = {SILENT: 4, CLOSED: 4, UNANSWERED: 1}, FaultDeeds()
    deeds.add(deed("closed", 1))
    assert found(errors, deeds) == ({"closed_1011": (1, 1)}, 1, 1)
    deeds.add(deed("half_closed", 2))
    assert found(errors, deeds) == ({"closed_1011": (1, 1), "closed_without_frame": (1, 1)}, 2, 2)
    whole = {"closed_1011": (0, 4), "closed_without_frame": (0, 4), "not_answered": (0, 1)}
    assert found(errors, deeds_of(half_closed=4)) == (whole, 4, 4)


def test_where_an_end_may_show_as_one_error_or_another_it_is_not_settled_and_not_counted_twice() -> None:
    errors = {RESET: 4, CLOSED: 3}
    assert found(errors, deeds_of(closed=5)) == ({"reset": (2, 4), "closed_1011": (1, 3)}, 5, 5)
    assert found(errors, deeds_of(closed=5, reset=1)) == ({"reset": (3, 4), "closed_1011": (2, 3)}, 6, 6)
    assert found(errors, deeds_of(closed=7)) == ({"reset": (4, 4), "closed_1011": (3, 3)}, 7, 7)


def test_a_connection_that_was_ended_twice_is_one() -> None:
    deeds = deeds_of(half_closed=1)
    deeds.add(deed("half_closed", 1, direction="up"))
    deeds.add(deed("reset", 1))
    assert found({SILENT: 4}, deeds) == ({"closed_without_frame": (1, 1)}, 1, 1)
    deeds.add(deed("reset", 1), log=1)  # that of another proxy
    assert found({SILENT: 4, RESET: 4}, deeds)[1:] == (2, 2)


def test_what_was_spoilt_or_held_up_may_have_ended_connections_and_need_not() -> None:
    deeds = FaultDeeds()
    for connection in (1, 1, 2):
        deeds.add(deed("corrupted", connection, frame=3))
    assert found({CLOSED: 4}, deeds) == ({"closed_1011": (0, 2)}, 0, 2)
    assert found({CLOSED: 4, RESET: 3}, deeds) == ({"closed_1011": (0, 2), "reset": (0, 2)}, 0, 2)
    slow = FaultDeeds()
    slow.slows("hole")
    assert found({UNANSWERED: 4, RESET: 1}, slow) == ({"not_answered": (0, 4)}, 0, 4)
    login = FaultDeeds()
    login.add(deed("dropped", 1, frame=1, size_bytes=9))
    assert found({Trouble("opening", "timeout", "target"): 4}, login) == ({"timeout": (0, 1)}, 0, 1)


def test_where_deeds_are_missing_any_of_them_may_be() -> None:
    errors = {RESET: 4, CLOSED: 3, REFUSED: 2, Trouble("open", "reset", "network"): 1}
    got = found(errors, deeds_of(reset=1), is_whole=False)
    assert got == ({"reset": (1, 4), "closed_1011": (0, 3)}, 1, 7)


ENDS = {"reset": (RESET,), "limited": (RESET, SILENT), "closed": (RESET, SILENT, CLOSED)}


@given(st.lists(st.tuples(st.sampled_from([*ENDS]), st.integers(0, 2)), max_size=20), st.data())
def test_what_faults_did_lies_between_least_and_most(
    ends: list[tuple[str, int]], data: st.DataObject
) -> None:
    """A world in which it is known whose doing each error was: every end shows, and the target did some as well."""
    by_faults = Counter(ENDS[what][which % len(ENDS[what])] for what, which in ends)
    by_target = Counter({each: data.draw(st.integers(0, 5)) for each in (RESET, SILENT, CLOSED)})
    errors, least, most = errors_by_faults(
        by_faults + by_target, deeds_of(**Counter(what for what, _ in ends)), is_whole=True
    )
    assert least == most == len(ends)
    for each in errors:
        did = by_faults[Trouble(each.step, each.kind, "target")]  # type: ignore[arg-type] # its words
        assert each.least <= did <= each.most <= each.count


@pytest.mark.parametrize("what", ["off", "delayed", "upstream_lost"])
def test_what_ends_nothing_explains_no_error(what: str) -> None:
    assert found({RESET: 2}, deeds_of(**{what: 3})) == ({}, 0, 0)
