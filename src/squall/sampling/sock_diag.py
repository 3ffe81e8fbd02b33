"""Asks Linux for its TCP sockets over netlink (`sock_diag`): filtered by the kernel, binary, without its tables.

The rule: what is not asked for does not come. 20,000 sockets in /proc/net/tcp are 3 MB of text to take apart;
here those of some ports come as records of some hundred bytes. Only the network namespace of this process is
seen. Where the system has no such thing, `OSError` says so.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

__all__ = ["LISTENING", "STATES", "Listener", "Tcp", "connections", "listeners"]

STATES: Final = {
    1: "established",
    2: "syn_sent",
    3: "syn_recv",
    4: "fin_wait_1",
    5: "fin_wait_2",
    6: "time_wait",
    7: "close",
    8: "close_wait",
    9: "last_ack",
    10: "listen",
    11: "closing",
    12: "syn_recv",  # a request that has no socket of its own yet
}
LISTENING: Final = 10

_NETLINK_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST_DUMP: Final = 0x301
_ERROR, _DONE = 2, 3
_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
_INFO, _SKMEMINFO = 2, 7
"""What a record may carry beside its head: of connections the tcp_info, of listeners what they dropped."""

_HEADER: Final = struct.Struct("=IHHII")
_LENGTH_AND_STATE: Final = struct.Struct("=IH11xB")
_PORTS: Final = struct.Struct(">HH")
_COOKIE: Final = struct.Struct("=Q")
_QUEUES: Final = struct.Struct("=IIII")
_ATTRIBUTE: Final = struct.Struct("=HH")
_BYTES: Final = struct.Struct("=QQ")
_COOKIE_AT, _QUEUES_AT, _ATTRIBUTES_AT = 60, 72, 88
_BYTES_AT: Final = 120
"""In the tcp_info: bytes_acked, bytes_received."""
_DROPS_AT: Final = 32
"""In the skmeminfo."""
_SOURCE_IS, _DESTINATION_IS, _JUMP = 11, 12, 1
_RECEIVE_BYTES: Final = 1 << 18
_WAIT_S: Final = 2.0

End = Literal["local", "remote"]


class Listener(NamedTuple):
    """A listening socket. `dropped`: connects it turned away since it listens, nearly all for a full queue."""

    port: int
    inode: int
    queue: int
    backlog: int
    dropped: int


class Tcp(NamedTuple):
    """A socket that does not listen. The bytes are None where they were not asked for, or are not known."""

    state: int
    cookie: int
    acked: int | None
    received: int | None


def listeners() -> list[Listener]:
    """Every listening socket."""
    found = []
    for buffer, at in _dump(1 << LISTENING, (_SKMEMINFO,), b""):
        queue, backlog, _, inode = _QUEUES.unpack_from(buffer, at + _QUEUES_AT)
        memory = _attribute(buffer, at, _SKMEMINFO)
        dropped = 0 if memory is None else int(struct.unpack_from("=I", buffer, memory + _DROPS_AT)[0])
        port, _ = _PORTS.unpack_from(buffer, at + 20)
        found.append(Listener(port, inode, queue, backlog, dropped))
    return found


def connections(ports: Sequence[int], end: End, *, with_bytes: bool) -> Iterator[Tcp]:
    """Every socket with one of these ports at that end, but for listening ones."""
    if not ports:
        return
    states = sum(1 << state for state in STATES) & ~(1 << LISTENING)
    wanted = (_INFO,) if with_bytes else ()
    for buffer, at in _dump(states, wanted, _only_ports(ports, end)):
        _, _, state = _LENGTH_AND_STATE.unpack_from(buffer, at)
        acked = received = None
        info = _attribute(buffer, at, _INFO) if with_bytes else None
        if info is not None:
            acked, received = _BYTES.unpack_from(buffer, info + _BYTES_AT)
        yield Tcp(state, _COOKIE.unpack_from(buffer, at + _COOKIE_AT)[0], acked, received)


def _dump(states: int, wanted: Sequence[int], only: bytes) -> Iterator[tuple[bytes, int]]:
    """Each record, as a buffer and where in it the record begins."""
    carry = sum(1 << (kind - 1) for kind in wanted)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_WAIT_S)
        for family in _FAMILIES:
            netlink.send(_request(family, states, carry, only))
            yield from _records(netlink)


def _request(family: int, states: int, carry: int, only: bytes) -> bytes:
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, carry, 0, states) + bytes(48)
    if only:
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(only), 1) + only
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST_DUMP, 1, 0) + body


def _records(netlink: socket.socket) -> Iterator[tuple[bytes, int]]:
    while True:
        buffer = netlink.recv(_RECEIVE_BYTES)
        at = 0
        while at < len(buffer):
            length, kind, _ = _LENGTH_AND_STATE.unpack_from(buffer, at)
            if kind == _DONE:
                return
            if kind == _ERROR:
                number = -struct.unpack_from("=i", buffer, at + 16)[0]
                raise OSError(number, "the kernel does not tell its sockets (sock_diag)")
            yield buffer, at
            at += (length + 3) & ~3


def _attribute(buffer: bytes, at: int, wanted: int) -> int | None:
    """Where in the buffer the payload of a record's attribute begins."""
    end = at + struct.unpack_from("=I", buffer, at)[0]
    at += _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= end:
        length, kind = _ATTRIBUTE.unpack_from(buffer, at)
        if kind == wanted:
            return at + _ATTRIBUTE.size
        at += max(_ATTRIBUTE.size, (length + 3) & ~3)
    return None


def _only_ports(ports: Sequence[int], end: End) -> bytes:
    """The kernel's filter program: an alternative for each port, with a jump to the end after all but the last.

    A comparison is two words, its code with the steps for yes and for no, and the port; a step past the end by
    four refuses the socket.
    """
    code = _SOURCE_IS if end == "local" else _DESTINATION_IS
    program = b""
    for port in reversed(ports):
        jump = struct.pack("=BBH", _JUMP, 4, 4 + len(program)) if program else b""
        compare = struct.pack("=BBH", code, 8, 12) + struct.pack("=BBH", 0, 0, port)
        program = compare + jump + program
    return program
