"""Servers that break the rules, one way each, on raw sockets.

Each function makes a ``BadServer`` (``peer.py``): use it as ``async with`` or ``with``, connect to ``url``
and read what it saw from ``seen``. ``after`` is how many messages it echoes honestly before it misbehaves.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable

from oracle.mini_websocket import (
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    accept_key,
    close_payload,
    encode_frame,
)
from oracle.peer import BadServer, Fields, Message, Peer

__all__ = [
    "EVERY_KIND",
    "accepts_and_closes",
    "answers_half",
    "answers_status",
    "closes_after",
    "compresses_unasked",
    "drops_after",
    "echoes_neighbour",
    "fragments",
    "honest",
    "masks_frames",
    "never_answers",
    "never_answers_close",
    "never_answers_pings",
    "pings",
    "resets_after",
    "sends_bad_close",
    "sends_garbage",
    "sends_invalid_utf8",
    "sends_oversize_header",
    "sends_reserved_opcode",
    "sends_short_close",
    "stops_reading_after",
    "talks_unasked",
    "without_upgrade_field",
    "wrong_accept_key",
    "wrong_extension",
    "wrong_subprotocol",
]

REASONS = {
    200: "OK",
    301: "Moved Permanently",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
UNASKED_TEXT = b"nobody asked for this message"
SMALL_RECEIVE_BUFFER_BYTES = 4096
"""So that a server that stops reading is felt after a few kilobytes."""


def honest() -> BadServer:
    """Echoes everything: the control, against which the others differ in one thing."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo()

    return BadServer(behave)


# Before the upgrade


def answers_status(status: int, *, location: str | None = None) -> BadServer:
    """Answers the upgrade with this status and closes; 301 points to ``location``, by default to itself."""

    async def behave(peer: Peer) -> None:
        await peer.read_request()
        body = REASONS[status].encode()
        fields: Fields = (("Content-Type", "text/plain"), ("Content-Length", str(len(body))))
        if 300 <= status < 400:
            fields += (("Location", location or peer.server.url),)
        peer.answer(f"{status} {REASONS[status]}", (*fields, ("Connection", "close")), body)

    return BadServer(behave)


def wrong_accept_key() -> BadServer:
    """Answers 101 with the accept key for another request, then echoes."""

    async def behave(peer: Peer) -> None:
        await peer.read_request()
        peer.answer("101 Switching Protocols", upgrade_fields("not the key that was sent"))
        await peer.echo()

    return BadServer(behave)


def wrong_extension() -> BadServer:
    """Accepts with permessage-deflate, which the client did not offer, then echoes uncompressed."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade(("Sec-WebSocket-Extensions", "permessage-deflate"))
        await peer.echo()

    return BadServer(behave)


def wrong_subprotocol(name: str = "nobody-asked") -> BadServer:
    """Accepts with a sub-protocol that the client did not ask for, then echoes."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade(("Sec-WebSocket-Protocol", name))
        await peer.echo()

    return BadServer(behave)


def without_upgrade_field() -> BadServer:
    """Answers 101 with the right key and no ``Upgrade`` field, then echoes."""

    async def behave(peer: Peer) -> None:
        request = await peer.read_request()
        fields = upgrade_fields(request.get("sec-websocket-key", ""))
        peer.answer("101 Switching Protocols", tuple(pair for pair in fields if pair[0] != "Upgrade"))
        await peer.echo()

    return BadServer(behave)


def answers_half(*, then_closes: bool) -> BadServer:
    """Sends the first half of a good answer, then closes or falls silent."""

    async def behave(peer: Peer) -> None:
        await peer.read_request()
        peer.send_raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: webso")
        if not then_closes:
            await peer.silence()

    return BadServer(behave)


def never_answers() -> BadServer:
    """Reads the request and falls silent."""

    async def behave(peer: Peer) -> None:
        await peer.read_request()
        await peer.silence()

    return BadServer(behave)


def accepts_and_closes() -> BadServer:
    """Closes the TCP connection at once, reading nothing."""

    async def behave(peer: Peer) -> None:
        peer.writer.close()

    return BadServer(behave)


# The end of a connection


def drops_after(after: int) -> BadServer:
    """Closes the TCP connection without a close frame."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        await peer.drop()

    return BadServer(behave)


def resets_after(after: int) -> BadServer:
    """Resets the TCP connection."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        peer.reset()

    return BadServer(behave)


def closes_after(after: int, *, code: int = 1001, reason: str = "") -> BadServer:
    """Closes by handshake with this code, and waits for the answer."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        await peer.close(close_payload(code, reason))

    return BadServer(behave)


def sends_bad_close(after: int, *, code: int = 1005) -> BadServer:
    """Sends a close frame with a code that must not be sent (RFC 6455, section 7.4.1)."""
    return closes_after(after, code=code)


def sends_short_close(after: int) -> BadServer:
    """Sends a close frame with a payload of one byte, which is half a code."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        await peer.close(b"\x03")

    return BadServer(behave)


def never_answers_close() -> BadServer:
    """Echoes, and leaves a close frame without an answer, the connection open."""

    async def behave(peer: Peer) -> None:
        peer.answers_close = False
        peer.ends_on_close = False
        await peer.upgrade()
        await peer.echo()

    return BadServer(behave)


def stops_reading_after(after: int) -> BadServer:
    """Reads nothing any more, for good, and keeps the connection."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        peer.stop_reading()
        await peer.silence()

    return BadServer(behave, receive_buffer_bytes=SMALL_RECEIVE_BUFFER_BYTES)


# Frames


def sends_garbage(after: int) -> BadServer:
    """Sends bytes that are no frames: text of a log, which a parser takes for a reserved opcode and bits."""

    return after_echo(after, b"ERROR at line 1: this is not a WebSocket frame\n" * 4)


def sends_reserved_opcode(after: int, *, opcode: int = 3) -> BadServer:
    """Sends a frame with an opcode that RFC 6455 reserves."""
    return after_echo(after, encode_frame(opcode, b"reserved"))


def sends_oversize_header(after: int) -> BadServer:
    """Announces a frame of 2^63 bytes, whose highest bit must be 0, and sends nothing of it."""
    return after_echo(after, b"\x82\x7f" + (2**63).to_bytes(8, "big"))


def masks_frames() -> BadServer:
    """Echoes in masked frames, which a server must not."""

    def disguise(message: Message) -> bytes:
        return encode_frame(*message, mask=b"\x11\x22\x33\x44")

    return echoes_as(disguise)


def compresses_unasked() -> BadServer:
    """Echoes compressed as permessage-deflate does, RSV1 set, without its having been agreed."""

    def disguise(message: Message) -> bytes:
        opcode, payload = message
        deflate = zlib.compressobj(wbits=-15)
        octets = deflate.compress(payload) + deflate.flush(zlib.Z_SYNC_FLUSH)
        return encode_frame(opcode, octets.removesuffix(b"\x00\x00\xff\xff"), rsv=4)

    return echoes_as(disguise)


def sends_invalid_utf8(after: int) -> BadServer:
    """From then on echoes in text frames whose last byte can end no text; the length is kept."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        while True:
            _, payload = await peer.message()
            peer.send(TEXT, payload[:-1] + b"\xff")

    return BadServer(behave)


def fragments() -> BadServer:
    """Echoes in three fragments, with a ping and a pong between them: allowed, and rarely seen."""

    def disguise(message: Message) -> bytes:
        opcode, payload = message
        third = len(payload) // 3
        return b"".join(
            (
                encode_frame(opcode, payload[:third], fin=False),
                encode_frame(PING, b"between"),
                encode_frame(CONTINUATION, payload[third : 2 * third], fin=False),
                encode_frame(PONG, b"unasked pong"),
                encode_frame(CONTINUATION, payload[2 * third :]),
            )
        )

    return echoes_as(disguise)


def echoes_neighbour() -> BadServer:
    """Answers with the latest message of another connection where there is one, else with the message."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        while True:
            own = await peer.message()
            others = [other.latest for other in peer.server.peers if other is not peer and other.latest]
            peer.send(*(others[-1] if others else own))

    return BadServer(behave)


def talks_unasked(*, period_s: float = 0.05, opcode: int = TEXT, payload: bytes = UNASKED_TEXT) -> BadServer:
    """Echoes, and besides sends a good message that nobody asked for, each ``period_s``."""
    return echoes_beside(encode_frame(opcode, payload), period_s)


def pings(*, period_s: float = 0.05) -> BadServer:
    """Echoes, and pings each ``period_s``: allowed; the answers are counted in ``seen.pongs``."""
    return echoes_beside(encode_frame(PING, b"are you there"), period_s)


def never_answers_pings() -> BadServer:
    """Echoes, and leaves pings without a pong."""

    async def behave(peer: Peer) -> None:
        peer.answers_pings = False
        await peer.upgrade()
        await peer.echo()

    return BadServer(behave)


def after_echo(after: int, octets: bytes) -> BadServer:
    """Echoes, sends these bytes once, then falls silent and reads on."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        await peer.echo(after)
        peer.send_raw(octets)
        await peer.listen()

    return BadServer(behave)


def echoes_as(disguise: Callable[[Message], bytes]) -> BadServer:
    """Echoes each message in frames of its own making."""

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        while True:
            peer.send_raw(disguise(await peer.message()))
            await peer.writer.drain()

    return BadServer(behave)


def echoes_beside(octets: bytes, period_s: float) -> BadServer:
    """Echoes, and sends these bytes each ``period_s`` for as long as the connection lasts."""

    async def talk(peer: Peer) -> None:
        while True:
            await asyncio.sleep(period_s)
            peer.send_raw(octets)

    async def behave(peer: Peer) -> None:
        await peer.upgrade()
        talking = asyncio.get_running_loop().create_task(talk(peer))
        try:
            await peer.echo()
        finally:
            talking.cancel()

    return BadServer(behave)


def upgrade_fields(key: str) -> Fields:
    """The fields of a good answer to a request with this key."""
    return (("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept_key(key)))


EVERY_KIND: dict[str, Callable[[], BadServer]] = {
    "honest": honest,
    "status_200": lambda: answers_status(200),
    "status_301": lambda: answers_status(301),
    "status_403": lambda: answers_status(403),
    "status_500": lambda: answers_status(500),
    "status_503": lambda: answers_status(503),
    "wrong_accept_key": wrong_accept_key,
    "wrong_extension": wrong_extension,
    "wrong_subprotocol": wrong_subprotocol,
    "without_upgrade_field": without_upgrade_field,
    "answers_half_then_closes": lambda: answers_half(then_closes=True),
    "answers_half_then_silent": lambda: answers_half(then_closes=False),
    "never_answers": never_answers,
    "accepts_and_closes": accepts_and_closes,
    "drops": lambda: drops_after(2),
    "resets": lambda: resets_after(2),
    "closes": lambda: closes_after(2),
    "sends_bad_close": lambda: sends_bad_close(2),
    "sends_short_close": lambda: sends_short_close(2),
    "never_answers_close": never_answers_close,
    "stops_reading": lambda: stops_reading_after(2),
    "sends_garbage": lambda: sends_garbage(2),
    "sends_reserved_opcode": lambda: sends_reserved_opcode(2),
    "sends_oversize_header": lambda: sends_oversize_header(2),
    "sends_invalid_utf8": lambda: sends_invalid_utf8(2),
    "masks_frames": masks_frames,
    "compresses_unasked": compresses_unasked,
    "fragments": fragments,
    "echoes_neighbour": echoes_neighbour,
    "talks_unasked": talks_unasked,
    "pings": pings,
    "never_answers_pings": never_answers_pings,
}
"""One of each, for a test that goes through all; those with an ``after`` misbehave after two messages."""
