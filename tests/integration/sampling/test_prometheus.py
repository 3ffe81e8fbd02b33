"""A Prometheus endpoint, as it should be and in every way that it can be none."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from squall.record.resources import ResourceSample
from squall.sampling import prometheus
from squall.sampling.prometheus import PrometheusSampler

Serve = Callable[[socket.socket, bytes], None]

PAGE = """\
process_cpu_seconds_total {cpu}
process_resident_memory_bytes 50000000
process_open_fds 12
node_memory_MemTotal_bytes 1e9
queue{{room="a"}} 3
queue{{room="b"}} 4
"""


@contextmanager
def serving(serve: Serve) -> Iterator[int]:
    """A server that reads a request, and then does as the function says; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def run() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(5)
                        request = b""
                        while b"\r\n\r\n" not in request and (part := connection.recv(4096)):
                            request += part
                        serve(connection, request)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def page(text: str, status: str = "200 OK", kind: str = "text/plain") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
    return (head + text).encode()


def sampler(port: int, *, user: str = "", timeout_s: float = 2.0, **settings: Any) -> PrometheusSampler:
    given: dict[str, Any] = {"headers": {}, "metrics": {}} | settings
    return PrometheusSampler(
        "node", f"http://{user}127.0.0.1:{port}/metrics?t=s3cret", timeout_s=timeout_s, **given
    )


def looked(serve: Serve, **settings: Any) -> ResourceSample:
    with serving(serve) as port:
        return sampler(port, **settings).look(0, 0)


def test_what_the_client_libraries_export_is_read_without_being_named() -> None:
    spent = iter((10.0, 11.5))

    def serve(connection: socket.socket, _: bytes) -> None:
        connection.sendall(page(PAGE.format(cpu=next(spent))))

    with serving(serve) as port:
        watched = sampler(port)
        first, second = watched.look(0, 0), watched.look(5 * 10**9, 5 * 10**9)
    assert (first.problem, first.cpu_cores) == ("", None)
    assert (first.memory_bytes, first.descriptors) == (50_000_000, 12)
    assert (second.problem, second.cpu_cores) == ("", pytest.approx(0.3))


def test_figures_have_the_names_that_the_scenario_gives_and_the_secrets_reach_the_endpoint_alone() -> None:
    requests: list[bytes] = []

    def serve(connection: socket.socket, request: bytes) -> None:
        requests.append(request)
        connection.sendall(page(PAGE.format(cpu=1)))

    found = looked(
        serve,
        user="joe:pass%20word@",
        headers={"X-Key": "k3y"},
        metrics={
            "memory_share": "process_resident_memory_bytes / node_memory_MemTotal_bytes",
            "queued": "queue",
            "in_a": 'queue{room="a"} * 10',
        },
    )
    assert found.problem == ""
    assert found.memory_share == 0.05
    assert found.memory_bytes is None
    assert found.custom == {"queued": 7, "in_a": 30}
    assert requests[0].startswith(b"GET /metrics?t=s3cret HTTP/1.1\r\n")
    assert b"X-Key: k3y\r\n" in requests[0]
    assert b"Authorization: Basic am9lOnBhc3Mgd29yZA==\r\n" in requests[0]


def test_a_counter_that_begins_anew_has_no_rate() -> None:
    spent = iter((10.0, 0.5))
    with serving(lambda connection, _: connection.sendall(page(PAGE.format(cpu=next(spent))))) as port:
        watched = sampler(port)
        watched.look(0, 0)
        assert watched.look(10**9, 10**9).cpu_cores is None


def silent(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)


def trickling(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"#")
            threading.Event().wait(0.02)


def endless(connection: socket.socket, _: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    with contextlib.suppress(OSError):
        while True:
            connection.sendall(b"# so much to tell\n" * 4096)


@pytest.mark.parametrize(
    ("serve", "said"),
    [
        (silent, "no whole page within 0.2 s"),
        (trickling, "no whole page within 0.2 s"),
        (lambda it, _: it.sendall(page("<html>a 1</html>", kind="text/html")), "the page has no process_cpu"),
        (lambda it, _: it.sendall(page("", "404 Not Found")), "answered with status 404"),
        (lambda it, _: it.sendall(page("", "302 Found")), "answered with status 302"),
        (lambda it, _: it.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"), "its answer is no HTTP (BadStatusLine)"),
        (lambda _it, _: None, "no HTTP|failed"),
        (lambda it, _: it.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"), "no HTTP"),
        (lambda it, _: it.sendall(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 500), "no HTTP"),
    ],
    ids=["silent", "trickling", "html", "missing", "elsewhere", "ssh", "closed", "cut", "headers"],
)
def test_a_page_that_is_none_is_said_in_time_and_no_figure_made(serve: Serve, said: str) -> None:
    begun = time.monotonic()
    found = looked(serve, timeout_s=0.2)
    assert time.monotonic() - begun < 1.5
    assert any(words in found.problem for words in said.split("|"))
    assert (found.cpu_cores, found.memory_bytes, found.custom) == (None, None, {})
    assert "s3cret" not in found.problem


def test_a_page_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus, "PAGE_BYTES_MAX", 1 << 20)
    found = looked(endless, timeout_s=5.0)
    assert found.problem == "the page is larger than 1 MiB"


def test_an_endpoint_that_is_not_there_is_said() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert sampler(unused.getsockname()[1]).look(0, 0).problem == "the connection was refused"


def test_a_series_that_was_named_and_is_missing_is_said_beside_those_that_are_there() -> None:
    found = looked(
        lambda it, _: it.sendall(page(PAGE.format(cpu=1))),
        metrics={"threads": "process_threads", "descriptors": "process_open_fds"},
    )
    assert found.problem == "the page has no process_threads with these labels"
    assert (found.descriptors, found.threads) == (12, None)


def test_no_tls_where_tls_was_asked_for_is_said() -> None:
    with serving(lambda it, _: it.sendall(page(""))) as port:
        watched = PrometheusSampler("n", f"https://127.0.0.1:{port}/", headers={}, metrics={}, timeout_s=0.5)
        found = watched.look(0, 0)
    assert "TLS failed" in found.problem or "no whole page" in found.problem
    assert found.memory_bytes is None
