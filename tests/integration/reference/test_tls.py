"""The service over TLS.

The clients run in one thread. The synchronous one of `websockets` sends and receives in two, which share an SSL object;
Python 3.11 does not protect it, and a handshake in some hundreds hangs.
"""

from __future__ import annotations

import asyncio
import os
import ssl

import pytest
import trustme
from websockets.asyncio.client import connect as connect_in_one_thread
from websockets.sync.client import connect


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory) -> tuple[str, str]:
    """Certificate chain and key for localhost and 127.0.0.1."""
    folder = tmp_path_factory.mktemp("tls")
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(folder / "cert.pem")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    return str(folder / "cert.pem"), str(folder / "key.pem")


@pytest.fixture
def trusting(authority) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


def echoed(url: str, message: bytes, trusting: ssl.SSLContext) -> bytes | str:
    async def talk() -> bytes | str:
        async with connect_in_one_thread(url, ssl=trusting, max_size=None, compression=None) as client:
            await client.send(message)
            return await client.recv()

    return asyncio.run(asyncio.wait_for(talk(), 30))


def test_wss_echoes_large_and_small(start, files, trusting) -> None:
    cert, key = files
    with start("--tls-cert", cert, "--tls-key", key, "--processes", "2") as service:
        assert service.url == f"wss://127.0.0.1:{service.port}/"
        for size in (0, 128, 8193, 1024 * 1024):
            message = os.urandom(size)
            assert echoed(service.url, message, trusting) == message


def test_who_speaks_no_tls_or_does_not_trust_us_harms_nobody(start, files, trusting) -> None:
    cert, key = files
    with start("--tls-cert", cert, "--tls-key", key) as service:
        with pytest.raises(ssl.SSLCertVerificationError), connect(service.url):
            pass
        with pytest.raises(Exception, match=r"did not receive a valid HTTP response"):
            connect(service.url.replace("wss", "ws"), open_timeout=5)
        assert echoed(service.url, b"still here", trusting) == b"still here"
        service.process.terminate()
        assert service.stderr_after_end() == ""


def test_a_certificate_that_cannot_be_used_is_one_line_and_exit_code_111(refused, files, tmp_path) -> None:
    cert, _ = files
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    other = tmp_path / "other.pem"
    trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(other)
    for arguments in (
        ("--tls-cert", str(tmp_path / "missing.pem")),
        ("--tls-cert", str(garbage)),
        ("--tls-cert", cert),
        ("--tls-cert", cert, "--tls-key", str(other)),
    ):
        code, out, said = refused(*arguments)
        assert (code, out) == (111, "")
        assert said.startswith("squall serve: cannot use the certificate in ")
        assert said.count("\n") == 1
