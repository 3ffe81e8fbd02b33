"""From exceptions to troubles: at which step a connect failed, how, and whose doing it was.

Only fixed words come out of here: exception texts may quote what was sent or received, and so a secret.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl

from picows import WSError, WSInvalidHeaderError, WSInvalidStatusError, WSInvalidUpgradeError

from squall.record.outcomes import Blame, Step, Trouble

__all__ = [
    "CUT",
    "OPENING_FAILED",
    "SOURCE_UNUSABLE",
    "UpgradeRefused",
    "of_close",
    "of_connect",
    "of_drop",
    "of_resolve",
    "of_tls",
    "of_upgrade",
]

OPENING_FAILED = 1008
"""The close code (policy violation) with which we leave a service that does not let us in."""

CUT = Trouble("open", "cut", "tester")
"""A fault of the scenario dropped the connection."""

SOURCE_UNUSABLE = Trouble("connect", "source_address_unusable", "tester")
"""A socket could not be bound to the source address that the scenario gives: it is none of this machine's, or of
another family than the address to connect to."""

_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}
"""What resolvers answer of a name that is not there, or has no address; not all systems tell these apart."""

_TESTER_ERRNOS = {
    errno.EMFILE: "too_many_files",
    errno.ENFILE: "too_many_files",
    errno.EADDRNOTAVAIL: "no_local_port",
    errno.EADDRINUSE: "no_local_port",
    errno.ENOBUFS: "no_buffers",
    errno.ENOMEM: "no_memory",
    errno.EACCES: "not_permitted",
    errno.EPERM: "not_permitted",
}
_NETWORK_ERRNOS = {
    errno.ENETUNREACH: "network_unreachable",
    errno.EHOSTUNREACH: "host_unreachable",
    errno.ETIMEDOUT: "timeout",
    errno.ENETDOWN: "network_down",
}
_TARGET_ERRNOS = {
    errno.ECONNREFUSED: "refused",
    errno.ECONNRESET: "reset",
    errno.EPIPE: "reset",
    errno.ECONNABORTED: "reset",
}


class UpgradeRefused(WSError):  # noqa: N818 - what happened, on its way to a trouble
    """We do not accept the answer to the upgrade request; `kind` is the trouble's word."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def of_resolve(error: BaseException) -> Trouble:
    """A failed name look-up: there is no such name, or nobody could say."""
    if isinstance(error, TimeoutError):
        return Trouble("resolve", "timeout", "network")
    # The resolver numbers its errors by itself; on some systems those are errnos of another meaning.
    by_resolver = isinstance(error, socket.gaierror)
    number = getattr(error, "errno", None) or 0
    if isinstance(error, UnicodeError) or (by_resolver and number in _NO_SUCH_NAME):
        return Trouble("resolve", "name_not_found", "network")
    ours = {socket.EAI_MEMORY: "no_memory"} if by_resolver else _TESTER_ERRNOS
    if number in ours:
        return Trouble("resolve", ours[number], "tester")
    return Trouble("resolve", "resolver_failed", "network")


def of_connect(error: BaseException) -> Trouble:
    """A failed TCP connect."""
    if isinstance(error, TimeoutError) and error.errno is None:
        return Trouble("connect", "timeout", "network")
    return _of_os_error("connect", error)


def of_tls(error: BaseException) -> Trouble:
    """A failed TLS handshake."""
    if isinstance(error, ssl.SSLCertVerificationError):
        wrong_name = error.verify_code in {62, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, _IP_ADDRESS_MISMATCH
        expired = error.verify_code in {9, 10}  # X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED
        kind = "wrong_name" if wrong_name else "certificate_expired" if expired else "certificate_untrusted"
        return Trouble("tls", kind, "target")
    if isinstance(error, TimeoutError):
        return Trouble("tls", "timeout", "target")
    if isinstance(error, ssl.SSLError):
        return Trouble("tls", _alert(error) or "handshake_failed", "target")
    if isinstance(error, ConnectionError):
        return Trouble("tls", "closed", "target")
    return _of_os_error("tls", error)


def of_upgrade(error: BaseException | None) -> Trouble:
    """A failed upgrade; None where the peer closed before it had answered."""
    if error is None:
        return Trouble("upgrade", "closed", "target")
    if isinstance(error, UpgradeRefused):
        return Trouble("upgrade", error.kind, "target")
    if isinstance(error, ssl.SSLError):
        return of_tls(error)  # with TLS 1.3 our certificate is refused when our handshake is done
    if isinstance(error, TimeoutError):
        return Trouble("upgrade", "timeout", "target")
    if isinstance(error, WSInvalidStatusError) and error.response is not None:
        return Trouble("upgrade", f"status_{int(error.response.status)}", "target")
    if isinstance(error, WSInvalidUpgradeError):
        return Trouble("upgrade", "no_upgrade_header", "target")
    if isinstance(error, WSInvalidHeaderError) and error.name.lower() == "sec-websocket-accept":
        return Trouble("upgrade", "wrong_accept_key", "target")
    if isinstance(error, OSError):
        return _of_os_error("upgrade", error)
    return Trouble("upgrade", "bad_answer", "target")


def of_drop(
    error: BaseException | None,
    close_code: int | None,
    refused: tuple[int, str] | None,
    *,
    opening: bool = False,
) -> Trouble:
    """A connection that ended unplanned: how we failed it, or the peer's close code, or how the transport broke.

    `opening`: what goes before its traffic was not done yet.
    """
    step: Step = "opening" if opening else "open"
    if refused is not None and refused[0] == OPENING_FAILED:
        return Trouble(step, refused[1], "target")
    if refused is not None:
        kind = {1009: "message_too_big", 1007: "invalid_text"}.get(refused[0], "protocol_error")
        if "compression" in refused[1]:
            kind = "compressed_unasked"
        elif "masked" in refused[1]:
            kind = "masked_frame"
        return Trouble(step, kind, "target")
    if close_code is not None:
        return Trouble(step, f"closed_{close_code}", "target")
    if error is None:
        return Trouble(step, "closed_without_frame", "target")
    return _of_os_error(step, error)


def of_close(error: BaseException | None, *, cut: bool) -> Trouble:
    """A planned close that no close frame answered: we waited in vain and cut it, or how the transport ended."""
    if cut:
        return Trouble("close", "not_answered", "target")
    if error is None:
        return Trouble("close", "closed_without_frame", "target")
    return _of_os_error("close", error)


def _alert(error: ssl.SSLError) -> str:
    """What the peer says is wrong with our TLS; empty where it says nothing."""
    alert = re.search(r"ALERT_(\w+)", error.reason or "")
    return f"alert_{alert[1].lower()}" if alert else ""


def _of_os_error(step: Step, error: BaseException) -> Trouble:
    if isinstance(error, ssl.SSLError):
        return Trouble(step, _alert(error) or "tls_broken", "target")
    number = getattr(error, "errno", None)
    tables: tuple[tuple[dict[int, str], Blame], ...] = (
        (_TESTER_ERRNOS, "tester"),
        (_NETWORK_ERRNOS, "network"),
        (_TARGET_ERRNOS, "target"),
    )
    for table, blame in tables:
        if number in table:
            return Trouble(step, table[number], blame)
    if isinstance(error, ConnectionError):
        return Trouble(step, "reset", "target")
    if isinstance(error, TimeoutError):
        return Trouble(step, "timeout", "network")
    return Trouble(step, f"error_{errno.errorcode.get(number or 0, type(error).__name__)}".lower(), "tester")
