"""What the sessions of one population in one process share: codec, message mix, due times, limits."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import cython

if cython.compiled:
    from cython.cimports.squall.delivery.envelope import Codec
    from cython.cimports.squall.engine.backlog import Backlog
    from cython.cimports.squall.engine.check_windows import CheckWindows
    from cython.cimports.squall.profiles.mix import MessageMix
else:
    from squall.delivery.envelope import Codec
    from squall.engine.backlog import Backlog
    from squall.engine.check_windows import CheckWindows
    from squall.profiles.mix import MessageMix

from squall.metrics.streams import LateMessages, SendingTroubles, WorstStreams

if TYPE_CHECKING:
    from squall.engine.keeper import Keeper
    from squall.profiles.schedule import Arrivals

__all__ = ["Lane"]


@cython.cclass
class Lane:
    """See the module. `start_ns` is the start of the run on this process's monotonic clock.

    `period_ns` leads from each due time to the next; 0 where they are drawn. `burst_more` messages are due at each one
    beside the first. `sequential`: one is due on the reply to the last one as well. `backlog` is the worker's.
    """

    def __init__(
        self,
        *,
        population: int,
        codec: Codec,
        mix: MessageMix,
        arrivals: Arrivals,
        period_ns: int,
        burst_size: int = 1,
        sequential: bool = False,
        keeper: Keeper,
        checks: CheckWindows,
        backlog: Backlog,
        enveloped: bool,
        silent: bool,
        ignore_foreign: bool,
        send_buffer_max: int,
        send_buffer_age_max_ns: int,
        blocked_max: int,
        receive_message_max: int,
        orders: bool = True,
        timestamps: bool = True,
        worker: int = 0,
        worst_streams: WorstStreams | None = None,
        sending_troubles: SendingTroubles | None = None,
        late_messages: LateMessages | None = None,
    ) -> None:
        self.population = population
        self.codec = codec
        self.mix = mix
        self.arrivals = arrivals
        self.period_ns = period_ns
        self.burst_more = burst_size - 1
        self.sequential = sequential
        self.block_ns = getattr(arrivals, "block_ns", 0)
        self.keeper = keeper
        self.checks = checks
        self.backlog = backlog
        self.enveloped = enveloped
        self.silent = silent
        self.ignore_foreign = ignore_foreign
        self.send_buffer_max = send_buffer_max
        self.send_buffer_age_max_ns = send_buffer_age_max_ns
        self.blocked_max = blocked_max
        self.receive_message_max = receive_message_max
        self.orders = orders
        self.timestamps = timestamps
        self.worker = worker
        self.worst_streams = worst_streams or WorstStreams()
        self.sending_troubles = sending_troubles or SendingTroubles()
        self.late_messages = late_messages
        self.start_ns = 0
        self.held_total = 0
        self.last_arrival_ns = -1
        self.silence_ns = 0
        self.silence_start_ns = 0

    def first_due(self, index: int, at_ns: int) -> int:
        """The first due time at or after a time, of the session with this index in the population."""
        return self.arrivals.due_at_or_after(index, at_ns)

    def points(self, index: int, block: int) -> array[int]:
        """The due times in a block of a schedule that has no period, ascending."""
        return array("q", self.arrivals.points(index, block))

    def note_late(self, stream: int, sequence: int) -> None:
        """A message came late; by its number that is kept only where somebody will ask which ones did."""
        if self.late_messages is not None:
            self.late_messages.note(stream, sequence)

    @cython.ccall
    @cython.exceptval(check=False)
    def heard(self, now: cython.longlong) -> cython.void:
        """Note an arrival: the longest time without any is kept for the report."""
        if self.last_arrival_ns >= 0 and now - self.last_arrival_ns > self.silence_ns:
            self.silence_ns = now - self.last_arrival_ns
            self.silence_start_ns = self.last_arrival_ns
        self.last_arrival_ns = now
