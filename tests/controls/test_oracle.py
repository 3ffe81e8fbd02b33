"""The oracle on logs written by hand, whose figures are counted by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from controls.oracle import judge, judge_frame
from controls.order import Arrived, gaps, overtaken, waits_ns
from controls.wire_log import Record, read_wire_log
from oracle.envelope import BINARY, TEXT, build

NAMES = {BINARY: "binary", TEXT: "text"}


class Book:
    """A log in the making; times go up by one a line."""

    def __init__(self, opcode: int = BINARY) -> None:
        self.opcode = opcode
        self.records: list[Record] = []

    def _add(self, conn: int, what: str, payload: bytes = b"", **more: Any) -> None:
        n = len(self.records) + 1
        op = more.pop("op", NAMES[self.opcode] if what in {"in", "out", "never"} else "")
        self.records.append(
            Record(
                n=n, at_ns=more.pop("at_ns", n), node=0, conn=conn, what=what, op=op, payload=payload, **more
            )
        )

    def message(self, sequence: int, *, stream: int = 7, **more: Any) -> bytes:
        body = b"the body of it" + bytes([48 + sequence])
        return build(opcode=self.opcode, stream=stream, sequence=sequence, attempt=1, body=body, **more)

    def opens(self, conn: int = 1, path: str = "/") -> None:
        self._add(conn, "open", path=path)

    def comes(self, payload: bytes, conn: int = 1) -> None:
        self._add(conn, "in", payload)

    def goes(self, payload: bytes, conn: int = 1, **more: Any) -> None:
        self._add(conn, "out", payload, **more)

    def closes(self, conn: int = 1, code: int = 1000) -> None:
        self._add(conn, "closed", code=code)


def said(book: Book) -> dict[str, int]:
    truth = judge(book.records)
    assert (truth.forged, truth.bad_in) == (0, 0)
    found = {name: value for name, value in vars(truth.total).items() if value}
    assert found.pop("timestamps_judged", 0) == truth.total.delivered
    return found


@pytest.mark.parametrize("opcode", [BINARY, TEXT])
def test_an_honest_echo_has_zeros(opcode: int) -> None:
    book = Book(opcode)
    book.opens()
    for number in range(3):
        book.comes(book.message(number))
        book.goes(book.message(number))
    book.closes()
    assert said(book) == {"sent": 3, "delivered": 3}


def test_what_is_missing_is_lost_or_unknown_by_the_end_of_its_connection() -> None:
    book = Book()
    book.opens()
    book.opens(2)
    for conn, stream in ((1, 7), (2, 8)):
        for number in range(3):
            book.comes(book.message(number, stream=stream), conn)
        book.goes(book.message(1, stream=stream), conn)
    book.closes(1)
    book.closes(2, code=1006)
    assert said(book) == {
        "sent": 6, "delivered": 2, "lost": 2, "unknown": 2, "gaps": 1, "messages_in_gaps": 1,
    }  # fmt: skip
    assert judge(book.records).of_stream(8).unknown == 2


def test_bad_copies_deliver_nothing_and_are_told_apart() -> None:
    book = Book()
    book.opens()
    whole = [book.message(number) for number in range(5)]
    for each in whole:
        book.comes(each)
    book.goes(whole[0][:-1] + b"?")
    book.goes(whole[1][:20] + b"?" + whole[1][21:])
    book.goes(b"?" + whole[2][1:])
    book.goes(b"??" + whole[2][2:])
    book.goes(whole[3], op="text")
    book.goes(whole[4][:47])
    book.goes(book.message(9))
    book.goes(book.message(0, stream=8))
    book.closes()
    assert said(book) == {
        "sent": 5, "lost": 5, "corrupted_body": 2, "corrupted_header": 2, "unexpected": 4,
    }  # fmt: skip


def test_a_copy_that_nobody_sent_is_noticed() -> None:
    book = Book()
    book.opens()
    book.comes(book.message(0))
    book.goes(build(opcode=BINARY, stream=7, sequence=0, attempt=1, body=b"made up"))
    assert judge(book.records).forged == 1


def test_order_is_judged_over_first_copies() -> None:
    book = Book()
    book.opens()
    kinds = [0, 0, 1, 0, 1]
    own = [0, 1, 0, 2, 1]
    whole = [
        book.message(number, message_type=kinds[number], type_sequence=own[number], intended_ns=10 * number)
        for number in range(5)
    ]
    for each in whole:
        book.comes(each)
    for at_ns, number in ((100, 0), (110, 3), (130, 3), (160, 1), (200, 2), (210, 4), (220, 1)):
        book.goes(whole[number], at_ns=at_ns)
    book.closes()
    # 1 and 2 came behind 3, at 110; of its own type only 1 did, and 3 had to wait for 2.
    assert said(book) == {
        "sent": 5, "delivered": 5, "duplicated": 2, "reordered": 2, "reordered_in_type": 1,
        "reorder_extent_sum": 1 + 2, "reorder_extent_max": 2, "reorder_late_ns_sum": 50 + 90,
        "reorder_late_ns_max": 90, "order_waited": 1, "order_wait_ns_sum": 90, "timestamps_wrong": 2,
    }  # fmt: skip
    assert judge(book.records).of_type(1).reordered == 1


def test_overtaken_waits_and_gaps_on_numbers_alone() -> None:
    arrivals = [Arrived(number, at_ns, 0, number) for number, at_ns in ((4, 10), (0, 20), (2, 25), (6, 30))]
    assert [(each.arrived.sequence, each.extent, each.late_ns) for each in overtaken(arrivals)] == [
        (0, 1, 10),
        (2, 2, 15),
    ]
    assert [(arrived.sequence, wait) for arrived, wait in waits_ns(arrivals)] == [(4, 15)]
    assert gaps([1, 3, 5, 7], arrivals) == [range(1, 2), range(3, 4), range(5, 6)]
    assert gaps([7, 8], arrivals) == []
    assert gaps([2, 1, 3], arrivals) == [range(1, 4)]


def test_each_bit_of_a_header_turned_over_is_a_bad_header_or_no_envelope() -> None:
    whole = build(sequence=5, attempt=1, body=b"body")
    for bit in range(48 * 8):
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        assert judge_frame(bytes(changed), opcode=BINARY, sent_as=BINARY)[0] == "corrupted_header"


def test_a_log_of_several_nodes_is_read_in_the_order_of_time(tmp_path: Path) -> None:
    lines = {
        0: [
            {"n": 1, "at_ns": 10, "conn": 1, "what": "open", "path": "/ack"},
            {"n": 2, "at_ns": 30, "conn": 1, "what": "in", "op": "binary", "hex": "00ff"},
        ],
        1: [{"n": 1, "at_ns": 20, "conn": 1, "what": "closed", "code": 1000}],
    }
    for node, found in lines.items():
        text = "".join(json.dumps(each) + "\n" for each in found)
        (tmp_path / f"node-{node}.jsonl").write_text(text + '{"n": 3, "at')
    records = read_wire_log(tmp_path)
    assert [(each.node, each.what, each.connection) for each in records] == [
        (0, "open", (0, 1)),
        (1, "closed", (1, 1)),
        (0, "in", (0, 1)),
    ]
    assert (records[0].path, records[1].code, records[2].payload) == ("/ack", 1000, b"\x00\xff")


def test_what_is_no_log_of_one_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="holds no wire log"):
        read_wire_log(tmp_path)
    book = Book()
    book.comes(book.message(0))
    book.comes(book.message(1, run=2))
    with pytest.raises(ValueError, match="not the log of one run"):
        judge(book.records)
