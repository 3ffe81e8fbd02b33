"""What other load generators spend on the same work, where they are installed: k6 and tcpkali.

Neither checks what comes back, so their figure is CPU per message echoed, not per verified round trip. Both
are measured alike and from outside: the bundled service counts the echoes, the CPU is that of the tool's
process in the same seconds, once all its connections are open. The tool is stopped when that is done.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from benchmarks.cost import MANY
from benchmarks.lab import Lab
from benchmarks.parties import Service, bundled_service, runs_on
from benchmarks.rows import CouldNotRun, Part, Row

__all__ = ["others"]

CONNECT_MAX_S: Final = 60.0
SETTLE_S: Final = 2.0
RUN_S: Final = 120
"""How long the tools are told to run: longer than they are let."""
STOP_MAX_S: Final = 10.0
K6_SCRIPT: Final = """
import ws from 'k6/ws';
import {{ Counter, Trend }} from 'k6/metrics';

export const options = {{ vus: {connections}, duration: '{seconds}s', noConnectionReuse: false }};
const back = new Counter('back');
const took = new Trend('took', true);
const message = new Uint8Array({payload}).buffer;

export default function () {{
  ws.connect('{url}', {{}}, function (socket) {{
    let sentAt = 0;
    socket.on('open', () => socket.setInterval(() => {{
      sentAt = Date.now();
      socket.sendBinary(message);
    }}, 1000));
    socket.on('binaryMessage', () => {{
      back.add(1);
      took.add(Date.now() - sentAt);
    }});
  }});
}}
"""


def others(lab: Lab) -> Part:
    """A row for each tool, measured or not."""
    rows = [_row(lab, name, command) for name, command in (("k6", _k6), ("tcpkali", _tcpkali))]
    return Part(
        rows=rows,
        notes=[
            "Other tools: CPU of the whole tool per message echoed, 10,000 connections × 1 msg/s, 128 bytes, against "
            "the bundled service, over seconds in which all connections were open. They check nothing of what comes "
            "back: k6 counts messages and keeps a trend of round trips, tcpkali only sends."
        ],
    )


def _row(lab: Lab, name: str, command: Callable[[Lab, Service], list[str]]) -> Row:
    what = f"CPU per echoed message, {name}"
    if shutil.which(name) is None:
        return Row(what=what, verdict=f"not run: {name} is not installed")
    try:
        with bundled_service() as service, _running(lab, command(lab, service)) as tool:
            _wait_for_all(service, tool)
            cpu_us, echoed_hz, resident_bytes = _measure(service, tool, lab.seconds(10, 4))
    except CouldNotRun as reason:
        return Row(what=what, verdict=f"not run: {reason}")
    row = Row(
        what=what,
        measured=f"{cpu_us:.0f} µs at {echoed_hz:,.0f} msg/s, {resident_bytes / 1e6:,.0f} MB",
        verdict="stated",
    )
    lab.say(f"{row.what}: {row.measured}")
    return row


def _k6(lab: Lab, service: Service) -> list[str]:
    script = lab.fresh("k6.js")
    script.write_text(K6_SCRIPT.format(connections=MANY, seconds=RUN_S, payload=128, url=service.url))
    return ["k6", "run", "--quiet", "--no-usage-report", "--address", "", str(script)]


def _tcpkali(_lab: Lab, service: Service) -> list[str]:
    place = urlsplit(service.url).netloc
    options = ["--ws", "-c", str(MANY), "--connect-rate", "2000", "-r", "1", "-T", f"{RUN_S}s"]
    return ["tcpkali", *options, "-m", "x" * 128, place]


@contextmanager
def _running(lab: Lab, command: list[str]) -> Iterator[psutil.Popen]:
    printed: Path = lab.fresh("printed")
    with printed.open("wb") as file:
        tool = psutil.Popen(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
    try:
        yield tool
        if tool.poll() is not None:
            said = printed.read_text(errors="replace").strip()[-200:]
            raise CouldNotRun(f"it ended with {tool.returncode}: {said}")
    finally:
        if tool.poll() is None:
            tool.kill()
        tool.wait(STOP_MAX_S)


def _wait_for_all(service: Service, tool: psutil.Popen) -> None:
    """Until all connections are open, and a little more.

    Raises:
        CouldNotRun: that takes too long, or the tool ended.
    """
    until_s = time.monotonic() + CONNECT_MAX_S
    there = 0.0
    while there < MANY:
        if not runs_on(tool, 0.5):
            raise CouldNotRun(f"it ended with {tool.returncode} before its connections were open")
        if time.monotonic() > until_s:
            raise CouldNotRun(f"it opened {there:,.0f} of {MANY:,} connections in {CONNECT_MAX_S:.0f} s")
        there = service.counters()["connections"]
    runs_on(tool, SETTLE_S)


def _measure(service: Service, tool: psutil.Popen, seconds: float) -> tuple[float, float, int]:
    """CPU per echoed message in µs, echoes a second, resident bytes."""
    begun_s, before, echoed = time.monotonic(), tool.cpu_times(), service.counters()["messages_sent_total"]
    if not runs_on(tool, seconds):
        raise CouldNotRun(f"it ended with {tool.returncode} while it was measured")
    after, echoes = tool.cpu_times(), service.counters()["messages_sent_total"] - echoed
    took_s = time.monotonic() - begun_s
    if not echoes:
        raise CouldNotRun("no message was echoed")
    spent_s = after.user + after.system - before.user - before.system
    return spent_s * 1e6 / echoes, echoes / took_s, tool.memory_info().rss
