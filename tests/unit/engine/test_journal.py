"""Events of a worker: the first of each kind are told, the rest are counted, and the counts are right."""

from __future__ import annotations

from squall.engine.journal import EACH_MAX, Journal


def test_a_few_events_are_told_as_they_are() -> None:
    journal = Journal(worker=3)
    journal.say(10, "drop", "reset (target)", 7)
    journal.say(20, "connect_failed", "refused", 8)
    events, untold = journal.take()
    assert [(event.at_ns, event.kind, event.text, event.worker, event.stream) for event in events] == [
        (10, "drop", "reset (target)", 3, 7),
        (20, "connect_failed", "refused", 3, 8),
    ]
    assert untold == 0
    assert journal.take() == ([], 0)


def test_of_a_burst_the_rest_is_one_line_and_other_kinds_are_still_told() -> None:
    journal = Journal(worker=0)
    for number in range(500):
        journal.say(number, "drop", "reset (target)", number)
    journal.say(600, "connect_failed", "refused", 1)
    events, untold = journal.take()
    assert untold == 500 - EACH_MAX
    assert [event.kind for event in events].count("drop") == EACH_MAX + 1
    assert [event.kind for event in events].count("connect_failed") == 1
    rest = events[-1]
    assert (rest.kind, rest.text, rest.at_ns) == ("drop", "and 480 more in the same second", EACH_MAX - 1)
    assert journal.take() == ([], 0)
