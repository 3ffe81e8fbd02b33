"""Reconciliation against worlds in which each message's fate is known: nothing is explained that no fault did."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from squall.analysis.fault_deeds import FaultDeeds, Sending
from squall.analysis.reconcile import Ledger, Missing, reconcile
from squall.record.fault_log import FaultEntry
from squall.record.reconciliation import Explanation, Reconciliation

KINDS = {"drop": "drop", "reset": "reset", "slow": "delay", "twice": "duplicate", "flip": "corrupt"}

S = 10**9

FATES = ("arrives", "dropped up", "dropped down", "lost by the service", "delayed", "held for good")


def entry(what: str, stream: int | None = None, sequence: int | None = None, **more: Any) -> FaultEntry:
    given: dict[str, Any] = {
        "at_ns": 1,
        "connection": 1,
        "direction": "up",
        "frame": 1,
        "fault": "drop",
        "attempt": 1,
    }
    if sequence is not None:
        given["is_ack"] = False
    return FaultEntry(what=what, stream=stream, sequence=sequence, **given | more)  # type: ignore[arg-type] # its words


def deeds_of(entries: Iterable[FaultEntry]) -> FaultDeeds:
    deeds = FaultDeeds()
    for each in entries:
        deeds.add(each)
    return deeds


def ledger(missing: Iterable[Missing] = (), **counts: int) -> Ledger:
    listed = tuple(missing)
    of = Counter[bool]()
    for each in listed:
        of[each.unknown] += each.end - each.first
    plain = {"lost": of[False], "unknown": of[True], "late": 0, "duplicated": 0, "corrupted": 0, "dropped": 0}
    return Ledger(missing=listed, **plain | counts)


def outcome(found: Reconciliation, name: str) -> Explanation:
    return next(each for each in found.outcomes if each.outcome == name)


worlds = st.dictionaries(
    st.tuples(st.integers(0, 8), st.integers(0, 20)), st.sampled_from(FATES), min_size=1, max_size=80
)


def log_of(world: dict[tuple[int, int], str]) -> list[FaultEntry]:
    found = []
    for (stream, sequence), fate in world.items():
        if fate.startswith("dropped"):
            found.append(entry("dropped", stream, sequence, direction=fate.removeprefix("dropped ")))
        elif fate in ("delayed", "held for good"):
            found.append(entry("held", stream, sequence, fault="slow"))
        if fate == "delayed":
            found.append(entry("delayed", stream, sequence, fault="slow"))
    return found


@given(worlds)
def test_each_lost_message_is_explained_by_what_destroyed_it_and_by_nothing_else(
    world: dict[tuple[int, int], str],
) -> None:
    lost = sorted(key for key, fate in world.items() if fate not in ("arrives", "delayed"))
    found = reconcile(
        ledger(Missing(stream, number, number + 1, unknown=False) for stream, number in lost),
        deeds_of(log_of(world)),
        KINDS,
    )
    fates = Counter(world.values())
    by_service = {key for key, fate in world.items() if fate == "lost by the service"}
    got = outcome(found, "lost")
    by_fault = {"drop": fates["dropped up"] + fates["dropped down"], "slow": fates["held for good"]}
    assert got.basis == "number"
    assert got.by_fault == {name: count for name, count in by_fault.items() if count}
    assert (got.explained, got.possible, got.unexplained) == (len(lost) - len(by_service), 0, len(by_service))
    named = {
        (each.stream, number)
        for each in found.unexplained
        for first, end in each.ranges
        for number in range(first, end)
    }
    assert named == by_service
    assert found.delayed == fates["delayed"]
    assert found.delayed_lost == 0


@given(worlds, st.integers(0, 8))
def test_streams_that_are_not_listed_are_reconciled_by_count(
    world: dict[tuple[int, int], str], listed: int
) -> None:
    lost = sorted(key for key, fate in world.items() if fate not in ("arrives", "delayed"))
    missing = [
        Missing(stream, number, number + 1, unknown=False) for stream, number in lost if stream < listed
    ]
    found = outcome(reconcile(ledger(missing, lost=len(lost)), deeds_of(log_of(world)), KINDS), "lost")
    unexplained = sum(fate == "lost by the service" for fate in world.values())
    assert (found.explained, found.unexplained) == (len(lost) - unexplained, unexplained)
    assert found.basis == ("number" if len(missing) == len(lost) else "count")


@given(worlds, st.integers(0, 4))
def test_streams_whose_list_is_cut_short_are_reconciled_by_count_for_the_rest(
    world: dict[tuple[int, int], str], kept: int
) -> None:
    lost = sorted(key for key, fate in world.items() if fate not in ("arrives", "delayed"))
    by_stream: dict[int, list[int]] = {}
    for stream, number in lost:
        by_stream.setdefault(stream, []).append(number)
    missing = [
        Missing(stream, number, number + 1, unknown=False)
        for stream, numbers in by_stream.items()
        for number in numbers[:kept]
    ]
    short = frozenset(stream for stream, numbers in by_stream.items() if len(numbers) > kept)
    counted = dataclasses.replace(ledger(missing, lost=len(lost)), cut_short=short)
    found = outcome(reconcile(counted, deeds_of(log_of(world)), KINDS), "lost")
    unexplained = sum(fate == "lost by the service" for fate in world.values())
    assert (found.explained, found.unexplained) == (len(lost) - unexplained, unexplained)


def test_a_message_with_retries_is_explained_only_where_every_attempt_was_destroyed() -> None:
    entries = [entry("dropped", 3, 7, attempt=attempt) for attempt in (1, 2)]
    entries += [
        entry("dropped", 3, 8, attempt=attempt, direction="down", is_ack=attempt == 2)
        for attempt in (1, 2, 3)
    ]
    counted = ledger([Missing(3, 7, 9, unknown=False)])
    found = reconcile(dataclasses.replace(counted, sending_of=lambda _: Sending(3)), deeds_of(entries), KINDS)
    assert outcome(found, "lost").by_fault == {"drop": 1}
    assert [each.ranges for each in found.unexplained] == [[(7, 8)]]


def test_where_the_service_delivers_once_a_copy_that_was_destroyed_explains_what_was_acknowledged() -> None:
    log = [entry("dropped", 3, 7, direction="down")]
    log += [entry("dropped", 3, 8, direction="down", is_ack=True)]
    counted = dataclasses.replace(
        ledger([Missing(3, 7, 9, unknown=False)]), sending_of=lambda _: Sending(4, delivered_once=True)
    )
    found = reconcile(counted, deeds_of(log), KINDS)
    assert outcome(found, "lost").by_fault == {"drop": 1}
    assert [each.ranges for each in found.unexplained] == [[(8, 9)]]
    unlisted = dataclasses.replace(counted, missing=(), lost=2)
    assert outcome(reconcile(unlisted, deeds_of(log), KINDS), "lost").unexplained == 1


def test_streams_that_are_not_listed_go_by_how_each_is_sent() -> None:
    log = [entry("dropped", stream, 0) for stream in (0, 1)]
    counted = dataclasses.replace(
        ledger(lost=2), sending_of=lambda stream: Sending(4) if stream else Sending()
    )
    assert outcome(reconcile(counted, deeds_of(log), KINDS), "lost").unexplained == 1


def test_unknown_ones_are_explained_by_the_fault_that_ended_their_connection() -> None:
    log = [entry("reset", 3, fault="reset")]
    missing = [Missing(3, 5, 8, unknown=True, sent=(0, 1)), Missing(4, 2, 4, unknown=True, sent=(0, 1))]
    found = outcome(reconcile(ledger(missing, dropped=2), deeds_of(log), KINDS), "unknown")
    assert (found.explained, found.possible, found.unexplained) == (3, 0, 2)
    assert found.by_fault == {"reset": 3}


def test_a_fault_that_ended_a_connection_does_not_explain_what_a_later_one_took_along() -> None:
    log = [entry("reset", stream, fault="reset", at_ns=10 * S, connection=stream) for stream in (1, 2, 3)]
    times = {1: (48 * S, 50 * S), 2: (9 * S, 50 * S), 3: None}
    missing = [Missing(stream, 5, 7, unknown=True, sent=sent) for stream, sent in times.items()]
    whole = reconcile(ledger(missing, dropped=6), deeds_of(log), KINDS)
    found = outcome(whole, "unknown")
    assert (found.explained, found.possible, found.unexplained) == (0, 4, 2)
    assert [each.stream for each in whole.unexplained] == [1]
    no_other = outcome(reconcile(ledger(missing, dropped=3), deeds_of(log), KINDS), "unknown")
    assert (no_other.explained, no_other.possible, no_other.unexplained) == (4, 0, 2)


def test_what_is_owed_to_another_is_explained_by_the_end_of_his_connection() -> None:
    missing = [Missing(4, 2, 4, unknown=True, member=member, sent=(0, 1)) for member in (3, 5)]
    found = reconcile(ledger(missing, dropped=2), deeds_of([entry("reset", 3, fault="reset")]), KINDS)
    assert outcome(found, "unknown").explained == 2


def test_unlisted_unknown_ones_are_explained_where_every_drop_was_a_faults() -> None:
    log = [entry("reset", None, fault="reset", connection=number) for number in range(4)]
    counted = ledger(unknown=9, dropped=4)
    whole = reconcile(counted, deeds_of(log), KINDS)
    assert (whole.dropped, whole.ended) == (4, 4)
    found = outcome(whole, "unknown")
    assert (found.explained, found.possible, found.unexplained) == (9, 0, 0)
    more = outcome(reconcile(ledger(unknown=9, dropped=5), deeds_of(log), KINDS), "unknown")
    assert (more.explained, more.possible, more.unexplained) == (0, 9, 0)


def nameless(counted: Ledger) -> Ledger:
    """The messages of a service in a language of its own: no proxy can read which one is which."""
    return dataclasses.replace(counted, sending_of=lambda _: Sending(is_named=False))


def test_what_was_done_to_messages_that_nobody_can_tell_apart_is_possible_by_count() -> None:
    log = [entry("dropped", size_bytes=40) for _ in range(3)]
    log += [entry("held", size_bytes=40, frame=number, fault="slow") for number in range(3)]
    log += [entry("delayed", size_bytes=40, frame=number, fault="slow") for number in range(2)]
    log += [
        entry("duplicated", size_bytes=40, fault="twice"),
        entry("corrupted", size_bytes=40, fault="flip"),
    ]
    counted = nameless(
        ledger([Missing(3, 5, 8, unknown=False)], late=4, lost=3, unknown=1, duplicated=2, corrupted=2)
    )
    found = reconcile(counted, deeds_of(log), KINDS)
    # Five were destroyed: three dropped, one spoilt, one held for good. One that arrived may be late by that.
    assert [(each.possible, each.unexplained) for each in found.outcomes] == [
        (3, 0), (1, 0), (3, 1), (1, 1), (1, 1),
    ]  # fmt: skip
    assert all(each.explained == 0 for each in found.outcomes)
    assert found.unexplained == []


def test_what_the_service_lost_beyond_that_is_unexplained_and_nobody_can_say_which() -> None:
    log = [entry("dropped", size_bytes=40)]
    found = reconcile(nameless(ledger([Missing(3, 5, 8, unknown=False)])), deeds_of(log), KINDS)
    assert (outcome(found, "lost").possible, outcome(found, "lost").unexplained) == (1, 2)
    assert found.unexplained == []
    clean = reconcile(nameless(ledger([Missing(3, 5, 8, unknown=False)])), deeds_of([]), KINDS)
    assert [each.ranges for each in clean.unexplained] == [[(5, 8)]]


def test_what_faults_did_to_connections_of_nobody_knows_whom_may_be_of_any_that_cannot_be_told_apart() -> (
    None
):
    log, missing = [entry("reset", None, fault="reset")], [Missing(3, 5, 8, unknown=True)]
    ended = [
        outcome(reconcile(nameless(ledger(missing, dropped=dropped)), deeds_of(log), KINDS), "unknown")
        for dropped in (1, 2)
    ]
    assert [(each.explained, each.possible) for each in ended] == [(3, 0), (0, 3)]
    lost = nameless(ledger([Missing(3, 5, 8, unknown=False)], dropped=1))
    assert outcome(reconcile(lost, deeds_of(log), KINDS), "lost").unexplained == 3
    flipped = [entry("corrupted", None, fault="flip")]
    assert outcome(reconcile(lost, deeds_of(flipped), KINDS), "lost").possible == 3
    late = dataclasses.replace(nameless(ledger(late=1, dropped=2)), late_messages=((3, 5),))
    assert outcome(reconcile(late, deeds_of(log), KINDS), "late").possible == 1


def test_cut_sessions_explain_what_was_on_their_way() -> None:
    deeds = FaultDeeds()
    deeds.cut("cut", {5: 7, 6: 8}, 2)
    missing = [Missing(stream, 1, 2, unknown=True, sent=(6, 6)) for stream in (5, 9)]
    found = reconcile(ledger(missing, dropped=3), deeds, {"cut": "cut"})
    assert outcome(found, "unknown").by_fault == {"cut": 1}
    assert outcome(found, "unknown").unexplained == 1
    assert found.faults[0].deeds == {"struck": 2}


def test_late_ones_are_explained_by_count_and_possible_where_all_was_slowed() -> None:
    log = [entry(what, 1, number, fault="slow") for number in range(3) for what in ("held", "delayed")]
    log += [entry("dropped", 2, 0)]  # brought by a retry
    assert outcome(reconcile(ledger(late=6), deeds_of(log), KINDS), "late").unexplained == 2
    deeds = deeds_of(log)
    deeds.slows("latency")
    found = outcome(reconcile(ledger(late=6), deeds, KINDS), "late")
    assert (found.explained, found.possible, found.unexplained) == (4, 2, 0)


def test_in_a_room_one_that_was_held_on_its_way_up_is_late_for_all() -> None:
    deeds = FaultDeeds(lambda _stream: 3)
    for what in ("held", "delayed"):
        deeds.add(entry(what, 1, 7, fault="slow"))
    found = outcome(reconcile(ledger(late=4), deeds, KINDS), "late")
    assert (found.explained, found.possible, found.unexplained) == (3, 0, 1)


def test_late_ones_that_are_listed_are_looked_up() -> None:
    log = [entry(what, 1, 7, fault="slow") for what in ("held", "delayed")]
    log += [entry("dropped", 2, 0), entry("reset", 5, fault="cut")]
    late = ((1, 7), (1, 8), (2, 0), (5, 3), (1, 9))
    listed = dataclasses.replace(ledger(late=len(late)), late_messages=late)
    whole = reconcile(listed, deeds_of(log), KINDS)
    found = outcome(whole, "late")
    assert (found.basis, found.by_fault) == ("number", {"drop": 1, "slow": 1})
    assert (found.explained, found.possible, found.unexplained) == (2, 1, 2)
    assert [(each.stream, each.ranges) for each in whole.unexplained_late] == [(1, [(8, 10)])]


def test_a_bit_that_was_flipped_somewhere_may_have_cost_a_message() -> None:
    log = [entry("corrupted", 3, fault="flip")]
    missing = [Missing(3, 5, 7, unknown=False), Missing(4, 5, 6, unknown=False)]
    found = outcome(reconcile(ledger(missing), deeds_of(log), KINDS), "lost")
    assert (found.explained, found.possible, found.unexplained) == (0, 2, 1)


def test_nothing_is_unexplained_where_a_proxy_could_not_say_all_it_did() -> None:
    of = ledger([Missing(3, 5, 7, unknown=True), Missing(4, 5, 6, unknown=False)], late=1, duplicated=2)
    log = [entry("dropped", 3, 5)]
    whole = reconcile(of, deeds_of(log), KINDS)
    assert [each.unexplained for each in whole.outcomes] == [1, 1, 1, 2, 0]
    assert {each.stream for each in whole.unexplained} == {3, 4}
    killed = reconcile(of, deeds_of(log), KINDS, ["the proxy was ended by signal 9"])
    assert [each.unexplained for each in killed.outcomes] == [0, 0, 0, 0, 0]
    assert [each.possible for each in killed.outcomes] == [1, 1, 1, 2, 0]
    assert outcome(killed, "unknown").by_fault == {"drop": 1}
    assert killed.unexplained == []


def test_copies_and_spoilt_messages_are_counted_and_acknowledgements_are_not_messages() -> None:
    log = [entry("duplicated", 1, number, fault="twice", is_ack=number > 2) for number in range(5)]
    log += [entry("corrupted", 1, number, fault="flip") for number in range(2)]
    found = reconcile(ledger(duplicated=4, corrupted=2), deeds_of(log), KINDS)
    assert outcome(found, "duplicated").unexplained == 1
    assert outcome(found, "corrupted").unexplained == 0


def test_an_empty_log_explains_nothing() -> None:
    found = reconcile(
        ledger([Missing(0, 0, 5, unknown=False)], late=2, duplicated=3, corrupted=1),
        FaultDeeds(),
        {"drop": "drop"},
    )
    assert [each.unexplained for each in found.outcomes] == [5, 0, 2, 3, 1]
    assert found.faults[0].deeds == {}


def test_what_no_fault_did_explains_nothing() -> None:
    log = [entry("discarded", 1, 1, fault=""), entry("upstream_lost", 1, fault="")]
    found = reconcile(ledger([Missing(1, 1, 2, unknown=False)]), deeds_of(log), {})
    assert outcome(found, "lost").unexplained == 1
