"""The service's sockets: bound and listening before anything else is started.

So a port in use is one clear error in the parent, no other service can take the port between its choice and
its use, and the nodes inherit what they serve. It does not know what is served.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import Any, Final

from squall.errors import EnvironmentFailure

__all__ = ["BACKLOG", "ListeningSocket", "listen", "url_host"]

BACKLOG: Final = 4096
"""Connections that may wait for accept: a reconnect storm must find room while the loop is busy."""

_Address = tuple[Any, ...]  # what the socket module uses for addresses: host, port, and two more for IPv6


class ListeningSocket(socket.socket):
    """A socket that closes newcomers at once where the process has no descriptor left for them.

    Left alone they would wait in the backlog, and the accept loop, woken for them again and again, would spin
    (and that of aiofastnet 1.1 fails on top: it asks the socket, not the loop, to remove its reader). So one
    descriptor is kept in reserve, given up for the newcomer, and taken back when the newcomer is closed.
    """

    _spare_fd: int | None = None
    _has_said = False

    def keep_spare_descriptor(self) -> None:
        """Take the descriptor in reserve; called once by the process that accepts."""
        self._spare_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def accept(self) -> tuple[socket.socket, _Address]:
        """The next connection; out of descriptors, it is closed and reported as aborted."""
        try:
            return super().accept()
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE) or self._spare_fd is None:
                raise
            self._refuse_next()
            raise ConnectionAbortedError("no descriptor left for this connection") from error

    def _refuse_next(self) -> None:
        if self._spare_fd is not None:
            os.close(self._spare_fd)
            self._spare_fd = None
        try:
            super().accept()[0].close()
        finally:
            self.keep_spare_descriptor()
        if not self._has_said:
            self._has_said = True
            sys.stderr.write(
                "squall serve: out of file descriptors, newcomers are closed at once; "
                "raise the limit (ulimit -n) or start more processes\n"
            )


def listen(host: str, port: int, *, sockets: int = 1) -> list[ListeningSocket]:
    """As many sockets listening on one address as asked for; port 0 takes a free one.

    The first is bound without SO_REUSEPORT, so that it fails where anyone else has the port, a second
    service of this kind too; only then it is opened to its siblings, among which the kernel spreads the
    connections.

    Raises:
        EnvironmentFailure: the host does not resolve or is not ours, or the port is taken or not allowed.
    """
    opened: list[ListeningSocket] = []
    try:
        family, address = _resolve(host, port)
        first = ListeningSocket(family, socket.SOCK_STREAM)
        opened.append(first)
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        first.bind(address)
        if sockets > 1:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        first.listen(BACKLOG)
        for _ in range(sockets - 1):
            sibling = ListeningSocket(family, socket.SOCK_STREAM)
            opened.append(sibling)
            sibling.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sibling.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            sibling.bind(first.getsockname())
            sibling.listen(BACKLOG)
    except (OSError, UnicodeError) as error:
        for each in opened:
            each.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise EnvironmentFailure(f"cannot listen on {host} port {port}: {reason}") from error
    return opened


def url_host(host: str) -> str:
    """The host as a client on this machine writes it in a URL; a wildcard becomes loopback."""
    if host in ("", "0.0.0.0"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    if host == "::":
        return "[::1]"
    return f"[{host}]" if ":" in host else host


def _resolve(host: str, port: int) -> tuple[socket.AddressFamily, _Address]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, address
