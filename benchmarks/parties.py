"""The parties of a bench beside squall: the C echo server, the floor client, the bundled service, the fault proxy, a
certificate.

Rule: what is started here is stopped when its `with` is left, by Ctrl-C too; the servers also end with their
standard input, should this process be killed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import psutil

from benchmarks.build import BuildError, echo_server, floor_client
from benchmarks.rows import CouldNotRun

__all__ = [
    "Service",
    "bundled_service",
    "c_echo_server",
    "ended",
    "floor",
    "floor_command",
    "floor_started",
    "proxy_before",
    "runs_on",
    "throwaway_certificate",
]

STOP_MAX_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Service:
    """The bundled service while it runs."""

    url: str
    pid: int
    metrics_url: str

    def counters(self) -> dict[str, float]:
        """What it counts, by name without the prefix (`connections`, `messages_sent_total`, …)."""
        with urllib.request.urlopen(self.metrics_url, timeout=STOP_MAX_S) as answer:
            lines = answer.read().decode().splitlines()
        pairs = [line.removeprefix("squall_reference_").split() for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}

    def resident_bytes(self) -> int:
        """The resident memory of all its processes."""
        parent = psutil.Process(self.pid)
        return sum(process.memory_info().rss for process in (parent, *parent.children(recursive=True)))


@contextmanager
def c_echo_server() -> Iterator[str]:
    """The C echo server on a port of its own; gives its URL."""
    with _server([str(_built(echo_server))]) as told:
        yield f"ws://127.0.0.1:{told['port']}/"


@contextmanager
def bundled_service(*, processes: int = 1, certificate: Path | None = None) -> Iterator[Service]:
    """`squall serve` on free ports, with TLS where a certificate (and key, in one file) is given."""
    command = [sys.executable, "-m", "squall.reference", "serve", "--stdin-lifeline"]
    command += ["--processes", str(processes)]
    if certificate is not None:
        command += ["--tls-cert", str(certificate)]
    with _server(command) as told:
        yield Service(
            url=told["url"],
            pid=told["pid"],
            metrics_url=f"http://127.0.0.1:{told['health_port']}/metrics",
        )


@contextmanager
def proxy_before(url: str, *faults: str) -> Iterator[tuple[str, psutil.Process]]:
    """`squall proxy` before a service; gives its URL and its process."""
    command = [sys.executable, "-m", "squall.proxy", "--stdin-lifeline", "--listen", "0"]
    command += ["--upstream", url.rstrip("/"), *(f"--fault={fault}" for fault in faults)]
    with _server(command) as told:
        yield told["url"], psutil.Process(told["pid"])


def floor_command(
    url: str, *, connections: int, rate_hz: float, hold_s: float, window_ms: float = 1, payload: int = 128
) -> list[str]:
    """The command of the floor client; `rate_hz` is that of all connections together.

    Raises:
        CouldNotRun: it cannot be built here.
    """
    port = url.rstrip("/").rpartition(":")[2]
    options = {
        "port": port,
        "connections": connections,
        "rate": rate_hz,
        "seconds": hold_s,
        "window-us": round(window_ms * 1000),
        "payload": payload,
    }
    return [str(_built(floor_client)), *(f"--{name}={value}" for name, value in options.items())]


def floor(url: str, **options: float) -> dict[str, Any]:
    """Run the floor client to its end; what it measured.

    Raises:
        CouldNotRun: it cannot be built, or it failed.
    """
    with floor_started(floor_command(url, **cast(dict[str, Any], options))) as client:
        return ended(client)


@contextmanager
def floor_started(command: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """The floor client, running; `ended` has what it measured."""
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield client
    finally:
        client.kill()
        client.wait()
        for pipe in (client.stdout, client.stderr):
            if pipe is not None:
                pipe.close()


def ended(client: subprocess.Popen[str]) -> dict[str, Any]:
    """Wait for the floor client; what it measured.

    Raises:
        CouldNotRun: it failed, or a connection or a message was lost: then its figures are of other work.
    """
    out, wrong = client.communicate()
    if client.returncode != 0:
        raise CouldNotRun(f"the floor client failed: {wrong.strip() or out.strip()}")
    return cast(dict[str, Any], json.loads(out))


def runs_on(process: subprocess.Popen[str] | psutil.Popen, seconds: float) -> bool:
    """Wait; False, and earlier, where the process ends meanwhile."""
    try:
        process.wait(seconds)
    except (subprocess.TimeoutExpired, psutil.TimeoutExpired):
        return True
    return False


def throwaway_certificate(folder: Path) -> tuple[Path, Path]:
    """A server's certificate with its key for 127.0.0.1, and the file of the authority that vouches for it.

    Raises:
        CouldNotRun: there is nothing here to make one with.
    """
    try:
        import trustme
    except ImportError:
        raise CouldNotRun("trustme is not installed (it makes the certificate)") from None
    authority = trustme.CA()
    server, trusted = folder / "server.pem", folder / "authority.pem"
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(server))
    authority.cert_pem.write_to_path(str(trusted))
    return server, trusted


@contextmanager
def _server(command: Sequence[str]) -> Iterator[dict[str, Any]]:
    """A server that says in one line of JSON where it listens, and ends with its standard input."""
    server = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_plain_environment()
    )
    assert server.stdin is not None
    assert server.stdout is not None
    try:
        line = server.stdout.readline()
        if not line:
            raise CouldNotRun(f"{Path(command[0]).name} did not start (exit code {server.wait(STOP_MAX_S)})")
        yield json.loads(line)
    finally:
        server.stdin.close()
        try:
            server.wait(STOP_MAX_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
        server.stdout.close()


def _plain_environment() -> dict[str, str]:
    """Ours without squall's variables: a setting of somebody's shell is no part of what is measured."""
    return {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}


def _built(program: Any) -> Path:
    try:
        return cast(Path, program())
    except BuildError as error:
        raise CouldNotRun(str(error).partition("\n")[0]) from None
