"""The bundled service with one thing planted: above so many connections it gets slow, the slower the more there are.

    python -m crowded_service --from 3000 --each-ms 1.5

Each connection beyond `--from` makes every answer so many milliseconds later; their order is kept. Prints its port once it
listens, serves until its standard input ends, and then prints what it had: a service as `oracle.services` starts them.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import deque

from picows import WSMsgType

from squall.reference.behaviours import Attended, Behaviour, Taking, Wire, is_writable
from squall.reference.neighbours import Neighbours
from squall.reference.paths import Paths
from squall.reference.service import ServiceSettings, serve

__all__ = ["Crowded", "main"]


class Crowded(Attended):
    """An echo that is late by as much as there are too many connections when a message comes."""

    def __init__(
        self,
        neighbours: Neighbours[Wire],
        deliver: Taking,
        loop: asyncio.AbstractEventLoop,
        options: argparse.Namespace,
    ) -> None:
        super().__init__(neighbours)
        self._deliver = deliver
        self._loop = loop
        self._options = options
        self._waiting: deque[tuple[float, Wire, WSMsgType, bytes]] = deque()

    def on_message(self, wire: Wire, opcode: WSMsgType, payload: memoryview) -> None:
        late_s = max(0, len(self._neighbours) - self._options.start) * self._options.each_ms / 1000
        if not late_s and not self._waiting:
            self._deliver(wire, opcode, payload)
            return
        before_s = self._waiting[-1][0] if self._waiting else 0.0
        self._waiting.append((max(before_s, self._loop.time() + late_s), wire, opcode, bytes(payload)))
        if len(self._waiting) == 1:
            self._loop.call_at(self._waiting[0][0], self._send_due)

    def _send_due(self) -> None:
        now_s = self._loop.time()
        while self._waiting and self._waiting[0][0] <= now_s:
            _, wire, opcode, payload = self._waiting.popleft()
            if is_writable(wire):
                self._deliver(wire, opcode, memoryview(payload))
        if self._waiting:
            self._loop.call_at(self._waiting[0][0], self._send_due)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", type=int, required=True, dest="start", metavar="CONNECTIONS")
    parser.add_argument("--each-ms", type=float, required=True)
    options = parser.parse_args()

    def made_echo(paths: Paths) -> Behaviour:
        neighbours: Neighbours[Wire] = Neighbours()
        return Crowded(neighbours, paths._outlet(neighbours.after).deliver, paths._loop, options)

    Paths._made_echo = made_echo  # type: ignore[method-assign] # this is what is planted
    serve(ServiceSettings(stdin_lifeline=True))
    sys.stdout.write("{}\n")


if __name__ == "__main__":
    main()
