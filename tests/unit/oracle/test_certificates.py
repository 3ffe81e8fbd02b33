"""Each certificate is right or wrong in its one way, as OpenSSL sees it."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from oracle.certificates import Certificates, KeyPair, make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext, *, name: str = "localhost") -> None:
    """A TLS handshake in memory; raises what either side raises."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    waiting = sides
    for _ in range(10):
        still_waiting = []
        for side in waiting:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                still_waiting.append(side)
        waiting = still_waiting
    assert not waiting, "the handshake did not end"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_the_right_certificate_is_accepted_for_every_loopback_name(
    certificates: Certificates, name: str
) -> None:
    shake_hands(certificates.client_context(), certificates.right.server_context(), name=name)


@pytest.mark.parametrize(
    ("which", "complaint"),
    [
        ("wrong_name", "Hostname mismatch"),
        ("expired", "certificate has expired"),
        ("stranger", "unable to get local issuer certificate"),
    ],
)
def test_each_wrong_certificate_is_refused_for_its_own_reason(
    certificates: Certificates, which: str, complaint: str
) -> None:
    pair: KeyPair = getattr(certificates, which)
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        shake_hands(certificates.client_context(), pair.server_context())


def test_a_server_can_demand_a_certificate_of_the_client(certificates: Certificates) -> None:
    server = certificates.right.server_context(client_ca=certificates.ca)
    shake_hands(certificates.client_context(certificate=certificates.client), server)
    with pytest.raises(ssl.SSLError, match="did not return a certificate"):
        shake_hands(certificates.client_context(), server)


def test_keys_are_files_of_their_own(certificates: Certificates) -> None:
    assert b"PRIVATE KEY" not in certificates.right.cert.read_bytes()
    assert b"PRIVATE KEY" in Path(certificates.right.key).read_bytes()
