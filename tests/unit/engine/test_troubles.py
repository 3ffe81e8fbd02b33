"""From exceptions to troubles: the step, the word, and whose doing it was; never what was sent or received."""

from __future__ import annotations

import errno
import socket
import ssl

import pytest

from squall.engine.troubles import (
    UpgradeRefused,
    of_close,
    of_connect,
    of_drop,
    of_resolve,
    of_tls,
    of_upgrade,
)
from squall.record.outcomes import Trouble

SECRET = "hunter2"


def os_error(number: int) -> OSError:
    return OSError(number, f"{errno.errorcode[number]} {SECRET}")


@pytest.mark.parametrize(
    ("error", "kind", "blame"),
    [
        (socket.gaierror(socket.EAI_NONAME, SECRET), "name_not_found", "network"),
        (socket.gaierror(socket.EAI_NODATA, SECRET), "name_not_found", "network"),
        (UnicodeError(SECRET), "name_not_found", "network"),
        (socket.gaierror(socket.EAI_AGAIN, SECRET), "resolver_failed", "network"),
        (socket.gaierror(socket.EAI_FAIL, SECRET), "resolver_failed", "network"),
        (os_error(errno.ECONNREFUSED), "resolver_failed", "network"),
        (TimeoutError(), "timeout", "network"),
        (socket.gaierror(socket.EAI_MEMORY, SECRET), "no_memory", "tester"),
        (os_error(errno.EMFILE), "too_many_files", "tester"),
    ],
)
def test_of_a_failed_look_up(error: BaseException, kind: str, blame: str) -> None:
    assert of_resolve(error) == Trouble("resolve", kind, blame)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize(
    ("error", "kind", "blame"),
    [
        (TimeoutError(), "timeout", "network"),
        (os_error(errno.ETIMEDOUT), "timeout", "network"),
        (os_error(errno.ECONNREFUSED), "refused", "target"),
        (os_error(errno.ECONNRESET), "reset", "target"),
        (os_error(errno.EHOSTUNREACH), "host_unreachable", "network"),
        (os_error(errno.EMFILE), "too_many_files", "tester"),
        (os_error(errno.EADDRNOTAVAIL), "no_local_port", "tester"),
        (os_error(errno.EPROTO), "error_eproto", "tester"),
        (ConnectionError(SECRET), "reset", "target"),
    ],
)
def test_of_a_failed_connect(error: BaseException, kind: str, blame: str) -> None:
    assert of_connect(error) == Trouble("connect", kind, blame)  # type: ignore[arg-type]  # parametrised


def verification(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_code = code
    return error


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, SECRET)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "kind", "blame"),
    [
        (verification(62), "wrong_name", "target"),
        (verification(10), "certificate_expired", "target"),
        (verification(18), "certificate_untrusted", "target"),
        (TimeoutError(), "timeout", "target"),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "alert_certificate_required", "target"),
        (alert("WRONG_VERSION_NUMBER"), "handshake_failed", "target"),
        (ConnectionResetError(), "closed", "target"),
        (os_error(errno.ENOMEM), "no_memory", "tester"),
    ],
)
def test_of_a_failed_tls_handshake(error: BaseException, kind: str, blame: str) -> None:
    assert of_tls(error) == Trouble("tls", kind, blame)  # type: ignore[arg-type]  # parametrised


@pytest.mark.parametrize(
    ("error", "kind", "blame"),
    [
        (None, "closed", "target"),
        (UpgradeRefused("subprotocol_unasked"), "subprotocol_unasked", "target"),
        (TimeoutError(), "timeout", "target"),
        (os_error(errno.ECONNRESET), "reset", "target"),
        (ValueError(SECRET), "bad_answer", "target"),
    ],
)
def test_of_a_failed_upgrade(error: BaseException | None, kind: str, blame: str) -> None:
    assert of_upgrade(error) == Trouble("upgrade", kind, blame)  # type: ignore[arg-type]  # parametrised


def test_a_certificate_of_ours_that_is_refused_late_is_a_failure_of_tls() -> None:
    """TLS 1.3 tells it when the upgrade was asked for already."""
    refused = Trouble("tls", "alert_certificate_required", "target")
    assert of_upgrade(alert("TLSV13_ALERT_CERTIFICATE_REQUIRED")) == refused


@pytest.mark.parametrize(
    ("error", "code", "refused", "kind"),
    [
        (None, None, None, "closed_without_frame"),
        (None, 1012, None, "closed_1012"),
        (os_error(errno.ECONNRESET), None, None, "reset"),
        (alert("TLSV1_ALERT_INTERNAL_ERROR"), None, None, "alert_internal_error"),
        (alert("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), None, None, "tls_broken"),
        (os_error(errno.ECONNRESET), 1001, None, "closed_1001"),
        (None, 1000, (1009, "too big"), "message_too_big"),
        (None, None, (1007, "not UTF-8"), "invalid_text"),
        (None, None, (1002, "a reserved bit is set: compression, unasked"), "compressed_unasked"),
        (None, None, (1002, "a masked frame"), "masked_frame"),
        (None, None, (1002, SECRET), "protocol_error"),
        (None, None, (1008, "not_answered"), "not_answered"),
    ],
)
def test_of_a_drop(
    error: BaseException | None, code: int | None, refused: tuple[int, str] | None, kind: str
) -> None:
    assert of_drop(error, code, refused) == Trouble("open", kind, "target")
    assert of_drop(error, code, refused, opening=True).step == "opening"


def test_of_a_close_that_was_not_answered() -> None:
    assert of_close(None, cut=True) == Trouble("close", "not_answered", "target")
    assert of_close(os_error(errno.ECONNRESET), cut=False).step == "close"


def test_no_trouble_quotes_what_was_said() -> None:
    for number in (errno.ECONNREFUSED, errno.EPROTO, errno.EMFILE):
        for trouble_of in (of_resolve, of_connect, of_tls, of_upgrade):
            assert SECRET not in trouble_of(os_error(number)).kind
