"""What is gathered from the logs of faults: which attempts were destroyed, and that memory is bounded."""

from __future__ import annotations

from typing import Any

import pytest

from squall.analysis import fault_deeds
from squall.analysis.fault_deeds import FaultDeeds, Sending
from squall.record.fault_log import FaultEntry

S = 10**9


def entry(what: str, sequence: int | None = 1, attempt: int | None = 1, **more: Any) -> FaultEntry:
    given: dict[str, Any] = {
        "at_ns": 1,
        "connection": 1,
        "direction": "up",
        "frame": 1,
        "fault": "f",
        "stream": 7,
    }
    return FaultEntry(what=what, sequence=sequence, attempt=attempt, **given | more)  # type: ignore[arg-type] # its words


def deeds(*entries: FaultEntry) -> FaultDeeds:
    made = FaultDeeds()
    for each in entries:
        made.add(each)
    return made


@pytest.mark.parametrize("what", ["dropped", "discarded", "truncated", "corrupted"])
def test_what_destroys_an_attempt(what: str) -> None:
    found = deeds(entry(what))
    assert found.destroyer((7, 1), Sending(1)) == "f"
    assert found.destroyer((7, 1), Sending(2)) is None
    assert found.destroyer((7, 2), Sending(1)) is None


@pytest.mark.parametrize("what", ["delayed", "reordered", "duplicated", "passed"])
def test_what_lets_it_pass(what: str) -> None:
    found = deeds(entry("held"), entry(what))
    found.settle()
    assert found.destroyer((7, 1), Sending(1)) is None


def test_one_attempt_destroyed_twice_is_one() -> None:
    found = deeds(
        entry("dropped"), entry("dropped", direction="down", is_ack=True), entry("dropped", attempt=2)
    )
    assert found.destroyer((7, 1), Sending(2)) == "f"
    assert found.destroyer((7, 1), Sending(3)) is None
    assert found.touched == 1


def test_what_the_service_alone_sends_again_is_over_where_it_never_came_there() -> None:
    by_service = Sending(3, by_service=True)
    assert deeds(entry("dropped")).destroyer((7, 1), by_service) == "f"
    assert deeds(entry("dropped")).destroyer((7, 1), Sending(3)) is None
    pushed = [entry("dropped", direction="down", attempt=attempt) for attempt in (1, 2, 3)]
    assert deeds(*pushed[:2]).destroyer((7, 1), by_service) is None
    assert deeds(*pushed).destroyer((7, 1), by_service) == "f"
    assert deeds(entry("dropped", is_ack=True)).destroyer((7, 1), by_service) is None


def test_a_copy_that_is_delivered_once_has_no_other() -> None:
    delivered_once = Sending(4, delivered_once=True)
    down = entry("dropped", direction="down", is_ack=False)
    assert deeds(down).destroyer((7, 1), delivered_once) == "f"
    assert deeds(down).destroyer((7, 1), Sending(4)) is None
    acknowledgement = entry("dropped", direction="down", is_ack=True)
    assert deeds(acknowledgement).destroyer((7, 1), delivered_once) is None
    assert deeds(entry("dropped")).destroyer((7, 1), delivered_once) is None
    both = deeds(down, acknowledgement, entry("dropped", 2, direction="down", attempt=15))
    assert both.destroyer((7, 1), delivered_once) == both.destroyer((7, 2), delivered_once) == "f"


def test_of_a_message_to_several_receivers_each_copy_counts() -> None:
    made = FaultDeeds(lambda _stream: 3)
    for connection in (4, 4, 5):
        made.add(entry("dropped", direction="down", connection=connection))
    made.add(entry("dropped", 2, direction="down"), 0)
    made.add(entry("dropped", 2, direction="down"), 1)  # of another proxy
    made.add(entry("dropped", 3))
    made.add(entry("dropped", 3, direction="down"))
    made.add(entry("duplicated", 8))
    assert {message[1]: count for message, _, count in made.destroyed(lambda _: Sending())} == {
        1: 2,
        2: 2,
        3: 3,
    }
    assert made.copies == 3


def test_copies_that_are_held_for_several_receivers_go_on_each_for_itself() -> None:
    made = FaultDeeds(lambda _stream: 3)
    for connection in (4, 5):
        made.add(entry("held", direction="down", connection=connection))
    made.add(entry("delayed", direction="down", connection=5))
    made.settle()
    assert [(message[1], count) for message, _, count in made.destroyed(lambda _: Sending())] == [(1, 1)]


def test_what_is_held_on_its_way_up_is_late_for_each_receiver() -> None:
    def held(sequence: int, **more: Any) -> list[FaultEntry]:
        return [entry(what, sequence, **more) for what in ("held", "delayed")]

    made = FaultDeeds(lambda _stream: 3)
    log = [*held(1), *held(2, direction="down", connection=4), *held(2, direction="down", connection=5)]
    log += [*held(3, direction="down"), *held(3), *held(3, direction="down", connection=6)]
    for each in log:
        made.add(each)
    assert (len(made.delayed), made.delayed_copies) == (3, 3 + 2 + 3)
    assert deeds(*held(1), *held(1, direction="down"), *held(2)).delayed_copies == 2


def test_an_entry_without_a_fault_says_nothing() -> None:
    found = deeds(entry("discarded", fault=""), entry("upstream_lost", None, fault=""))
    assert (found.touched, dict(found.by_fault), found.endings) == (0, {}, 0)


def test_a_flipped_bit_outside_of_a_message_may_end_its_connection() -> None:
    found = deeds(entry("corrupted", None))
    assert (found.ended, found.damaged, found.spoilt) == ({7: [(1, "f")]}, {7: "f"}, 1)


def test_an_end_takes_along_only_what_was_sent_before_it_or_at_once_behind_it() -> None:
    made = FaultDeeds(start_ns=100 * S)
    for at_s, fault in ((110, "a"), (130, "b")):
        made.add(entry("reset", None, None, at_ns=at_s * S, fault=fault))
    made.cut("cut", {8: 40 * S}, 1)

    def ender(first_s: float, last_s: float, *streams: int) -> tuple[str | None, bool]:
        return made.ender(streams or (7,), (int(first_s * S), int(last_s * S)))

    assert ender(8, 10) == ("a", True)
    assert ender(10, 10.9) == ("a", True)  # nobody on this side knew of it yet
    assert ender(11.5, 30) == ("b", True)
    assert ender(8, 50) == (None, True)
    assert ender(48, 50) == (None, False)
    assert ender(39, 40, 7, 8) == ("cut", True)
    assert ender(8, 9, 9) == (None, False)
    assert made.ender((7,), None) == (None, True)


def test_of_very_many_ends_of_a_stream_the_last_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_deeds, "_ENDS_MAX", 2)
    found = deeds(*(entry("reset", None, None, at_ns=number * S) for number in (1, 2, 4, 3)))
    assert found.ended[7] == [(1 * S, "f"), (4 * S, "f")]


def test_memory_is_bounded_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fault_deeds, "MESSAGES_MAX", 3)
    found = deeds(*(entry("dropped", number) for number in range(5)))
    assert (found.touched, found.is_whole) == (3, False)
    assert found.by_fault["f"]["dropped"] == 5
