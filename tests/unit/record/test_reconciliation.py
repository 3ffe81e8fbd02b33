"""A reconciliation keeps its shape on the way through a record."""

from __future__ import annotations

import msgspec

from squall.record.reconciliation import Explanation, FaultAccount, Reconciliation, Unexplained


def test_it_comes_back_as_it_was() -> None:
    lost = Explanation(
        outcome="lost", total=5, explained=3, possible=0, unexplained=2, basis="number", by_fault={"drop": 3}
    )
    made = Reconciliation(
        faults=[FaultAccount(name="drop", kind="drop", deeds={"dropped": 3})],
        outcomes=[lost],
        unexplained=[Unexplained(stream=4, ranges=[(7, 9)])],
        problems=["a log is cut short"],
        delayed=2,
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=Reconciliation) == made
