"""Client-side faults: what the sessions of a worker do to the service, each struck at most once by each fault.

Who is struck, and when, is `squall.profiles.strikes`'s to say; what a strike does is the session's. A session that is
not connected when its time comes, or suffers from another strike, is passed over, and counted as such. A strike ends
after its own time, and at the latest when the session begins to drain, so that none outlives the sending; what it left
undone is done then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from squall.engine.session import OPEN
from squall.engine.slow_frame import SlowFrame
from squall.profiles.strikes import Strikes
from squall.scenario.run_faults import (
    ClientFault,
    Cut,
    SlowFrameFault,
    StopAcknowledging,
    StopReading,
    client_faults,
    window_s,
)
from squall.seeds import derive
from squall.units import format_duration

if TYPE_CHECKING:
    from squall.engine.roster import Roster
    from squall.engine.session import Session
    from squall.engine.setup import Setup
    from squall.scenario.models import Scenario

__all__ = ["ClientFaults", "strikes_of"]

_NS = 1_000_000_000


class ClientFaults:
    """The client-side faults of a scenario, on the sessions of one worker.

    Args:
        setup: what the scenario says.
        roster: whose sessions they are.
    """

    def __init__(self, setup: Setup, roster: Roster) -> None:
        self._scenario = setup.scenario
        self._roster = roster
        self._loop = asyncio.get_running_loop()
        self._strikes: list[tuple[ClientFault, Strikes]] = []
        self._stopped = False

    def begin(self, hold_from_ns: int, hold_ns: int) -> None:
        """The hold begins at this time of the run, and takes so long: from now on sessions are struck."""
        faults = client_faults(self._scenario.faults)
        if not faults or self._strikes:
            return
        self._strikes = [
            (fault, strikes_of(fault, self._scenario, hold_from_ns, hold_ns)) for fault in faults
        ]
        for number in list(self._roster.sessions):
            self._plan(number)
        self._roster.met = self._plan

    def stop(self) -> None:
        """No session is struck any more."""
        self._stopped = True

    def _plan(self, number: int) -> None:
        now_ns = self._roster.now_ns()
        for fault, strikes in self._strikes:
            at_ns = strikes.at_ns(number)
            if at_ns is not None and at_ns >= now_ns:
                self._later((at_ns - now_ns) / _NS, self._strike, number, fault)

    def _guarded(self, action: Callable[..., None], *arguments: object) -> None:
        """What a timer calls: the loop would only log what it raises."""
        try:
            if not self._stopped:
                action(*arguments)
        except Exception as error:  # noqa: BLE001 - a bug of ours: the worker ends with it
            self._roster.failed(error)

    def _strike(self, number: int, fault: ClientFault) -> None:
        session = self._roster.sessions.get(number)
        if session is None:
            return
        if session.state != OPEN or session.afflicted or not fault.strikes(sends=not session.lane.silent):
            self._roster.struck(number, fault.label, "")
            return
        self._roster.struck(number, fault.label, _in_words(fault))
        if isinstance(fault, Cut):
            _cut(session)
        elif isinstance(fault, SlowFrameFault):
            session.afflicted = True
            slow, gap_s = SlowFrame(fault.pieces), fault.takes / (fault.pieces - 1)
            session.slow = slow
            self._later(gap_s, self._send_piece, session, slow, gap_s)
        else:
            _fall_silent(session, reads=isinstance(fault, StopAcknowledging))
            self._later(fault.strike_s, self._recover, session, session.epoch)

    def _later(self, delay_s: float, action: Callable[..., None], *arguments: object) -> None:
        self._loop.call_later(delay_s, self._guarded, action, *arguments)

    def _recover(self, session: Session, epoch: int) -> None:
        """Its time is over, unless the connection that it struck is."""
        if session.epoch == epoch:
            session.recover()

    def _send_piece(self, session: Session, slow: SlowFrame, gap_s: float) -> None:
        if session.slow is not slow:
            return
        session.send_piece()
        if slow.ended:
            session.recover()
        else:
            self._later(gap_s, self._send_piece, session, slow, gap_s)


def _cut(session: Session) -> None:
    """Drop the connection, without a close."""
    if session.transport is not None:
        session.cut_by_fault = True
        session.transport.disconnect(False)


def _fall_silent(session: Session, *, reads: bool) -> None:
    """Let a session acknowledge nothing, or read nothing at all, until it recovers."""
    session.afflicted = True
    if session.silent_from < 0:
        session.silent_from = session.stream.oldest_owed()
        session.silence_harmed = False
    if reads:
        session.withholds_acks = True
    elif session.transport is not None:
        session.transport.underlying_transport.pause_reading()


def strikes_of(fault: ClientFault, scenario: Scenario, hold_from_ns: int, hold_ns: int) -> Strikes:
    """Whom a fault strikes in a run whose hold begins at this time and takes so long, and when."""
    from_s, until_s = window_s(fault, hold_ns / _NS)
    return Strikes(
        seed=derive(scenario.seed, f"fault {fault.label}") if fault.seed is None else fault.seed,
        share=fault.probability,
        sessions=scenario.level,
        from_ns=hold_from_ns + round(from_s * _NS),
        until_ns=hold_from_ns + round(until_s * _NS),
        lasts_ns=round(fault.strike_s * _NS),
    )


def _in_words(fault: ClientFault) -> str:
    """What a strike does to a session."""
    if isinstance(fault, StopReading):
        return f"reads nothing for {format_duration(fault.pause)}"
    if isinstance(fault, StopAcknowledging):
        return f"acknowledges nothing for {format_duration(fault.pause)}"
    if isinstance(fault, SlowFrameFault):
        return f"sends a frame in {fault.pieces} pieces over {format_duration(fault.takes)}"
    return "drops its connection without a close"
