"""Chromium without a window, driven over its own protocol: for tests of pages. No dependency but `websockets`."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

__all__ = ["Page", "a_page", "needs_chromium"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
START_S = 30
ANSWER_S = 30


def chromium() -> str | None:
    """The path of a Chromium, where there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


needs_chromium = pytest.mark.skipif(
    chromium() is None, reason="there is no Chromium here (apt-get install chromium)"
)


class Page:
    """One page of a browser."""

    def __init__(self, wire: ClientConnection, session: str) -> None:
        self.problems: list[str] = []
        """What the page complained of: errors of scripts, refused requests, messages on its console."""
        self.requests: list[str] = []
        """Every address that it asked for."""
        self._wire = wire
        self._session = session
        self._number = 0

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One call of the protocol, and its result."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": params, "sessionId": self._session}
        self._wire.send(json.dumps(asked))
        while True:
            said = json.loads(self._wire.recv(timeout=ANSWER_S))
            if said.get("id") == self._number and said.get("sessionId") == self._session:
                assert "error" not in said, said
                result: dict[str, Any] = said["result"]
                return result
            self._hear(said)

    def open(self, url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Load a page and wait until it is there."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        deadline = time.monotonic() + ANSWER_S
        while self.run("document.readyState") != "complete" or self.run("location.href") == "about:blank":
            assert time.monotonic() < deadline, f"{url} did not load"

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        said = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    def point(self, selector: str, x: float, y: float = 0.5) -> tuple[float, float]:
        """Where a share of the width and height of an element is; it is scrolled to first."""
        box = self.run(
            f"(() => {{const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center',"
            f" behavior: 'instant'}}); const b = e.getBoundingClientRect();"
            f" return [b.left, b.top, b.width, b.height]}})()"
        )
        return box[0] + x * box[2], box[1] + y * box[3]

    def mouse(self, kind: str, at: tuple[float, float], *, pressed: bool = False) -> None:
        """`mouseMoved`, `mousePressed` or `mouseReleased` at a point; `pressed` while the button is down."""
        button = "left" if pressed or kind != "mouseMoved" else "none"
        self.call(
            "Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button=button, buttons=int(pressed), clickCount=1
        )  # fmt: skip

    def key(self, name: str) -> None:
        """Press a key and let it go."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name)

    def screenshot(self, file: Path, *, whole: bool = False) -> None:
        """The window, or the whole page, as PNG."""
        taken = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(taken["data"]))

    def _hear(self, said: dict[str, Any]) -> None:
        method, params = said.get("method"), said.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.problems.append(params["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(str(params["args"]))


@contextmanager
def a_page(folder: Path) -> Iterator[Page]:
    """A page of a browser of its own, whose profile is kept in an empty folder; ended in any case."""
    program = chromium()
    assert program is not None
    profile = folder / "profile"
    process = subprocess.Popen(
        [program, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_address(process, profile), max_size=None, compression=None) as wire:
            yield _attached(wire)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: subprocess.Popen[bytes], profile: Path) -> str:
    file, pause = profile / "DevToolsActivePort", Event()
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, f"Chromium ended with {process.returncode}"
        if file.exists() and len(lines := file.read_text().splitlines()) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        pause.wait(0.05)
    raise AssertionError("Chromium did not start")


def _attached(wire: ClientConnection) -> Page:
    def ask(number: int, method: str, **params: Any) -> dict[str, Any]:
        wire.send(json.dumps({"id": number, "method": method, "params": params}))
        while (said := json.loads(wire.recv(timeout=ANSWER_S))).get("id") != number:
            pass
        result: dict[str, Any] = said["result"]
        return result

    target = ask(1, "Target.createTarget", url="about:blank")["targetId"]
    return Page(wire, ask(2, "Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
