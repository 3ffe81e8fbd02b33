"""One who looks at a live page: reads its frames, and scrapes its metrics each five seconds, as long as there is one."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Final

__all__ = ["Viewer", "viewer"]

SCRAPE_EACH_S: Final = 5.0
WAIT_S: Final = 0.1
"""From one try to reach the page to the next."""


class Viewer:
    """What was seen at a port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.frames = 0
        self.scrapes = 0
        self.over = threading.Event()

    def read(self) -> None:
        """Read frames until it is over."""
        while not self.over.wait(WAIT_S):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/events") as stream:
                for line in stream:
                    self.frames += line == b"event: parts\n"

    def scrape(self) -> None:
        """Scrape until it is over."""
        while not self.over.wait(SCRAPE_EACH_S):
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
                self.scrapes += bool(answer.read())


@contextmanager
def viewer() -> Iterator[Viewer]:
    """A viewer of whatever will be served at its port, which is free."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        made = Viewer(int(free.getsockname()[1]))
    threads = [threading.Thread(target=each, daemon=True) for each in (made.read, made.scrape)]
    for thread in threads:
        thread.start()
    try:
        yield made
    finally:
        made.over.set()
        for thread in threads:
            thread.join()
