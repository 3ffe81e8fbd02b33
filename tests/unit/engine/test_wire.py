"""Framing: whatever way the bytes are cut, the messages are the same; what cannot be read ends the stream."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.engine import wire
from squall.engine.base import Done, End, Failed, FromWorker, Hello, StopSending, ToWorker
from squall.engine.wire import MESSAGE_MAX, CoordinatorEnd, Framer, WorkerEnd, encode
from squall.errors import FleetError

messages = st.one_of(
    st.builds(
        Hello,
        version=st.integers(0, 9),
        pid=st.integers(0, 1 << 31),
        monotonic_ns=st.just(5),
        compiled=st.booleans(),
    ),
    st.builds(Done, resources_left=st.integers(0, 1 << 40)),
    st.builds(Failed, message=st.text(max_size=300), exit_code=st.integers(0, 255)),
)


def framer() -> Framer[FromWorker]:
    return Framer(msgspec.msgpack.Decoder(FromWorker))


@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_messages_survive_any_cut_of_the_stream(sent: list[FromWorker], cuts: list[int]) -> None:
    stream = b"".join(encode(message) for message in sent)
    reader, got, at, turn = framer(), [], 0, 0
    while at < len(stream):
        step = cuts[turn % len(cuts)]
        got += reader.feed(stream[at : at + step])
        at, turn = at + step, turn + 1
    assert got == sent


def test_an_announced_size_above_the_limit_is_refused_before_it_is_read() -> None:
    with pytest.raises(FleetError, match="at most"):
        list(framer().feed((MESSAGE_MAX + 1).to_bytes(4, "big")))


def test_a_message_of_the_other_side_is_refused() -> None:
    with pytest.raises(FleetError, match="cannot be read"):
        list(framer().feed(encode(End())))


def test_a_message_above_the_limit_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MESSAGE_MAX", 1000)
    with pytest.raises(FleetError, match="larger than"):
        encode(Failed(message="x" * 1000, exit_code=1))


def run_pair(body: Callable[[CoordinatorEnd, WorkerEnd], Awaitable[None]]) -> None:
    async def both() -> None:
        ours, theirs = socket.socketpair()
        coordinator, worker = await CoordinatorEnd.open(ours), await WorkerEnd.open(theirs.detach())
        try:
            await body(coordinator, worker)
        finally:
            await worker.close()
            await coordinator.close()

    asyncio.run(both())


def test_both_ends_talk_in_order_and_see_the_end() -> None:
    async def body(coordinator: CoordinatorEnd, worker: WorkerEnd) -> None:
        sent: list[ToWorker] = [StopSending(reason=str(number)) for number in range(3000)]
        for message in sent:
            coordinator.send(message)
        worker.send(Done(resources_left=7))
        assert [await worker.receive() for _ in sent] == sent
        assert await coordinator.receive() == Done(resources_left=7)
        await worker.close()
        assert await coordinator.receive() is None
        assert await coordinator.receive() is None
        coordinator.send(End())  # to nobody: dropped, no error

    run_pair(body)


def test_receive_waits_for_what_comes_later() -> None:
    async def body(coordinator: CoordinatorEnd, worker: WorkerEnd) -> None:
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(worker.receive())
            await asyncio.sleep(0)
            coordinator.send(End())
        assert waiting.result() == End()

    run_pair(body)


def test_a_peer_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "UNSENT_MAX", 1 << 20)

    async def body(coordinator: CoordinatorEnd, worker: WorkerEnd) -> None:
        worker.send(Failed(message="x" * (2 << 20), exit_code=1))
        with pytest.raises(FleetError, match="unread"):
            await worker.receive()

    run_pair(body)


def test_what_cannot_be_read_comes_after_what_can() -> None:
    async def both() -> None:
        ours, theirs = socket.socketpair()
        coordinator = await CoordinatorEnd.open(ours)
        with theirs:
            theirs.sendall(encode(Done(resources_left=0)) + (3).to_bytes(4, "big") + b"\xc1\xc1\xc1")
            assert await coordinator.receive() == Done(resources_left=0)
            with pytest.raises(FleetError, match="cannot be read"):
                await coordinator.receive()
        await coordinator.close()

    asyncio.run(both())


def test_a_tcp_socket_serves_as_well() -> None:
    async def both() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            ours = socket.create_connection(server.getsockname())
            theirs, _ = server.accept()
        coordinator, worker = await CoordinatorEnd.open(ours), await WorkerEnd.open(theirs.detach())
        coordinator.send(End())
        assert await worker.receive() == End()
        await worker.close()
        await coordinator.close()

    asyncio.run(both())
