"""Parts of a run are all of it, and never too many."""

from __future__ import annotations

from made_runs import S, connections, messages, phase, second, some_totals
from squall.metrics.catalogue import CATALOGUE
from squall.metrics.parts import OTHER, connection_parts, message_parts
from squall.metrics.totals import EVERYTHING, Selection, Totals
from squall.record.outcomes import Trouble

LOST = CATALOGUE["ws_msgs_lost"]


def a_run() -> Totals:
    refused = Trouble("connect", "refused", "target")
    return some_totals(
        second(
            0,
            messages(4, phase=0, lost=1, delivered=3, response_ms=[1, 2, 3]),
            messages(6, phase=0, type=1, place=1),
            messages(5, phase=0, type=1, place=0, lost=2, delivered=3),
            connections(3, failed=1, attempted=4, troubles=[(refused, 1)]),
            connections(2, place=1, close_codes={1000: 2}),
        ),
        second(1, messages(7, phase=2), connections(1, phase=2)),
        phases=[phase(0, "hold", "sustained", 0, 1), phase(2, "hold", "sustained", 1, 2)],
        types=[["chat", "typing"]],
    )


def test_messages_are_cut_by_population_type_and_phase() -> None:
    totals = a_run()
    parts = list(message_parts(totals, most=10))
    assert [tuple(part.labels.values()) for part in parts] == [
        ("main", "chat", "hold"),
        ("main", "typing", "hold"),
    ]
    assert [LOST.read(part, EVERYTHING) for part in parts] == [1, 2]
    assert sum(part.messages().intended for part in parts) == totals.messages().intended
    for part in parts:
        selection = Selection(**part.labels)
        assert LOST.read(part, EVERYTHING) == LOST.read(totals, selection)
        assert part.messages().response == totals.messages(selection).response


def test_connections_are_cut_by_population_and_phase() -> None:
    totals = a_run()
    [part] = connection_parts(totals, most=10)
    assert part.labels == {"population": "main", "phase": "hold"}
    assert part.connections() == totals.connections()
    errors = CATALOGUE["ws_errors"]
    assert errors.read(part, Selection(kind="refused")) == 1
    assert errors.read(part, Selection(kind="reset")) == 0
    assert CATALOGUE["ws_close_code"].read(part, Selection(code=1000)) == 2


def test_what_is_past_the_limit_is_one_part_and_nothing_is_lost() -> None:
    cells = [messages(1, phase=0, type=number) for number in range(9)]
    names = [f"type {number}" for number in range(9)]
    totals = some_totals(second(0, *cells), phases=[phase(0, "hold", "sustained", 0, 1)], types=[names])
    parts = list(message_parts(totals, most=3))
    assert [part.labels["type"] for part in parts] == ["type 0", "type 1", "type 2", OTHER]
    assert [part.messages().intended for part in parts] == [1, 1, 1, 6]
    totals.add(second(1, messages(1, phase=0, type=1), messages(1, phase=0, type=8)))
    assert [part.messages().intended for part in message_parts(totals, most=3)] == [1, 2, 1, 7]
    assert totals.last_at_ns == 2 * S


def test_a_phase_that_nobody_told_of_has_its_number() -> None:
    totals = some_totals(second(0, messages(1, phase=7)))
    assert [part.labels["phase"] for part in message_parts(totals, most=3)] == ["7"]
