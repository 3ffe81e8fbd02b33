"""Opens one WebSocket connection for a session: resolve, TCP, TLS, upgrade, each clocked and each with its failures.

The connection itself is picows'; the socket is made here, so that the source address is ours to choose and each
part can be clocked apart. Knows nothing of when to connect, or how often to try.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import aiofastnet
from picows.picows import WSAutoPingStrategy, WSProtocol  # type: ignore[attr-defined] # left out of its stub

from squall.engine import troubles
from squall.engine.local_ports import LocalPorts, port_range
from squall.engine.ticks import now_ns
from squall.record.outcomes import Trouble

if TYPE_CHECKING:
    from picows import WSTransport, WSUpgradeRequest, WSUpgradeResponse

    from squall.engine.session import Session
    from squall.scenario.models import Target

__all__ = ["Attempt", "ConnectFailed", "Connector", "EntryPoint", "client_context"]

_IP_BIND_ADDRESS_NO_PORT = 24  # Linux: choose the port at connect, so that ports are shared between targets
_UNDER_WAY = (errno.EINPROGRESS, errno.EALREADY, errno.EINTR)
_READ_BUFFER_BYTES = 2048
_RESOLVED_FOR_NS = 60_000_000_000


class ConnectFailed(Exception):  # noqa: N818 - data on its way to a tally, never shown as an error
    """An attempt failed; `trouble` says how."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.kind)
        self.trouble = trouble


class _Silent:
    """A logger for picows that says nothing: it would log each connection, and keep a logger for each."""

    def isEnabledFor(self, _level: int) -> bool:  # noqa: N802 - logging's name
        return False

    def log(self, *_: object, **__: object) -> None:
        """Say nothing."""

    debug = info = warning = error = exception = log


_SILENT: Any = _Silent()


@dataclass(frozen=True)
class EntryPoint:
    """Where a connection goes to: what the URL says, taken apart once."""

    url: str
    public: str
    host: str
    port: int
    secure: bool
    netloc: str
    resource: str

    @classmethod
    def parse(cls, url: str, public: str) -> EntryPoint:
        """From a URL that the scenario has checked; `public` is what may be shown of it."""
        parts = urlsplit(url)
        secure = parts.scheme == "wss"
        host = parts.hostname or ""
        return cls(
            url=url,
            public=public,
            host=host,
            port=parts.port or (443 if secure else 80),
            secure=secure,
            netloc=parts.netloc.rpartition("@")[2],
            resource=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
        )


@dataclass(slots=True)
class Attempt:
    """One try to connect a session, with its times (nanoseconds of the run, -1 while not reached)."""

    session: Session
    entry: EntryPoint
    resource: str
    headers: tuple[tuple[str, str], ...]
    source: str | None
    via: tuple[str, int] | None = None
    """A proxy to connect to instead of the entry point, which speaks TLS with that where it has to be spoken."""
    begun_ns: int = -1
    """When the TCP connect began, to the first address of the host: the time lost at one that is silent counts."""
    tcp_ns: int = -1
    secured_ns: int = -1
    node: str = ""
    lost: BaseException | None = field(default=None, repr=False)

    @property
    def secure(self) -> bool:
        """Whether squall itself speaks TLS here."""
        return self.entry.secure and self.via is None


class _Protocol(WSProtocol):  # type: ignore[misc] # picows publishes no type for it
    """picows' protocol, which also notes when TLS was done and why a connection ended."""

    __slots__ = ("attempt", "connector")

    def __init__(self, attempt: Attempt, connector: Connector) -> None:
        super().__init__(
            attempt.entry.netloc,
            attempt.resource,
            True,
            lambda request, response: connector.answered(attempt, request, response),
            _SILENT,
            True,
            connector.target.handshake_timeout,
            False,
            10,
            10,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,  # pings are answered in the connection: an answer may have to wait for the rest of a frame
            connector.receive_message_max,
            attempt.headers,
            _READ_BUFFER_BYTES,
        )
        self.attempt = attempt
        self.connector = connector

    def connection_made(self, transport: Any) -> None:
        """TCP, and TLS where it is used, are done; the upgrade request goes out."""
        self.attempt.secured_ns = self.connector.now_ns()
        self.connector.there += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        """Keep the reason for the session, which is told next."""
        self.attempt.lost = error
        self.connector.there -= 1
        super().connection_lost(error)


class Connector:
    """Connects sessions to a target.

    Args:
        target: the scenario's target.
        start_ns: the start of the run on this process's monotonic clock.
        receive_message_max: bytes of the largest message that is taken.
        workers: how many connect as this one does, itself among them.
    """

    def __init__(self, target: Target, start_ns: int, receive_message_max: int, workers: int = 1) -> None:
        self.target = target
        self.start_ns = start_ns
        self.receive_message_max = receive_message_max
        self._subprotocols = tuple(target.subprotocols)
        self._tls = client_context(target) if any(url.startswith("wss:") for url in target.url) else None
        self._ports = LocalPorts(port_range(), sharing=workers / max(1, len(target.source_addresses)))
        self.there = 0
        """The connections that have been made and not lost."""
        self._resolved: dict[tuple[str, int], tuple[int, list[Any]]] = {}

    def now_ns(self) -> int:
        """The time of the run."""
        return int(now_ns() - self.start_ns)

    async def connect(self, attempt: Attempt) -> WSTransport:
        """Carry out an attempt; the session's `on_ws_connected` has been called when this returns.

        Raises:
            ConnectFailed: with the trouble; nothing stays open.
        """
        host, port = attempt.via or (attempt.entry.host, attempt.entry.port)
        sock = await self._connect_any(attempt, await self._resolve(host, port))
        protocol = _Protocol(attempt, self)
        try:
            if attempt.secure:
                name = self.target.tls.server_name or attempt.entry.host
                await aiofastnet.create_connection(
                    asyncio.get_running_loop(),
                    lambda: protocol,
                    sock=sock,
                    ssl=self._tls,
                    server_hostname=name,
                    ssl_handshake_timeout=self.target.connect_timeout,
                )
            else:
                await aiofastnet.create_connection(asyncio.get_running_loop(), lambda: protocol, sock=sock)
        except (OSError, ssl.SSLError, TimeoutError) as error:
            sock.close()
            raise ConnectFailed(troubles.of_tls(error)) from None
        return await self._upgrade(protocol)

    async def _resolve(self, host: str, port: int) -> list[Any]:
        """The addresses of a host, the one that answered last first; looked up again after a minute."""
        key = (host, port)
        known = self._resolved.get(key)
        if known is None or self.now_ns() - known[0] > _RESOLVED_FOR_NS:
            try:
                async with asyncio.timeout(self.target.connect_timeout):
                    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
            except (OSError, UnicodeError) as error:
                raise ConnectFailed(troubles.of_resolve(error)) from None
            known = self._resolved[key] = (self.now_ns(), found)
        return known[1]

    async def _connect_any(self, attempt: Attempt, addresses: list[Any]) -> socket.socket:
        """Connect to the first address that answers; the trouble is that of the last one tried.

        One that our source address cannot go to was not tried, unless that holds for all.
        """
        trouble = Trouble("resolve", "name_not_found", "network")
        attempt.begun_ns = self.now_ns()
        for index, address in enumerate(list(addresses)):
            try:
                sock = await self._connect_tcp(attempt, address)
            except ConnectFailed as failure:
                if index == 0 or failure.trouble != troubles.SOURCE_UNUSABLE:
                    trouble = failure.trouble
                continue
            if index:
                addresses.insert(0, addresses.pop(index))
            return sock
        raise ConnectFailed(trouble)

    async def _connect_tcp(self, attempt: Attempt, address: Any) -> socket.socket:
        family, kind, protocol, _, sockaddr = address
        try:
            sock = socket.socket(family, kind, protocol)
        except OSError as error:
            raise ConnectFailed(troubles.of_connect(error)) from None
        try:
            sock.setblocking(False)
            if attempt.source is not None:
                _bind(sock, attempt.source)
            async with asyncio.timeout(self.target.connect_timeout):
                await self._connect_from_a_part(sock, sockaddr)
        except OSError as error:
            sock.close()
            raise ConnectFailed(troubles.of_connect(error)) from None
        except (ConnectFailed, asyncio.CancelledError):
            sock.close()
            raise
        attempt.tcp_ns = self.now_ns()
        return sock

    async def _connect_from_a_part(self, sock: socket.socket, address: Any) -> None:
        """Connect from a part of the local ports, where it is held to one, or from any once that is full."""
        is_held = self._ports.narrow(sock, self.there)
        try:
            await _connect(sock, address)
        except OSError as error:
            if not is_held or error.errno != errno.EADDRNOTAVAIL:
                raise
            self._ports.widen(sock)
            await _connect(sock, address)

    async def _upgrade(self, protocol: _Protocol) -> WSTransport:
        try:
            await protocol.wait_until_handshake_complete()
        except asyncio.CancelledError:
            if protocol.listener is None:
                protocol.transport.disconnect(False)
            raise
        except Exception as error:  # noqa: BLE001 - picows raises what it met; each becomes a trouble
            protocol.transport.disconnect(False)
            raise ConnectFailed(troubles.of_upgrade(error)) from None
        if protocol.listener is None:
            lost = protocol.attempt.lost
            raise ConnectFailed(troubles.of_upgrade(lost if isinstance(lost, OSError) else None))
        transport: WSTransport = protocol.transport
        return transport

    def answered(self, attempt: Attempt, _request: WSUpgradeRequest, response: WSUpgradeResponse) -> Session:
        """The server accepts: check what it chose (RFC 6455 §4.1) and name the node."""
        if response.headers.get("Sec-WebSocket-Extensions"):
            raise troubles.UpgradeRefused("extension_unasked")
        chosen = response.headers.get("Sec-WebSocket-Protocol")
        if chosen is not None and chosen not in self._subprotocols:
            raise troubles.UpgradeRefused("subprotocol_unasked")
        if self.target.node_header is not None:
            attempt.node = str(response.headers.get(self.target.node_header, ""))[:64]
        return attempt.session


def _bind(sock: socket.socket, source: str) -> None:
    """Let a socket connect from an address of ours; the port is found when it connects."""
    try:
        sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((source, 0))
    except OSError:
        raise ConnectFailed(troubles.SOURCE_UNUSABLE) from None


async def _connect(sock: socket.socket, address: Any) -> None:
    """What the loop's `sock_connect` does, which would look up the address once more, in a thread, for each connection.

    Raises:
        OSError: the connection was not made.
    """
    for _ in range(2):  # asked a second time, a connection within a machine is there
        error = sock.connect_ex(address)
        if not error:
            return
        if error not in _UNDER_WAY:
            raise OSError(error, os.strerror(error))
    loop = asyncio.get_running_loop()
    writable = asyncio.Event()
    loop.add_writer(sock, writable.set)
    try:
        await writable.wait()
    finally:
        loop.remove_writer(sock)
    if error := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(error, os.strerror(error))


def client_context(target: Target) -> ssl.SSLContext:
    """One TLS context for all connections.

    Raises:
        OSError: a file cannot be read (`ssl.SSLError` is one too).
    """
    tls = target.tls
    context = ssl.create_default_context(cafile=tls.ca_file)
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert_file is not None:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


logging.getLogger("aiofastnet").addHandler(logging.NullHandler())
