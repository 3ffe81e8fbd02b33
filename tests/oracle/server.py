"""The lying echo server: a process on the ``websockets`` library that logs every message and frame.

``python tests/oracle/server.py --log FILE --seed 3 --lose 0.02 ...`` listens on a free port, prints one JSON
line with it, serves until its standard input ends or SIGTERM comes, closes what is open with code 1001,
completes the log and prints one more JSON line with its totals. What it does wrong: ``options.py``. It shares
no code with what it tests, and does not know what the messages mean.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import ssl
import sys
import threading
import time
from pathlib import Path

if __package__ in {
    None,
    "",
}:  # run as a file: importable under the name that the tests use
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State
from websockets.typing import Subprotocol

from oracle.echo import Echo, Frame
from oracle.options import Options, from_arguments
from oracle.wire_log import LogWriter

__all__ = ["LyingServer", "main"]

FLUSH_PERIOD_S = 0.5
"""A server that is killed leaves a log that ends at most so long before."""
WRITE_LIMIT_BYTES = 16 * 1024 * 1024
QUEUE_MAX_MESSAGES = 1024
HANDSHAKE_TIMEOUT_S = 60.0


class LyingServer:
    """All connections of one server process, numbered from 0 in the order of their upgrades."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._log = LogWriter(options.log)
        self._open: dict[int, Echo] = {}
        self._next_number = 0
        self._stall_is_set = options.stall_for <= 0
        self.messages_in = 0

    async def run_until(self, stop: asyncio.Event) -> None:
        """Serve until ``stop`` is set; the log is complete when this returns."""
        options = self._options
        subprotocols = [Subprotocol(options.subprotocol)] if options.subprotocol else None
        try:
            async with serve(
                self._serve_connection,
                options.host,
                0,
                ssl=tls_context(options),
                subprotocols=subprotocols,
                compression=None,
                ping_interval=None,
                open_timeout=HANDSHAKE_TIMEOUT_S,
                max_size=None,
                max_queue=QUEUE_MAX_MESSAGES,
                write_limit=WRITE_LIMIT_BYTES,
                backlog=4096,
            ) as server:
                port = next(iter(server.sockets)).getsockname()[1]
                say({"port": port, "pid": os.getpid()})
                while not stop.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(stop.wait(), FLUSH_PERIOD_S)
                    self._log.flush()
        finally:
            self._log.close()
        say({"connections": self._next_number, "messages_in": self.messages_in})

    def latest_of_another(self, number: int, rng: random.Random) -> Frame | None:
        """The latest message of another open connection, if there is one."""
        others = [
            echo for other, echo in self._open.items() if other != number and echo.latest and echo.is_open
        ]
        return rng.choice(others).latest if others else None

    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    async def _serve_connection(self, connection: ServerConnection) -> None:
        number = self._next_number
        self._next_number += 1
        echo = Echo(number, connection, self._options, self._log, self)
        self._open[number] = echo
        path = connection.request.path if connection.request else None
        self._log.event(number, "open", path=path, peer_port=connection.remote_address[1])
        try:
            while True:
                message = await connection.recv()
                self.messages_in += 1
                self._set_stall()
                echo.on_message(message)
                if connection.paused and connection.state is State.OPEN:
                    await connection.drain()
        except (ConnectionClosed, ConnectionError):
            pass  # how it ended stands in the log
        finally:
            del self._open[number]
            self._log.event(number, "close", how=echo.end(), code=connection.close_code)

    def _set_stall(self) -> None:
        """From the first message on, freeze once: the whole process, so that nothing is read or answered."""
        if not self._stall_is_set:
            self._stall_is_set = True
            loop = asyncio.get_running_loop()
            loop.call_later(self._options.stall_at, freeze, self._options.stall_for)


def main() -> None:
    """Read the options from the command line and serve until told to end."""
    options = from_arguments(sys.argv[1:])
    asyncio.run(serve_until_told(options))


async def serve_until_told(options: Options) -> None:
    """Serve until SIGTERM, SIGINT or the end of the standard input."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    threading.Thread(target=wait_for_end_of_input, args=(loop, stop), daemon=True).start()
    await LyingServer(options).run_until(stop)


def wait_for_end_of_input(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set ``stop`` when the standard input ends: so the server cannot outlive who started it."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop is closed: the server has ended already
        loop.call_soon_threadsafe(stop.set)


def tls_context(options: Options) -> ssl.SSLContext | None:
    """The server's side of TLS, if it has a certificate."""
    if options.tls_cert is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    if options.tls_client_ca is not None:
        context.load_verify_locations(options.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def freeze(seconds: float) -> None:
    """Stop the whole event loop."""
    time.sleep(seconds)  # noqa: TID251 - the stall is meant to block everything, timers and handshakes too


def say(line: dict[str, object]) -> None:
    """One JSON line for whoever started the process."""
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
