"""What the process that coordinates spends, an hour into a run of 10,000 msg/s: in a process of its own.

`python -m benchmarks.watching_hour FOLDER none|all SECONDS` takes an hour through the real recorder as fast as it goes,
then as many seconds, one a second, as a run does; it prints the processor time of these for each of them. With `all`
they are shown by the dashboard, on the live page to a viewer over a socket, and to a scraper each five seconds.
"""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
import uvloop

from benchmarks.report_hour import MADE, PLACES, TYPES, S, sample, second
from squall.live.base import LiveView
from squall.live.endpoints import served
from squall.live.picture import Title
from squall.live.terminal import TerminalView
from squall.record.run import FORMAT_VERSION, Phase, RunHeader
from squall.record.snapshots import Interval, Place
from squall.runner.recording import Recording
from squall.scenario.models import Scenario
from squall.store.writer import RunWriter

__all__ = ["main"]

HOUR_S = 3_600
EACH_S = 5
"""From one look at the machines, and one scrape, to the next."""

PHASE = Phase(
    id=0, name="hold", kind="sustained", start_ns=0, end_ns=None, level_start=1, level_end=1, words="held"
)
TYPE_NAMES = [f"type-{number}" for number in range(TYPES)]
HEADER = RunHeader(
    format_version=FORMAT_VERSION, run_id="an-hour", name="an hour", squall_version="bench",
    started_wall_ns=1_769_869_530 * S, seed=1, run_number=1, scenario={}, populations=["main"],
    types=[TYPE_NAMES], plan=["an hour"], environment={},
)  # fmt: skip
SCENARIO = Scenario.model_validate(
    {
        "target": {"url": ["ws://lb/"]},
        "populations": [{"traffic": {"types": [{"name": name} for name in TYPE_NAMES]}}],
        "outputs": {"web": 0},
    }
)


def main() -> None:
    """Do what the arguments say, and print what a second costs."""
    folder, shows, seconds = Path(sys.argv[1]), sys.argv[2] == "all", int(sys.argv[3])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(_hour_and_more(folder, seconds, shows=shows))))


async def _hour_and_more(folder: Path, seconds: int, *, shows: bool) -> dict[str, float]:
    async with AsyncExitStack() as stack:
        views, urls = await stack.enter_async_context(_views()) if shows else ((), {})
        writer = stack.enter_context(RunWriter(folder, HEADER))
        recording = Recording(SCENARIO, views)
        recording.open(writer)
        for view in views:
            view.begin_run(HEADER, folder, recording.totals)
        recording.begin_phase(PHASE, float(HOUR_S + seconds))
        made = [second(index) for index in range(MADE)]
        for index in range(HOUR_S):
            _tell(recording, made, index)
            if not index % 100:
                await asyncio.sleep(0)
        viewer = Viewer(urls)
        watching = [asyncio.ensure_future(viewer.look())] if shows else []
        await asyncio.sleep(2)  # what the threads have not come to yet
        begun_s, begun_cpu_s = time.monotonic(), time.process_time()
        for number in range(seconds):
            _tell(recording, made, HOUR_S + number)
            if shows and number % EACH_S == 0:
                await viewer.scrape()
            await asyncio.sleep(max(0.0, begun_s + number + 1 - time.monotonic()))
        spent_s = time.process_time() - begun_cpu_s
        for task in watching:
            task.cancel()
        return {
            "share": spent_s / (time.monotonic() - begun_s),
            "frames": viewer.frames,
            "bytes": viewer.bytes,
        }


@asynccontextmanager
async def _views() -> AsyncIterator[tuple[Sequence[LiveView], Mapping[str, str]]]:
    """All that can show a run at once."""
    dashboard = TerminalView(io.StringIO(), Title("an hour", "ws://lb/"))
    async with served("an hour", SCENARIO.outputs) as others:
        yield (dashboard, *others.views), others.urls
    dashboard.finish()


def _tell(recording: Recording, made: Sequence[Interval], index: int) -> None:
    places = [Place("ws://lb/", f"node {place}") for place in range(PLACES)] if not index else []
    at_ns = (index + 1) * S
    recording.accept(msgspec.structs.replace(made[index % MADE], index=index, at_ns=at_ns, places=places))
    if index % EACH_S == EACH_S - 1:
        for role in ("target", "generator", "host"):
            recording.sampled(sample(at_ns, role))


class Viewer:
    """A browser's part: it reads all that is sent, and counts it."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self.frames = self.bytes = 0
        self._host = urls.get("web", "http:///").removeprefix("http://").rstrip("/")

    async def look(self) -> None:
        """Read the stream of the live page."""
        reader, writer = await self._ask("/events")
        while data := await reader.read(1 << 16):
            self.frames += data.count(b"event: parts")
            self.bytes += len(data)
        writer.close()

    async def scrape(self) -> None:
        """Fetch the metrics."""
        reader, writer = await self._ask("/metrics")
        await reader.read()
        writer.close()

    async def _ask(self, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*self._host.rsplit(":", 1))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {self._host}\r\n\r\n".encode())
        return reader, writer


if __name__ == "__main__":
    main()
