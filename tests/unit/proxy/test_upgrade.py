"""The end of an HTTP head, however it is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.proxy.upgrade import HEAD_MAX, HeadFinder
from unit.proxy.streams import chunked, cuts

ANSWER = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX: \r\r\n\n\r\n\r\n"


@given(rest=st.binary(max_size=20), places=cuts)
def test_the_end_is_found_wherever_it_is_cut(rest: bytes, places: list[int]) -> None:
    finder, before = HeadFinder(), 0
    for chunk in chunked(ANSWER + rest, places):
        at = finder.feed(chunk)
        if at >= 0:
            assert before + at == len(ANSWER)
            assert finder.status == 101
            return
        before += len(chunk)
    pytest.fail("no end was found")


@pytest.mark.parametrize(
    ("start", "status"),
    [(b"HTTP/1.1 404 Not", 404), (b"HTTP/1.0 200", 200), (b"GET / HTTP/1.1", None), (b"HTTP/1.1 20", 20)],
)
def test_the_status_is_read_where_there_is_one(start: bytes, status: int | None) -> None:
    finder = HeadFinder()
    for at in range(len(start)):
        finder.feed(start[at : at + 1])
    assert finder.status == status


def test_a_head_without_end_is_none() -> None:
    finder = HeadFinder()
    assert finder.feed(b"x" * HEAD_MAX) == -1
    assert not finder.is_endless
    assert finder.feed(b"x") == -1
    assert finder.is_endless
