"""What a talk is told and says: what holds a secret does not show it."""

from __future__ import annotations

from squall.protocols.base import FOREIGN, Answered, Foreign, Pushed, Unexpected, Wrong


def test_events_are_told_apart_by_what_they_are() -> None:
    events = [Answered(3), Wrong(3, "wrong_status"), Unexpected("not_json"), FOREIGN, Pushed()]
    kinds = [Answered, Wrong, Unexpected, Foreign, Pushed]
    assert [[isinstance(event, kind) for kind in kinds].index(True) for event in events] == [0, 1, 2, 3, 4]
    assert all(sum(isinstance(event, kind) for kind in kinds) == 1 for event in events)


def test_a_push_of_which_nothing_is_asked_changes_nothing() -> None:
    assert Pushed() == (False, 0, 0, False, False, None, ())
