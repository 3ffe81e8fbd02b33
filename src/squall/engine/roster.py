"""The roster: all sessions of a worker, from the moment the plan wants them to the moment nothing is owed.

It opens a session when the plan lets it come, and lets it leave when the plan says so: it stops sending, drains,
closes by handshake. What ends before that is a drop. One that only rests is kept, and its next visit begins when
the plan says so, but not before the one before is over. It knows no phases beyond what the book tells it, and
reports nothing: it books.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from squall.engine import troubles
from squall.engine.absences import Absences
from squall.engine.connector import Attempt, ConnectFailed
from squall.engine.connects import Connects
from squall.engine.journal import Journal
from squall.engine.session import CLOSING, DOWN, DRAINING, GONE, IDLE, OPEN, OPENING
from squall.engine.tally import NEVER_NS
from squall.engine.ticks import now_ns
from squall.profiles.backoff import Backoff, Turns
from squall.record.outcomes import Trouble
from squall.record.snapshots import Event
from squall.units import format_duration

if TYPE_CHECKING:
    from picows import WSTransport

    from squall.engine.book import Book
    from squall.engine.pacer import Pacer
    from squall.engine.session import Session
    from squall.engine.setup import Setup
    from squall.engine.tally import Tallies

__all__ = ["Roster", "pause_until"]

_LINGER_S = 1.0
"""How long the peer has to close the connection after both close frames (RFC 6455 §7.1.1 wants it first)."""
_GRACE_S = 1.0
"""How long a connect may still take whose session is to leave; it then counts as pending."""
_PAUSE_MIN_S = 0.002
"""The loop's timers round to milliseconds: a shorter pause would spin until its time has come."""
_NORMAL_CLOSURE = 1000
_ABNORMAL_CLOSURE = 1006


class Roster:
    """Sessions by number, and what happens to them. Implements `squall.engine.keeper.Keeper`.

    Args:
        setup: everything that was made from the scenario.
        book: where all is booked.
        pacer: asked to serve each session that has something to send.
        failed: told of an exception of squall's own; the worker ends with it.
    """

    def __init__(
        self, setup: Setup, book: Book, pacer: Pacer, failed: Callable[[BaseException], None]
    ) -> None:
        self._setup = setup
        self._book = book
        self._pacer = pacer
        self.failed = failed
        self.met: Callable[[int], None] = _nobody
        """Told of each session as it is made."""
        self.sessions: dict[int, Session] = {}
        self._left: dict[int, Session] = {}
        """Who has left, where the level may rise again: they go on with their streams then."""
        self.held = 0
        self.started = 0
        self.pending = 0
        self.absences = Absences()
        self._wanted: dict[int, int] = {}  # who is to be open, or to be tried again → when it is to leave
        self._resting: set[int] = set()
        self._trying: dict[int, asyncio.Task[None]] = {}
        self._down_ns: dict[int, int] = {}  # who was dropped, and when
        self._retries: dict[int, int] = {}  # how often each has been let try again since it was connected
        self._wake = asyncio.Event()
        self._went = asyncio.Event()
        self._room = asyncio.Semaphore(setup.connects_in_flight_max)
        self._stopped = False
        self._cut: set[int] = set()
        self._leave_when_open: set[int] = set()
        """Who is to leave and still waits for an answer of its opening: whether that comes is the service's doing."""
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()
        self._journal = Journal(setup.worker)
        self._policy = policy = setup.reconnect
        self._backoff = Backoff(
            policy.backoff, policy.backoff_max, jitter=policy.jitter == "full", seed=setup.seed
        )
        rate_hz = policy.rate_max
        self._connects = Connects(None if rate_hz is None else Turns(rate_hz, setup.worker, setup.workers))

    def now_ns(self) -> int:
        """The time of the run."""
        return int(now_ns() - self._setup.start_ns)

    # --- what the plan wants ---

    def want(self, number: int, at_ns: int, leave_ns: int = NEVER_NS) -> None:
        """Session `number` is to be open from `at_ns` until `leave_ns`; what is due then or later is not intended."""
        self._wanted[number] = leave_ns
        self._resting.discard(number)
        self.absences.begin(number, self.now_ns())
        if number in self._left:
            self.sessions[number] = self._left.pop(number)
        session = self.sessions.get(number)
        if session is not None and session.state == GONE:  # a connect of its last visit is still under way
            session.come_again()
        # While its visit before is being closed, or a connect for that is under way, it waits for the end of that.
        if number not in self._trying and (session is None or session.state == IDLE):
            self._connect_at(number, at_ns)

    def rest(self, number: int) -> None:
        """Session `number` is to leave now, and will be wanted again."""
        self._resting.add(number)
        self._part(number)

    def leave(self, number: int) -> None:
        """Session `number` is to leave now; one that never came does not come any more."""
        self._resting.discard(number)
        self._part(number)

    def _part(self, number: int) -> None:
        self._wanted.pop(number, None)
        self.absences.end(number, self.now_ns())
        self._connects.forget(number)
        self._went.set()
        session = self.sessions.get(number)
        if session is None:
            return
        if session.state == OPENING and not self._stopped:
            self._leave_when_open.add(number)
        elif session.state in {OPEN, OPENING}:
            self._drain(session)
        elif session.state in {DOWN, IDLE}:
            self._gone(session, lived=False)

    def plan_leave(self, number: int, at_ns: int) -> None:
        """Session `number`, if it is here, will leave at `at_ns`: what is due then or later is not intended."""
        if number in self._wanted:
            self._wanted[number] = min(self._wanted[number], at_ns)
        if number in self.sessions:
            session = self.sessions[number]
            session.leave_ns = min(session.leave_ns, at_ns)

    def stop(self) -> None:
        """Nothing due after now is intended, nobody new comes, and everybody leaves."""
        self._stopped = True
        self._connects.clear()
        now = self.now_ns()
        for session in list(self.sessions.values()):
            session.leave_ns = min(session.leave_ns, now)
            self.leave(session.number)
        self._wanted.clear()
        self.absences.clear(now)
        self._went.set()

    async def emptied(self) -> None:
        """Wait until no session is, or will be, open."""
        while self.sessions or self._wanted:
            self._went.clear()
            await self._went.wait()

    def remaining(self) -> list[int]:
        """The numbers of the sessions that are wanted or here."""
        return sorted(self._wanted.keys() | self.sessions.keys())

    def forget_left(self) -> None:
        """Nothing was sent so far: who has left has no stream to go on with."""
        for session in self._left.values():
            self._setup.forget(session)
        self._left.clear()

    def _session(self, number: int) -> Session:
        if number not in self.sessions:
            self.sessions[number] = self._setup.session(number)
            self.met(number)
        return self.sessions[number]

    # --- connecting ---

    def _connect_at(self, number: int, at_ns: int, *, again: bool = False) -> None:
        self._connects.add(number, at_ns, again=again)
        self._wake.set()

    async def run(self) -> None:
        """Begin each connect at its time, a bounded number at once. Runs until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                await self._wait_for_due()
                await self._room.acquire()
                number = self._connects.take(self.now_ns())
                if number is not None and number in self._wanted and not self._stopped:
                    self.pending += 1
                    self._trying[number] = group.create_task(self._attempt(number))
                else:
                    self._room.release()

    async def _wait_for_due(self) -> None:
        while (next_ns := self._connects.next_ns) is None or next_ns > self.now_ns():
            self._wake.clear()
            pause_s = None if next_ns is None else pause_until(next_ns - self.now_ns())
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _attempt(self, number: int) -> None:
        """One try; a failed one is booked and, as the policy says, tried again."""
        try:
            session = self._session(number)
            attempt = session.attempt = self._setup.attempt(session)
            session.attempts += 1
            self._tallies_nowhere(session).connection.attempted += 1
            trouble = None
            try:
                await self._setup.connector.connect(attempt)
            except ConnectFailed as failure:
                trouble = failure.trouble
            finally:
                self._trying.pop(number, None)
            if trouble is not None:
                self._connect_failed(session, trouble)
        except Exception as error:  # noqa: BLE001 - a bug of ours: the worker ends with it
            self.failed(error)
        finally:
            self._forget_if_gone(number)
            self.pending -= 1
            self._room.release()

    def _connect_failed(self, session: Session, trouble: Trouble) -> None:
        connection = self._tallies_nowhere(session).connection
        connection.failed += 1
        connection.trouble(trouble)
        self._say(
            "connect_failed",
            f"{trouble.step}: {trouble.kind} ({trouble.blame}) at {session.attempt.entry.public}",
            session.number,
        )
        retries = self._policy.after_drop or self._book.order_at(self.now_ns()).retries
        if session.number in self._wanted and retries and self._tries_again(session):
            return
        if session.state == DOWN:
            self._give_up(session)
        elif session.state == IDLE:
            self._wanted.pop(session.number, None)
            # One that has been here before keeps its stream, and comes with its next visit.
            if session.epoch < 0:
                self._gone(session, lived=False)

    def _tallies_nowhere(self, session: Session) -> Tallies:
        """The tallies of an attempt: no node has answered yet."""
        place = self._book.place(session.attempt.entry.public, "")
        return self._book.at(session.lane.population, self.now_ns(), place)

    def _tries_again(self, session: Session) -> bool:
        """Let a session connect again after its pause; False where it has tried often enough, or all is stopped."""
        most = self._policy.attempts_max
        retries = self._retries.get(session.number, 0)
        if self._stopped or (most is not None and retries >= most):
            return False
        pause_ns = self._backoff.pause_ns(session.number, session.epoch, retries)
        self._retries[session.number] = retries + 1
        self._connect_at(session.number, self.now_ns() + pause_ns, again=True)
        return True

    # --- what sessions tell (Keeper) ---

    def tallies_at(self, session: Session, intended_ns: int) -> Tallies:
        """The tallies of the phase in which a time lies."""
        return self._book.at(session.lane.population, intended_ns, session.place)

    def tallies_now(self, session: Session) -> Tallies:
        """The tallies of the present phase."""
        return self._book.at(session.lane.population, self.now_ns(), session.place)

    def tallies_labelled(self, label: int) -> Tallies:
        """The tallies under a label that a ledger has kept."""
        return self._book.labelled(label)

    def upgraded(self, session: Session, transport: WSTransport) -> None:
        """A connection stands: book its times and let the session send."""
        attempt: Attempt = session.attempt
        now = self.now_ns()
        session.place = self._book.place(attempt.entry.public, attempt.node)
        tallies = self.tallies_now(session)
        connection = tallies.connection
        connection.established += 1
        connection.connect.record(now - attempt.begun_ns)
        connection.tcp.record(attempt.tcp_ns - attempt.begun_ns)
        if attempt.secure:
            connection.tls.record(attempt.secured_ns - attempt.tcp_ns)
        connection.upgrade.record(now - attempt.secured_ns)
        # Told of the first byte that the kernel does not take: see the session on backpressure.
        transport.underlying_transport.set_write_buffer_limits(high=0)
        down_ns = self._down_ns.pop(session.number, None)
        if down_ns is not None:
            connection.reconnected += 1
            connection.reconnect.record(now - down_ns)
        session.leave_ns = self._wanted.get(session.number, session.leave_ns)
        session.connected(transport, tallies)
        session.attempts = 0
        if session.state == OPEN:
            self._retries.pop(session.number, None)
        self._setup.checks.roll(now, self.held)
        self._setup.checks.joined_at(now)
        self.held += 1
        self.absences.end(session.number, now)
        if session.number not in self._wanted:
            self._drain(session)

    def ready(self, session: Session) -> None:
        """A session may send for the first time in its visit: the pacer asks it from now on."""
        self.started += not session.started
        session.started = True
        self._pacer.enrol(session)

    def due_sooner(self, session: Session) -> None:
        """A session has something to do before it was to be asked."""
        self._pacer.enrol(session)

    def awaits(self, session: Session, timeout_s: float) -> None:
        """A session that is opening waits for an answer, at most so long."""
        self._after(session, timeout_s, _is_late)

    def opened(self, session: Session) -> None:
        """What goes before the traffic is done: book how long it took."""
        self._cancel_timer(session)
        self._retries.pop(session.number, None)
        self.tallies_now(session).connection.opening.record(self.now_ns() - session.upgraded_ns)
        if session.number in self._leave_when_open:
            self._leave_when_open.discard(session.number)
            self._loop.call_soon(self._leave_at_last, session)

    def _leave_at_last(self, session: Session) -> None:
        if session.state == OPEN:
            self._drain(session)

    def _drain(self, session: Session) -> None:
        self._after(session, self._setup.drain_timeout_s, self._close)
        session.drain()

    def drained(self, session: Session) -> None:
        """Nothing is owed any more: close."""
        self._close(session)

    def _close(self, session: Session) -> None:
        session.give_up_held()
        self._after(session, self._setup.close_timeout_s, self._close_in_vain)
        session.close(_NORMAL_CLOSURE)

    def close_answered(self, session: Session) -> None:
        """Both close frames have passed; the peer should end the connection."""
        self._after(session, _LINGER_S, self._abort)

    def _close_in_vain(self, session: Session) -> None:
        """The peer has not answered our close frame in time."""
        self._cut.add(session.number)
        self._abort(session)

    def _abort(self, session: Session) -> None:
        if session.transport is not None:
            session.transport.disconnect(False)

    def _after(self, session: Session, delay_s: float, then: Callable[[Session], None]) -> None:
        """One timer a session: the latest replaces the one before."""
        self._cancel_timer(session)
        self._timers[session.number] = self._loop.call_later(delay_s, self._fire, session, then)

    def _cancel_timer(self, session: Session) -> None:
        timer = self._timers.pop(session.number, None)
        if timer is not None:
            timer.cancel()

    def _fire(self, session: Session, then: Callable[[Session], None]) -> None:
        self._timers.pop(session.number, None)
        try:
            then(session)
        except Exception as error:  # noqa: BLE001 - the loop would only log it
            self.failed(error)

    def noted(self, session: Session, kind: str, text: str) -> None:
        """Something is worth a line in the record."""
        self._say(kind, text, session.number)

    def refused(self, session: Session, code: int, why: str) -> None:
        """The session fails its connection because the peer broke the protocol."""
        session.refusal = (code, why)

    def disconnected(self, session: Session, transport: WSTransport) -> None:
        """A connection is over: closed if we had planned it, else dropped."""
        connection = self.tallies_now(session).connection
        now = self.now_ns()
        connection.session.record(now - session.upgraded_ns)
        handshake = transport.close_handshake
        received = handshake.recv if handshake is not None else None
        code = (
            None if received is None else _number(received.code) or 1005
        )  # no code in the frame: RFC 6455 §7.1.5
        self._setup.checks.roll(now, self.held)
        self.held -= 1
        if session.number in self._wanted:
            self.absences.begin(session.number, now)
        self._cancel_timer(session)
        connection.closed_with(code or _ABNORMAL_CLOSURE)
        if session.state == CLOSING and session.refusal is None:
            connection.closed += 1
            connection.graceful += code is not None
            if code is None:
                self._forced(session)
            self._gone(session, lived=True)
            return
        if (
            session.refusal is None
            and received is None
            and handshake is not None
            and handshake.sent is not None
        ):
            session.refusal = (_number(handshake.sent.code), handshake.sent.reason or "")
        trouble = troubles.CUT
        if not session.cut_by_fault:
            trouble = troubles.of_drop(
                session.attempt.lost, code, session.refusal, opening=session.state == OPENING
            )
        self._dropped(session, trouble, session.refusal)

    def _forced(self, session: Session) -> None:
        """A planned close was not answered by a close frame."""
        cut = session.number in self._cut
        trouble = troubles.of_close(session.attempt.lost, cut=cut)
        self.tallies_now(session).connection.trouble(trouble)
        waited = f"no close frame within {format_duration(self._setup.close_timeout_s)}"
        self._say("forced", waited if cut else f"{trouble.kind} ({trouble.blame})", session.number)

    def _dropped(self, session: Session, trouble: Trouble, refusal: tuple[int, str] | None) -> None:
        connection = self.tallies_now(session).connection
        connection.dropped += 1
        self._setup.checks.dropped_at(self.now_ns())
        connection.trouble(trouble)
        why = f": {refusal[1]}" if refusal is not None else ""
        self._say("drop", f"{trouble.kind} ({trouble.blame}){why}", session.number)
        session.refusal = None
        leaving = session.state in {DRAINING, CLOSING} or session.number not in self._wanted
        session.went_down()
        self._down_ns[session.number] = self.now_ns()
        session.down_by_tester = trouble.blame == "tester"
        if leaving:
            self._gone(session, lived=False)
        elif not (self._policy.after_drop and self._tries_again(session)):
            self._give_up(session)

    def _give_up(self, session: Session) -> None:
        """A dropped connection is not replaced: what it took along will not come any more."""
        session.settle(False)
        self._abandon(session)

    def _abandon(self, session: Session) -> None:
        if self._down_ns.pop(session.number, None) is not None:
            self.tallies_now(session).connection.abandoned += 1

    def _gone(self, session: Session, *, lived: bool) -> None:
        """A visit is over, and with it the session, unless the plan has it again, now or later."""
        session.end(lived)
        self._account_for_silence(session)
        number = session.number
        self._abandon(session)
        self._retries.pop(number, None)
        self._cut.discard(number)
        self._leave_when_open.discard(number)
        self._went.set()
        if number in self._wanted or number in self._resting:
            session.come_again()
            session.attempts = 0
            if number in self._wanted:
                self._connect_at(number, self.now_ns())
        elif number in self._trying:
            self._loop.call_later(_GRACE_S, self._trying[number].cancel)
        else:
            self._forget_if_gone(number)

    def _account_for_silence(self, session: Session) -> None:
        """A fault made it silent: it was handled if nothing is missing that was in flight then, or sent since."""
        if session.silent_from >= 0:
            connection = self.tallies_now(session).connection
            connection.silenced += 1
            connection.silence_handled += not session.silence_harmed
            session.silent_from = -1

    def _forget_if_gone(self, number: int) -> None:
        """Nothing more comes of a session, and no connect of it is under way."""
        if number in self.sessions and self.sessions[number].state == GONE:
            session = self.sessions.pop(number)
            if self._setup.brings_new_ones:
                self._setup.forget(session)
            else:
                self._left[number] = session
            self._went.set()

    # --- reporting ---

    def struck(self, number: int, fault: str, what: str) -> None:
        """A client-side fault strikes a session; `what` says what happens to it, "" where it is not connected."""
        session = self.sessions[number]
        self.tallies_now(session).connection.strike(fault, hit=bool(what))
        if what:
            self._say("struck", f"{fault}: {what}", number)

    def _say(self, kind: str, text: str, stream: int) -> None:
        self._journal.say(self.now_ns(), kind, text, stream)

    def take_events(self) -> tuple[list[Event], int]:
        """The events since the last call, and how many were too many to keep."""
        return self._journal.take()


def _nobody(_number: int) -> None:
    """Nobody wants to know of new sessions."""


def _is_late(session: Session) -> None:
    """No answer came to what a session said in its opening."""
    session.opening_late()


def _number(code: Any) -> int:
    """A close code of picows: an enumeration member, or the number itself where it has no name."""
    number: int = getattr(code, "value", code)
    return number


def pause_until(wait_ns: int) -> float:
    """How long to sleep, in seconds, for something `wait_ns` away: never so short that the loop would spin."""
    return max(_PAUSE_MIN_S, wait_ns / 1e9)
