"""Asks Linux for its TCP sockets over netlink (`sock_diag`): filtered by the kernel, binary, without its tables.

The rule: what is not asked for does not come. 20,000 sockets in /proc/net/tcp are 3 MB of text to take apart;
here those of some ports come as records of some hundred bytes, and whole tables of these are taken apart at
once. Only the network namespace of this process is seen. Where the system has no such thing, `OSError` says so.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["LISTENING", "STATES", "Connections", "Listener", "connections", "half_closed", "listeners"]

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
_CLOSE_WAIT: Final = 8

_NETLINK_SOCK_DIAG: Final = 4
_BY_FAMILY: Final = 20
_REQUEST_DUMP: Final = 0x301
_ERROR, _DONE = 2, 3
_ATTRIBUTE: Final = struct.Struct("=HH")
_FAMILIES: Final = (socket.AF_INET, socket.AF_INET6)
_INFO, _SKMEMINFO = 2, 7
"""What a record may carry beside its head: of connections the tcp_info, of listeners what they dropped."""

_HEADER: Final = struct.Struct("=IHHII")
_LENGTH_AND_KIND: Final = struct.Struct("=IH")
_STATE_AT, _LOCAL_PORT_AT, _COOKIE_AT, _QUEUES_AT, _INODE_AT, _ATTRIBUTES_AT = 17, 20, 60, 72, 84, 88
_ACKED_AT, _RECEIVED_AT = 120, 128
"""In the tcp_info."""
_DROPS_AT: Final = 32
"""In the skmeminfo."""
_SOURCE_IS, _DESTINATION_IS, _JUMP = 11, 12, 1
_RECEIVE_BYTES: Final = 1 << 18
_WAIT_S: Final = 2.0

End = Literal["local", "remote"]
Table = npt.NDArray[np.uint8]
"""Records of one length, a row each."""


class Listener(NamedTuple):
    """A listening socket. `dropped`: connects it turned away since it listens, nearly all for a full queue."""

    port: int
    inode: int
    queue: int
    backlog: int
    dropped: int


@dataclass(frozen=True, slots=True)
class Connections:
    """Sockets that do not listen: how many are in each state, and of those that tell what they carried.

    A cookie names a socket for ever.
    """

    states: dict[str, int]
    cookies: npt.NDArray[np.uint64]
    acked: npt.NDArray[np.uint64]
    received: npt.NDArray[np.uint64]


def listeners() -> list[Listener]:
    """Every listening socket.

    Raises:
        OSError: the system does not tell.
    """
    found = []
    for table in _dump(1 << LISTENING, _SKMEMINFO, b""):
        memory = _attribute(table, _SKMEMINFO)
        zeros = np.zeros(len(table), np.uint32)
        columns = (
            _column(table, _LOCAL_PORT_AT, ">u2"),
            _column(table, _INODE_AT, "=u4"),
            _column(table, _QUEUES_AT, "=u4"),
            _column(table, _QUEUES_AT + 4, "=u4"),
            zeros if memory is None else _column(table, memory + _DROPS_AT, "=u4"),
        )
        found += [Listener(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return found


def connections(ports: Sequence[int], end: End, *, with_bytes: bool) -> Connections:
    """Every socket with one of these ports at that end, but for listening ones.

    Raises:
        OSError: the system does not tell.
    """
    states = np.zeros(256, np.int64)
    carried: list[Sequence[npt.NDArray[np.uint64]]] = []
    asked = sum(1 << state for state in STATES) & ~(1 << LISTENING)
    for table in _dump(asked, _INFO if with_bytes else 0, _only_ports(ports, end)) if ports else ():
        states += np.bincount(table[:, _STATE_AT], minlength=256)
        info = _attribute(table, _INFO) if with_bytes else None
        if info is not None:
            places = (_COOKIE_AT, info + _ACKED_AT, info + _RECEIVED_AT)
            carried.append([_column(table, place, "=u8") for place in places])
    cookies, acked, received = (
        np.concatenate([columns[place] for columns in carried]) if carried else np.empty(0, np.uint64)
        for place in range(3)
    )
    counts: dict[str, int] = {}
    for state in np.flatnonzero(states):
        name = STATES.get(int(state), "other")
        counts[name] = counts.get(name, 0) + int(states[state])
    return Connections(counts, cookies, acked, received)


def half_closed(ports: Sequence[int]) -> frozenset[int]:
    """The cookies of the sockets with one of these local ports that only the peer has closed.

    Raises:
        OSError: the system does not tell.
    """
    if not ports:
        return frozenset()
    tables = _dump(1 << _CLOSE_WAIT, 0, _only_ports(ports, "local"))
    return frozenset(cookie for table in tables for cookie in _column(table, _COOKIE_AT, "=u8").tolist())


def _dump(states: int, wanted: int, only: bytes) -> Iterator[Table]:
    """All records, in tables of those that came together and are of one length."""
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError(errno.ENOSYS, "only Linux tells its sockets (sock_diag)")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_WAIT_S)
        for family in _FAMILIES:
            netlink.send(_request(family, states, 1 << (wanted - 1) if wanted else 0, only))
            yield from _answers(netlink)


def _request(family: int, states: int, carry: int, only: bytes) -> bytes:
    body = struct.pack("=BBBBI", family, socket.IPPROTO_TCP, carry, 0, states) + bytes(48)
    if only:
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(only), 1) + only
    return _HEADER.pack(_HEADER.size + len(body), _BY_FAMILY, _REQUEST_DUMP, 1, 0) + body


def _answers(netlink: socket.socket) -> Iterator[Table]:
    while True:
        buffer = netlink.recv(_RECEIVE_BYTES)
        table = _alike(buffer)
        if table is not None:
            yield table
            continue
        content, ended = np.frombuffer(buffer, np.uint8), False
        places: dict[int, list[int]] = {}
        for at, length, kind in _messages(buffer):
            if kind == _ERROR:
                number = -struct.unpack_from("=i", buffer, at + 16)[0]
                raise OSError(number, "the kernel does not tell its sockets (sock_diag)")
            ended = ended or kind == _DONE
            if kind == _BY_FAMILY:
                places.setdefault(length, []).append(at)
        for length, starts in places.items():
            yield content[np.array(starts)[:, None] + np.arange(length)]
        if ended:
            return


def _alike(buffer: bytes) -> Table | None:
    """The records of a buffer that has nothing else, all of one length, as nearly every buffer; else None."""
    length, kind = _LENGTH_AND_KIND.unpack_from(buffer)
    if kind != _BY_FAMILY or length % 4 or len(buffer) % length:
        return None
    table = np.frombuffer(buffer, np.uint8).reshape(-1, length)
    return table if (_column(table, 0, "=u4") == length).all() else None


def _messages(buffer: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each message begins, its length and kind."""
    at = 0
    while at < len(buffer):
        length, kind = _LENGTH_AND_KIND.unpack_from(buffer, at)
        yield at, length, kind
        at += (length + 3) & ~3


def _attribute(table: Table, wanted: int) -> int | None:
    """Where in each record the payload of an attribute begins; None where not all have it at one place."""
    first = table[0].tobytes()
    at = _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= len(first):
        length, kind = _ATTRIBUTE.unpack_from(first, at)
        if kind == wanted:
            alike = (table[:, at : at + _ATTRIBUTE.size] == table[0, at : at + _ATTRIBUTE.size]).all()
            return at + _ATTRIBUTE.size if alike else None
        at += max(_ATTRIBUTE.size, (length + 3) & ~3)
    return None


def _column(table: Table, at: int, kind: str) -> npt.NDArray[Any]:
    """The numbers of this kind that begin at a place of each record."""
    width = np.dtype(kind).itemsize
    column: npt.NDArray[Any] = np.ascontiguousarray(table[:, at : at + width]).view(kind)[:, 0]
    return column


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
