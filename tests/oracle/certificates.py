"""Certificates for the tests of TLS: a fresh authority each time, and what it issued, as files."""

from __future__ import annotations

import datetime
import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

__all__ = ["Certificates", "KeyPair", "make_certificates"]


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate with its chain, and its private key, both PEM."""

    cert: Path
    key: Path

    def server_context(self, *, client_ca: Path | None = None) -> ssl.SSLContext:
        """The server's side of TLS; with ``client_ca`` a client must show a certificate of that authority."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.cert, self.key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files of one authority and what it issued."""

    ca: Path
    right: KeyPair
    """For localhost, 127.0.0.1 and ::1."""
    wrong_name: KeyPair
    """For wrong.example only."""
    expired: KeyPair
    """For the right names, and over since yesterday."""
    stranger: KeyPair
    """For the right names, issued by another authority."""
    client: KeyPair

    def client_context(self, *, certificate: KeyPair | None = None) -> ssl.SSLContext:
        """A client's side of TLS that trusts this authority alone."""
        context = ssl.create_default_context(cafile=self.ca)
        if certificate is not None:
            context.load_cert_chain(certificate.cert, certificate.key)
        return context


def make_certificates(folder: Path) -> Certificates:
    """Issue everything into ``folder`` (a folder of the test's own; made if missing)."""
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    names = ("localhost", "127.0.0.1", "::1")
    day = datetime.timedelta(days=1)
    now = datetime.datetime.now(datetime.UTC)
    ca = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    expired = authority.issue_cert(*names, not_before=now - 2 * day, not_after=now - day)
    return Certificates(
        ca=ca,
        right=write(authority.issue_cert(*names), folder, "right"),
        wrong_name=write(authority.issue_cert("wrong.example"), folder, "wrong-name"),
        expired=write(expired, folder, "expired"),
        stranger=write(trustme.CA().issue_cert(*names), folder, "stranger"),
        client=write(authority.issue_cert("client@squall.example", common_name="client"), folder, "client"),
    )


def write(issued: trustme.LeafCert, folder: Path, name: str) -> KeyPair:
    """Put one certificate with its chain and its key into files."""
    pair = KeyPair(cert=folder / f"{name}.pem", key=folder / f"{name}.key")
    pair.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    issued.private_key_pem.write_to_path(str(pair.key))
    return pair
