"""The service behind the proxy: where it is, and how it is reached, with TLS where its URL says so."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from squall.errors import EnvironmentFailure, ScenarioError
from squall.scenario.urls import public_url, url_mistake

__all__ = ["Upstream", "UpstreamSettings", "tls_context"]

CONNECT_MAX_S: Final = 10.0
_RESOLVED_FOR_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class UpstreamSettings:
    """What is asked of the way to the service."""

    url: str
    ca_file: str | None = None
    """Certificates to trust (PEM), instead of the system's."""
    verify: bool = True
    """False accepts any certificate."""

    def check(self) -> None:
        """Nothing, if it can be used.

        Raises:
            ScenarioError: it cannot; says why.
        """
        if (mistake := url_mistake(self.url)) is not None:
            raise ScenarioError(f"upstream: {mistake}", hint="as in ws://127.0.0.1:8765 or wss://example.org")
        parts = urlsplit(self.url)
        if parts.path not in ("", "/") or parts.query or parts.username is not None:
            raise ScenarioError(
                f"upstream {public_url(self.url)}: only scheme, host and port are of use",
                hint="path, query and headers are those of the client: they pass as they are",
            )
        if parts.scheme == "ws" and (self.ca_file is not None or not self.verify):
            raise ScenarioError("upstream: certificates are for wss://, and it is ws://")


class Upstream:
    """Connects to the service.

    Args:
        settings: checked ones.

    Raises:
        EnvironmentFailure: the certificates to trust cannot be read.
    """

    def __init__(self, settings: UpstreamSettings) -> None:
        parts = urlsplit(settings.url)
        self.shown = public_url(settings.url)
        """Its URL as it may be shown."""
        self.host = parts.hostname or ""
        self.is_secure = parts.scheme == "wss"
        self.port = parts.port or (443 if self.is_secure else 80)
        self._tls = tls_context(settings) if self.is_secure else None
        self._addresses: list[str] = []
        self._resolved_s = 0.0

    async def connect(self, protocol: Callable[[], asyncio.Protocol]) -> None:
        """Connect; the protocol has been told when this returns.

        Raises:
            OSError: it cannot be reached; a time-out and a TLS failure are ones, too.
        """
        loop = asyncio.get_running_loop()
        tls: dict[str, Any] = {}
        if self._tls is not None:
            tls = {"ssl": self._tls, "server_hostname": self.host, "ssl_handshake_timeout": CONNECT_MAX_S}
        failed: OSError = OSError("it has no address")
        async with asyncio.timeout(CONNECT_MAX_S):
            for address in await self._resolve():
                try:
                    await loop.create_connection(protocol, address, self.port, **tls)
                except OSError as error:
                    failed = error
                else:
                    return
        self._resolved_s = 0.0  # look it up again
        raise failed

    async def _resolve(self) -> list[str]:
        """Its addresses, looked up once a minute."""
        loop = asyncio.get_running_loop()
        if not self._resolved_s or loop.time() - self._resolved_s > _RESOLVED_FOR_S:
            found = await loop.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
            self._addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
            self._resolved_s = loop.time()
        return self._addresses


def tls_context(settings: UpstreamSettings) -> ssl.SSLContext:
    """One context for all connections.

    Raises:
        EnvironmentFailure: the certificates to trust cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise EnvironmentFailure(
            f"cannot use the certificates in {settings.ca_file}: {error.strerror or error}"
        ) from None
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
