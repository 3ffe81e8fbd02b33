"""Stand-ins for what the service's behaviours are given: connections that keep what they are sent, and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from picows import WSMsgType

from squall.delivery.envelope import GOOD, Codec
from squall.reference.bugs import Strikes, parse_bug

TEXT, BINARY = WSMsgType.TEXT, WSMsgType.BINARY


class Wire:
    """One connection."""

    def __init__(self) -> None:
        self.frames: list[tuple[WSMsgType, bytes]] = []
        self.did: list[Any] = []
        self.is_cut = False
        self.is_close_frame_sent = False
        self.unsent = 0
        self.underlying_transport: Any = self

    @property
    def sent(self) -> list[str]:
        return [payload.decode() for _, payload in self.frames]

    def send(self, opcode: WSMsgType, payload: bytes | bytearray | memoryview, /) -> None:
        self.frames.append((opcode, bytes(payload)))

    def send_close(self, code: Any, /) -> None:
        self.did.append(("close", code.value))
        self.is_close_frame_sent = True

    def disconnect(self, graceful: bool = True, /) -> None:
        self.did.append("disconnect" if graceful else "abort")
        self.is_cut = True

    def is_closing(self) -> bool:
        return self.is_cut

    def get_write_buffer_size(self) -> int:
        return self.unsent


class Timer:
    """What is to be called, unless it is cancelled."""

    def __init__(self, due: float, call: Callable[[], object]) -> None:
        self.due = due
        self.call = call
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class Loop:
    """Time passes when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[Timer] = []

    def time(self) -> float:
        return self.now

    def call_later(self, delay: float, call: Callable[..., object], *arguments: Any) -> Timer:
        timer = Timer(self.now + delay, lambda: call(*arguments))
        self.timers.append(timer)
        return timer

    def call_soon(self, call: Callable[..., object], *arguments: Any) -> Timer:
        return self.call_later(0, call, *arguments)

    def pass_time(self, seconds: float) -> None:
        """Call what is due until then, each at its time."""
        end = self.now + seconds
        while due := sorted((each for each in self.timers if each.due <= end), key=lambda each: each.due):
            self.timers.remove(due[0])
            self.now = max(self.now, due[0].due)
            if not due[0].is_cancelled:
                due[0].call()
        self.now = end


def strikes_of(bugs: str | Iterable[str], seed: int = 0) -> list[Strikes]:
    """The strikes of bugs as the command line writes them."""
    return [Strikes(parse_bug(each), seed) for each in (bugs.split() if isinstance(bugs, str) else bugs)]


def message(
    *,
    run: int = 9,
    stream: int = 0,
    sequence: int = 0,
    text: bool = False,
    attempt: int = 1,
    priority: int = 0,
    cause: tuple[int, int] = (-1, -1),
    size: int = 80,
) -> bytes:
    """A whole message as squall sends it."""
    codec = Codec(run, text, (size,), 1, (priority,))
    codec.encode(stream, 0, sequence, 0, sequence, attempt, 123_456, 0, *cause)
    return bytes(codec.buffer[codec.offset : codec.offset + size])


def acknowledged(payload: bytes, *, text: bool = False) -> bytes:
    """What acknowledges a message, as squall writes it."""
    size = 64 if text else 48
    codec = Codec(reading(payload, text=text).run, text, (size,), 1)
    assert codec.decode_bytes(payload, text) == GOOD
    codec.encode_ack()
    return bytes(codec.buffer[codec.offset : codec.offset + size])


def reading(payload: bytes, *, text: bool = False) -> Codec:
    """squall's reading of a good message."""
    codec = Codec(0, text, (64,), 1)
    assert codec.decode_bytes(payload, text) == GOOD
    return codec
