"""A server in this process that does something to the workers of the run under way, which are children of this process."""

from __future__ import annotations

from collections.abc import Callable

import psutil

from oracle.peer import BadServer, Message, Peer

__all__ = ["spoilt", "workers"]


def workers() -> list[psutil.Process]:
    """The worker processes that this process has started."""
    children = psutil.Process().children(recursive=True)
    return [each for each in children if "squall.fleet.process" in " ".join(each.cmdline())]


def spoilt(
    deed: Callable[[], None], *, after: int, answer: Callable[[Message], Message] = lambda message: message
) -> BadServer:
    """Answers each message, by default with itself; when that many have come, over all connections, the deed is done."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        while True:
            message = await peer.message()
            if len(peer.seen.messages) == after:
                deed()
            peer.send(*answer(message))
            await peer.writer.drain()

    return BadServer(behave)
