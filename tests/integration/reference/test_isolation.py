"""The service shares no code with the load generator: it loads nothing of squall but its own room."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

from websockets.sync.client import connect

ALLOWED = {"squall", "squall._native", "squall.errors"}
ALL_OF_IT = [
    "__main__",
    "behaviours",
    "connection",
    "counters",
    "health",
    "listening",
    "node",
    "service",
]


def strangers(names: set[str]) -> set[str]:
    ours = {name for name in names if name == "squall" or name.startswith("squall.")}
    return {name for name in ours - ALLOWED if name.split(".")[:2] != ["squall", "reference"]}


def test_importing_all_of_it_loads_no_other_room() -> None:
    code = (
        "import importlib, sys\n"
        f"for name in {ALL_OF_IT}: importlib.import_module('squall.reference.' + name)\n"
        "print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    loaded = set(done.stdout.split())
    assert "squall.reference.node" in loaded
    assert strangers(loaded) == set()


def test_serving_loads_no_other_room(get) -> None:
    process = subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "squall.reference", "serve", "--stdin-lifeline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        where = json.loads(process.stdout.readline())
        with connect(where["url"]) as client:
            client.send("hello")
            assert client.recv(timeout=10) == "hello"
        assert get(where["port"], "/metrics")[0].status == 200
        assert get(where["health_port"], "/healthz")[0].status == 200
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    loaded = {line.rsplit("|", 1)[1].strip() for line in said.splitlines() if line.startswith("import time:")}
    assert {"squall.errors", "squall.reference.node"} <= loaded
    assert strangers(loaded) == set()
