"""How the service starts, and that it always ends: whole, and in whatever way its parent goes."""

from __future__ import annotations

import signal
import socket
import time
from contextlib import ExitStack, suppress

import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

REQUEST = (
    b"GET / HTTP/1.1\r\nHost: here\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def all_gone(processes: list[psutil.Process]) -> bool:
    """No process of these runs; one that nobody has reaped yet does not."""
    return all(not each.is_running() or each.status() == psutil.STATUS_ZOMBIE for each in processes)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_every_connection_with_1001_and_ends_with_0(start, number) -> None:
    with start("--processes", "2") as service, ExitStack() as held:
        everyone = service.everyone()
        clients = [held.enter_context(connect(service.url)) for _ in range(8)]
        service.process.send_signal(number)
        assert service.stderr_after_end() == ""
        assert service.process.returncode == 0
        for client in clients:
            client.close()
            assert client.protocol.close_rcvd is not None
            assert client.protocol.close_rcvd.code == 1001
        assert all_gone(everyone)
        assert is_free(service.port)
        assert is_free(service.health_port)


def test_ctrl_c_reaches_the_whole_group_and_still_ends_in_order(start) -> None:
    with start("--processes", "2") as service, connect(service.url) as client:
        for process in service.everyone():
            with suppress(
                psutil.NoSuchProcess
            ):  # the one that was told first may have ended the others by now
                process.send_signal(signal.SIGINT)
        assert service.stderr_after_end() == ""
        assert service.process.returncode == 0
        client.close()
        assert client.protocol.close_rcvd is not None
        assert client.protocol.close_rcvd.code == 1001


def test_a_peer_that_answers_no_close_delays_the_end_by_the_grace_only(start) -> None:
    with start() as service, socket.create_connection(("127.0.0.1", service.port), timeout=10) as peer:
        peer.sendall(REQUEST)
        assert peer.recv(4096).startswith(b"HTTP/1.1 101 ")
        started = time.monotonic()
        service.process.terminate()
        assert service.process.wait(15) == 0
        assert time.monotonic() - started > 1.5  # it was waited for
        assert peer.recv(4096) == b"\x88\x02\x03\xe9"


def test_a_second_signal_ends_at_once(start) -> None:
    with start() as service, socket.create_connection(("127.0.0.1", service.port), timeout=10) as peer:
        peer.sendall(REQUEST)
        assert peer.recv(4096).startswith(b"HTTP/1.1 101 ")
        service.process.terminate()
        assert peer.recv(4096) == b"\x88\x02\x03\xe9"
        started = time.monotonic()
        service.process.terminate()
        assert service.process.wait(15) == 0
        assert time.monotonic() - started < 1.5


def test_the_end_of_standard_input_ends_the_service(start) -> None:
    with start("--processes", "2") as service:
        everyone = service.everyone()
        service.process.stdin.write("words on it do not matter\n")
        service.process.stdin.flush()
        with connect(service.url) as client:
            client.send("still here")
            assert client.recv(timeout=10) == "still here"
        service.process.stdin.close()
        assert service.process.wait(15) == 0
        assert all_gone(everyone)


def test_killing_the_parent_leaves_no_process_and_frees_the_port(start, eventually) -> None:
    with start("--processes", "2") as service, connect(service.url) as client:
        nodes = service.nodes()
        assert len(nodes) == 2
        service.process.kill()
        service.process.wait()
        eventually(lambda: all_gone(nodes))
        eventually(lambda: is_free(service.port))
        assert is_free(service.health_port)
        client.close()
        assert client.protocol.close_rcvd is None  # as when a machine dies: no handshake


def test_killing_the_parent_ends_even_a_stopped_node(start, eventually) -> None:
    with start() as service:
        nodes = service.nodes()
        nodes[0].suspend()
        service.process.kill()
        service.process.wait()
        eventually(lambda: all_gone(nodes))


def test_a_stopped_node_does_not_keep_the_service_from_ending(start) -> None:
    with start() as service:
        everyone = service.everyone()
        service.nodes()[0].suspend()
        service.process.terminate()
        assert service.process.wait(20) == 0
        assert all_gone(everyone)


def test_a_node_that_dies_takes_the_service_with_it(start) -> None:
    with start("--processes", "2") as service:
        everyone = service.everyone()
        dead = service.nodes()[0]
        dead.kill()
        said = service.stderr_after_end()
        assert service.process.returncode == 111
        assert said.startswith("squall serve: process ")
        assert f"(pid {dead.pid}) ended by SIGKILL, unasked" in said
        assert said.count("\n") == 1
        assert all_gone(everyone)


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize("option", ["--port", "--health-port"])
def test_a_port_in_use_is_one_line_and_exit_code_111(start, refused, option, processes) -> None:
    with start("--processes", processes) as first:
        for port in (first.port, first.health_port):
            code, out, said = refused("--processes", processes, option, str(port))
            assert (code, out) == (111, "")
            assert said == f"squall serve: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_a_port_can_be_used_again_at_once(start) -> None:
    with start() as first:
        with connect(first.url):
            first.process.terminate()
            assert first.process.wait(15) == 0
        with start("--port", str(first.port), "--processes", "2") as second, connect(second.url) as again:
            assert second.port == first.port
            again.send("again")
            assert again.recv(timeout=10) == "again"


def test_a_host_that_is_not_ours_is_one_line_and_exit_code_111(refused) -> None:
    code, out, said = refused("--host", "192.0.2.1")
    assert (code, out) == (111, "")
    assert said == "squall serve: cannot listen on 192.0.2.1 port 0: Cannot assign requested address\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "65536"),
        ("--port", "-1"),
        ("--processes", "0"),
        ("--processes", "two"),
        ("--name", "a\r\nb"),
        ("--tls-key", "key.pem"),
        ("--nonsense",),
    ],
)
def test_wrong_arguments_are_exit_code_104(refused, arguments) -> None:
    code, out, said = refused(*arguments)
    assert (code, out) == (104, "")
    assert "Traceback" not in said
    assert said.startswith("squall serve: ")


def test_only_the_announcement_is_ever_printed(start) -> None:
    with start() as service:
        with connect(service.url) as client:
            client.send("quiet")
            client.recv(timeout=10)
        service.process.terminate()
        assert service.stderr_after_end() == ""
        assert service.process.stdout.read() == ""


def test_every_descriptor_the_process_may_have_is_made_use_of(start) -> None:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with start() as service:
        for process in service.everyone():
            assert process.rlimit(psutil.RLIMIT_NOFILE) == (hard, hard)


def test_without_descriptors_a_newcomer_is_closed_and_the_held_ones_are_served(start, eventually) -> None:
    with start() as service, connect(service.url) as first:
        node = service.nodes()[0]
        room = node.num_fds() + 4
        node.rlimit(psutil.RLIMIT_NOFILE, (room, room))
        with ExitStack() as sockets:
            for _ in range(12):
                peer = sockets.enter_context(
                    socket.create_connection(("127.0.0.1", service.port), timeout=10)
                )
            assert peer.recv(1) == b""
            first.send("still served")
            assert first.recv(timeout=10) == "still served"
        eventually(lambda: node.num_fds() < room)
        with connect(service.url) as client:
            client.send("room again")
            assert client.recv(timeout=10) == "room again"
        service.process.terminate()
        said = service.stderr_after_end()
        assert said.startswith("squall serve: out of file descriptors")
        assert said.count("\n") == 1


def test_a_wire_log_that_cannot_be_written_any_more_ends_the_service(start, tmp_path) -> None:
    with start("--wire-log", str(tmp_path)) as service:
        (node,) = service.nodes()
        node.rlimit(psutil.RLIMIT_FSIZE, (1000, 1000))
        with connect(service.url) as client, suppress(ConnectionClosed):
            client.send("x" * 1000)
            while True:
                client.recv(timeout=10)
        said = service.stderr_after_end()
        assert service.process.returncode == 111
    assert "cannot write the wire log any more: File too large" in said
    assert "ended with exit code 111, unasked" in said
    assert "Traceback" not in said
