"""Asks Linux for its TCP sockets over netlink (`sock_diag`): filtered by the kernel, binary, without its tables.

The rule: what is not asked for does not come, and nothing is done for each socket here. 20,000 sockets in
/proc/net/tcp are 3 MB of text to take apart; here those of some ports come as records of some hundred bytes, and
whole tables of these are taken apart at once. Only the network namespace of this process is seen. Where the system
has no such thing, `OSError` says so.

**Why the older request.** For each answer the kernel goes through all sockets of the machine, which at tens of
thousands of them takes longer than to tell of the few that are wanted. `TCPDIAG_GETSOCK` tells those of IPv4 and of
IPv6 at once; its successor has to be asked for one after the other. One port is compared by the request itself,
several by a program that the kernel runs for each socket, after it has gathered all that such a program may ask for.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "LISTENING",
    "STATES",
    "Connections",
    "Listener",
    "connections",
    "half_closed",
    "listeners",
    "states_of",
]

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
_ESTABLISHED, _CLOSE_WAIT = 1, 8
_CONNECTED: Final = sum(1 << state for state in STATES) & ~(1 << LISTENING)
"""The states of all sockets that do not listen, as a set of bits."""

_NETLINK_SOCK_DIAG: Final = 4
_TCPDIAG_GETSOCK: Final = 18
_REQUEST_DUMP: Final = 0x301
_ERROR, _DONE = 2, 3
_ATTRIBUTE: Final = struct.Struct("=HH")
_INFO, _SKMEMINFO = 2, 7
"""What a record may carry beside its head: of connections the tcp_info, of listeners what they dropped."""

_HEADER: Final = struct.Struct("=IHHII")
_LENGTH_AND_KIND: Final = struct.Struct("=IH")
_END: Final = struct.Struct("=IHHIIi")
_SEQUENCE: Final = 0x5371_7561
"""By which the kernel's answers are known; no record ends as the end of all does."""
_REQUEST: Final = struct.Struct("=4B2s2s44xII")
_ANY: Final = bytes(2)
_STATE_AT, _LOCAL_PORT_AT, _COOKIE_AT, _QUEUES_AT, _INODE_AT, _ATTRIBUTES_AT = 17, 20, 60, 72, 84, 88
_ACKED_AT, _RECEIVED_AT = 120, 128
"""In the tcp_info."""
_DROPS_AT: Final = 32
"""In the skmeminfo."""
_SOURCE_IS, _DESTINATION_IS, _JUMP = 11, 12, 1
_RECEIVE_BYTES: Final = 1 << 18
_PIECE_BYTES_MAX: Final = 1 << 15
"""The kernel answers in pieces of at most so much."""
_WAIT_S: Final = 2.0

End = Literal["local", "remote"]


class _Table(NamedTuple):
    """Records of one length, one after the other. What is read of it is to be used before the next is asked for."""

    buffer: bytes | bytearray
    length: int
    rows: int


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
    for table in _dump(1 << LISTENING, carry=_SKMEMINFO):
        memory = _attribute(table, _SKMEMINFO)
        columns = (
            _column(table, _LOCAL_PORT_AT, ">u2"),
            _column(table, _INODE_AT, "=u4"),
            _column(table, _QUEUES_AT, "=u4"),
            _column(table, _QUEUES_AT + 4, "=u4"),
            np.zeros(table.rows, np.uint32) if memory is None else _column(table, memory + _DROPS_AT, "=u4"),
        )
        found += [Listener(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    return found


def connections(ports: Collection[int], end: End) -> Connections:
    """Every socket with one of these ports at that end, but for listening ones.

    Raises:
        OSError: the system does not tell.
    """
    states = np.zeros(256, np.int64)
    carried: list[tuple[npt.NDArray[np.uint64], ...]] = []
    for table in _dump(_CONNECTED, carry=_INFO, ports=ports, end=end) if ports else ():
        states += _by_state(table)
        info = _attribute(table, _INFO)
        if info is not None:
            places = (_COOKIE_AT, info + _ACKED_AT, info + _RECEIVED_AT)
            carried.append(tuple(_column(table, place, "=u8").copy() for place in places))
    cookies, acked, received = (
        np.concatenate([columns[place] for columns in carried]) if carried else np.empty(0, np.uint64)
        for place in range(3)
    )
    return Connections(_named(states), cookies, acked, received)


def states_of(ports: Collection[int], end: End, *, established: bool = True) -> dict[str, int]:
    """How many of these sockets are in which state; those in none are left out. Cheaper than `connections`.

    Args:
        ports: one of which a socket has at that end.
        end: which.
        established: whether those are counted that are; without them hardly any are to be told, mostly.

    Raises:
        OSError: the system does not tell.
    """
    states = np.zeros(256, np.int64)
    asked = _CONNECTED if established else _CONNECTED & ~(1 << _ESTABLISHED)
    for table in _dump(asked, ports=ports, end=end) if ports else ():
        states += _by_state(table)
    return _named(states)


def half_closed(ports: Collection[int]) -> frozenset[int]:
    """The cookies of the sockets with one of these local ports that only the peer has closed.

    Raises:
        OSError: the system does not tell.
    """
    if not ports:
        return frozenset()
    tables = _dump(1 << _CLOSE_WAIT, ports=ports, end="local")
    return frozenset(cookie for table in tables for cookie in _column(table, _COOKIE_AT, "=u8").tolist())


def _by_state(table: _Table) -> npt.NDArray[np.int64]:
    return np.bincount(_column(table, _STATE_AT, "u1"), minlength=256)


def _named(states: npt.NDArray[np.int64]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for state in np.flatnonzero(states).tolist():
        name = STATES.get(state, "other")
        counts[name] = counts.get(name, 0) + int(states[state])
    return counts


def _dump(
    states: int, *, carry: int = 0, ports: Collection[int] = (), end: End = "local"
) -> Iterator[_Table]:
    """All records, in tables of those that came together and are of one length."""
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError(errno.ENOSYS, "only Linux tells its sockets (sock_diag)")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_WAIT_S)
        netlink.send(_request(states, 1 << (carry - 1) if carry else 0, ports, end))
        yield from _answers(netlink)


def _request(states: int, carry: int, ports: Collection[int], end: End) -> bytes:
    """The families, the lengths of addresses and what addresses there are say nothing: all of them."""
    alone = struct.pack(">H", *ports) if len(ports) == 1 else _ANY
    local, remote = (alone, _ANY) if end == "local" else (_ANY, alone)
    body = _REQUEST.pack(0, 0, 0, carry, local, remote, states, 0)
    if len(ports) > 1:
        program = _only_ports(list(ports), end)
        body += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(program), 1) + program
    return _HEADER.pack(_HEADER.size + len(body), _TCPDIAG_GETSOCK, _REQUEST_DUMP, _SEQUENCE, 0) + body


def _answers(netlink: socket.socket) -> Iterator[_Table]:
    buffer = bytearray(_RECEIVE_BYTES)
    ended = False
    while not ended:
        size, ended = _filled(netlink, buffer)
        if not size:
            return
        table = _alike(buffer, size)
        if table is not None:
            yield table
            continue
        records: dict[int, list[bytearray]] = {}
        for at, length in _messages(buffer, size):
            records.setdefault(length, []).append(buffer[at : at + length])
        for length, alike in records.items():
            yield _Table(b"".join(alike), length, len(alike))


def _filled(netlink: socket.socket, buffer: bytearray) -> tuple[int, bool]:
    """Take records until there is no room for a further piece, or no more come: how many bytes, and whether that."""
    room = memoryview(buffer)
    size = 0
    while size + _PIECE_BYTES_MAX <= len(buffer):
        piece = netlink.recv_into(room[size:], 0, socket.MSG_TRUNC)
        if size + piece > len(buffer):
            raise OSError(
                errno.EMSGSIZE, "the kernel tells its sockets in larger pieces than known (sock_diag)"
            )
        if _HEADER.unpack_from(buffer, size)[1] == _ERROR:
            _refuse(struct.unpack_from("=i", buffer, size + _HEADER.size)[0])
        size += piece
        length, kind, _, answers, _, number = _END.unpack_from(buffer, size - _END.size)
        if (length, kind, answers) == (_END.size, _DONE, _SEQUENCE):
            _refuse(number)
            return size - _END.size, True
    return size, False


def _refuse(number: int) -> None:
    """What stands in an error and at the end of all records: a number below zero where something was wrong."""
    if number < 0:
        raise OSError(-number, "the kernel does not tell its sockets (sock_diag)")


def _alike(buffer: bytearray, size: int) -> _Table | None:
    """What a buffer holds, where all records are of one length, as nearly always; else None."""
    length, _ = _LENGTH_AND_KIND.unpack_from(buffer)
    if length % 4 or size % length:
        return None
    table = _Table(buffer, length, size // length)
    return table if (_column(table, 0, "=u4") == length).all() else None


def _messages(buffer: bytearray, size: int) -> Iterator[tuple[int, int]]:
    """Where each record begins, and its length."""
    at = 0
    while at < size:
        length, kind = _LENGTH_AND_KIND.unpack_from(buffer, at)
        if kind == _TCPDIAG_GETSOCK:
            yield at, length
        at += (length + 3) & ~3


def _attribute(table: _Table, wanted: int) -> int | None:
    """Where in each record the payload of an attribute begins; None where not all have it at one place."""
    at = _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= table.length:
        length, kind = _ATTRIBUTE.unpack_from(table.buffer, at)
        if kind == wanted:
            heads = _column(table, at, "=u4")
            return at + _ATTRIBUTE.size if (heads == heads[0]).all() else None
        at += max(_ATTRIBUTE.size, (length + 3) & ~3)
    return None


def _column(table: _Table, at: int, kind: str) -> npt.NDArray[Any]:
    """The numbers of this kind that begin at a place of each record, where they stand."""
    return np.ndarray((table.rows,), kind, table.buffer, at, (table.length,))


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
