"""From a scenario to what a worker works with: lanes, connector, sessions and their attempts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from squall.delivery.acks import Retries
from squall.delivery.envelope import TEXT_SIZE_MIN, Codec
from squall.engine.acked_push import AckedPushSession
from squall.engine.acking import AckingSession, AckTerms
from squall.engine.backlog import Backlog
from squall.engine.check_windows import CheckWindows
from squall.engine.connector import Attempt, Connector, EntryPoint
from squall.engine.lane import Lane
from squall.engine.room_session import RoomSession
from squall.engine.rooms import Room, Rooms
from squall.engine.session import Session
from squall.engine.talking import TalkingSession
from squall.engine.tally import NEVER_NS
from squall.engine.user_function import user_function
from squall.metrics.streams import LateMessages, SendingTroubles, WorstStreams
from squall.profiles.mix import MessageMix
from squall.profiles.schedule import Bursts, arrivals, arrivals_of
from squall.profiles.seating import Seating
from squall.profiles.share import PopulationSplit
from squall.profiles.visits import Span, Visits
from squall.protocols.base import Seat, Surroundings
from squall.protocols.kinds import talk_of
from squall.protocols.opening import Script
from squall.scenario.data import DataRows, fill, fill_url, read_rows
from squall.scenario.exchanges import AckedPushExchange, AckExchange
from squall.scenario.urls import public_url
from squall.seeds import derive, word_draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import SecretStr

    from squall.engine.base import Route
    from squall.engine.book import Book
    from squall.engine.keeper import Keeper
    from squall.scenario.exchanges import Exchange
    from squall.scenario.models import Population, Scenario, Traffic

__all__ = ["Setup", "make_book", "max_latencies_ns", "population_seed", "visits_of"]

_PRIORITIES: Final = {None: 0, "low": 1, "normal": 2, "medium": 3, "high": 4}
"""The classes of the envelope; docs/reference/envelope.md has them."""


def population_seed(seed: int, population: int) -> int:
    """The seed of a population's due times and message mix."""
    return derive(seed, f"population {population}")


def visits_of(scenario: Scenario, population: int) -> Visits | None:
    """How long a population's sessions stay; None where they stay with the level."""
    asked = scenario.populations[population].sessions
    if asked.length is None:
        return None
    return Visits(
        Span(asked.length.mean, asked.length.distribution == "exponential"),
        Span(asked.think_time.mean, asked.think_time.distribution == "exponential"),
        population_seed(scenario.seed, population),
    )


def make_book(scenario: Scenario) -> Book:
    """Empty books for a scenario's populations and types."""
    from squall.engine.book import Book

    return Book(max_latencies_ns(scenario), [each.traffic.during_ramp for each in scenario.populations])


def max_latencies_ns(scenario: Scenario) -> list[list[int]]:
    """For each population, the maximum latency of each type; `NEVER_NS` where it has none."""
    return [
        [NEVER_NS if kind.max_latency is None else int(kind.max_latency * 1e9) for kind in each.traffic.types]
        for each in scenario.populations
    ]


@dataclass
class Setup:
    """What the sessions of a worker are made from. Times of the run are on this process's clock."""

    scenario: Scenario
    worker: int
    workers: int
    run_number: int
    start_ns: int = 0
    started_wall_ns: int = 0
    lanes: list[Lane] = field(default_factory=list)

    def __post_init__(self) -> None:
        scenario, load = self.scenario, self.scenario.load
        self.seed = scenario.seed
        self.connects_in_flight_max = load.connects_in_flight_max
        self.reconnect = load.reconnect
        self.drain_timeout_s = scenario.drain_s
        self.worst_streams = WorstStreams()
        self.sending_troubles = SendingTroubles()
        self.late_messages = LateMessages() if scenario.faults else None
        self.backlog = Backlog(scenario.engine.send_buffer_total_max // self.workers)
        self.checks = CheckWindows(int(self.drain_timeout_s * 1e9))
        self.close_timeout_s = scenario.target.close_timeout
        self.connector = Connector(scenario.target, 0, scenario.engine.receive_message_max, self.workers)
        self._entries = [EntryPoint.parse(url, public_url(url)) for url in scenario.target.url]
        self._split = PopulationSplit([population.weight for population in scenario.populations])
        self._headers = [
            _over(_clear(scenario.target.headers), _clear(population.headers))
            for population in scenario.populations
        ]
        self._rows = [_rows_of(population) for population in scenario.populations]
        self._seating = Seating(self._split, self.worker, self.workers)
        self._rooms = [self._rooms_of(index) for index in range(len(scenario.populations))]
        self._visits = [visits_of(scenario, index) for index in range(len(scenario.populations))]
        self._entry_seed = derive(scenario.seed, "entry points")
        self._routes: tuple[Route, ...] = ()

    def _rooms_of(self, population: int) -> Rooms | None:
        """The rooms of a population; None where each of its sessions is alone."""
        exchange, tracking = self.scenario.populations[population].exchange, self.scenario.delivery.tracking
        if exchange.members == 1:
            return None
        return Rooms(
            f"{self.run_number:08x}-{population}",
            exchange.members,
            exchange.answers_share if tracking.causality else 0.0,
            derive(population_seed(self.scenario.seed, population), "answers"),
            self._seating,
            orders=tracking.sequence_numbers,
            drain_ns=round(self.scenario.drain_s * 1e9),
        )

    def begin(
        self, start_ns: int, started_wall_ns: int, keeper: Keeper, routes: Sequence[Route] = ()
    ) -> None:
        """The run starts at this time of the monotonic clock, and at that one of the wall's.

        `routes` has, by entry point, the addresses to connect to instead.
        """
        self._routes = tuple(routes)
        self.start_ns = start_ns
        self.started_wall_ns = started_wall_ns
        self.connector.start_ns = start_ns
        self._make_lanes(keeper)

    def retune(self, scenario: Scenario, keeper: Keeper) -> None:
        """Nothing was sent yet, and the traffic is that of another scenario: make the lanes anew."""
        self.scenario = scenario
        self._make_lanes(keeper)

    def _make_lanes(self, keeper: Keeper) -> None:
        self.lanes = [
            self._lane(index, population, keeper)
            for index, population in enumerate(self.scenario.populations)
        ]
        self._around = [self._surroundings(population) for population in self.scenario.populations]
        self._ack_terms = [
            _ack_terms(population.exchange, population_seed(self.seed, index))
            for index, population in enumerate(self.scenario.populations)
        ]

    def _surroundings(self, population: Population) -> Surroundings:
        check = getattr(population.exchange, "check", None)
        return Surroundings(
            run_number=self.run_number,
            started_wall_ns=self.started_wall_ns,
            types=tuple(each.name for each in population.traffic.types),
            check=None if check is None else user_function(check),
        )

    def _lane(self, index: int, population: Population, keeper: Keeper) -> Lane:
        traffic, engine = population.traffic, self.scenario.engine
        enveloped, tracking = population.exchange.enveloped, self.scenario.delivery.tracking
        seed = population_seed(self.seed, index)
        silent = population.rate_hz == 0
        due = arrivals("uniform", 1.0, seed) if silent else arrivals_of(traffic, seed)
        sizes = tuple(each.size for each in traffic.payload) if enveloped else (TEXT_SIZE_MIN,)
        lane = Lane(
            population=index,
            codec=Codec(
                self.run_number,
                traffic.format == "text",
                sizes,
                seed,
                _priorities(traffic),
                checksums=tracking.checksums,
            ),
            mix=MessageMix(
                traffic.type_weights,
                tuple(each.weight for each in traffic.payload),
                traffic.messages_per_session or 0,
                seed,
            ),
            arrivals=due.points if isinstance(due, Bursts) else due,
            period_ns=due.step_ns,
            burst_size=due.size if isinstance(due, Bursts) else 1,
            sequential=traffic.pattern == "sequential",
            keeper=keeper,
            checks=self.checks,
            backlog=self.backlog,
            enveloped=enveloped,
            silent=silent,
            ignore_foreign=self.scenario.delivery.foreign == "ignore",
            send_buffer_max=engine.send_buffer_max,
            send_buffer_age_max_ns=int(engine.send_buffer_age_max * 1e9),
            blocked_max=engine.blocked_max,
            receive_message_max=engine.receive_message_max,
            orders=tracking.sequence_numbers and population.exchange.evidence != "acknowledgement",
            timestamps=tracking.timestamps and enveloped,
            worker=self.worker,
            worst_streams=self.worst_streams,
            sending_troubles=self.sending_troubles,
            late_messages=self.late_messages,
        )
        lane.start_ns = self.start_ns
        return lane

    def ping_interval_s(self, population: int) -> float | None:
        """How often each connection of a population is pinged; None for never."""
        asked = self.scenario.populations[population].traffic.ping_interval
        return self.scenario.populations[population].exchange.ping_interval_s if asked is None else asked

    def visits(self, number: int) -> tuple[Visits, int] | None:
        """How long a session stays, and its index in its population; None where it stays with the level."""
        population, index = self._split.place_of(number)
        visits = self._visits[population]
        return None if visits is None else (visits, index)

    @property
    def comes_and_goes(self) -> bool:
        """Whether sessions come and go by themselves."""
        return any(visits is not None for visits in self._visits)

    @property
    def brings_new_ones(self) -> bool:
        """Whether each session that comes is another: one that has left does not come again."""
        return self.scenario.load.arrivals is not None

    def session(self, number: int) -> Session:
        """The session with this number, not connected yet."""
        population, index = self._split.place_of(number)
        lane, of, rooms = (
            self.lanes[population],
            self.scenario.populations[population],
            self._rooms[population],
        )
        exchange, terms = of.exchange, self._ack_terms[population]
        if lane.enveloped and not of.opening and not exchange.acknowledged_by and rooms is None:
            return Session(number, index, lane)
        seat = Seat(number, index, self._row(population, number, index))
        around = self._around[population]
        steps = (*of.opening, *exchange.joining)
        script = Script(steps, seat, around) if steps else None
        if rooms is not None:
            return _member(rooms.room_of(number), number, index, lane, script)
        if isinstance(exchange, AckedPushExchange):
            return AckedPushSession(
                number, index, lane, script,
                acknowledges=exchange.acknowledges, deduplicates=exchange.deduplicates,
            )  # fmt: skip
        talk = talk_of(exchange, seat, around)
        if terms is not None:
            return AckingSession(number, index, lane, talk, script, terms)
        return TalkingSession(number, index, lane, talk, script)

    def forget(self, session: Session) -> None:
        """Nothing more comes of a session for now."""
        rooms = self._rooms[session.lane.population]
        if rooms is not None:
            rooms.forget(session.number)

    def _row(self, population: int, number: int, index: int) -> dict[str, str]:
        """The data of a session by its number and its index in its population, and the name of its room."""
        rows, rooms = self._rows[population], self._rooms[population]
        row = rows.row_for(index) if rows is not None else {}
        return row if rooms is None else {**row, "room": rooms.name_of(number)}

    def attempt(self, session: Session) -> Attempt:
        """The next try to connect a session: entry point, headers and source address are its own."""
        population = session.lane.population
        row = self._row(population, session.number, session.index)
        index = self._entry_index(session)
        entry = self._entries[index]
        headers = [(name, fill(value, row)) for name, value in self._headers[population].items()]
        target = self.scenario.target
        if target.subprotocols:
            headers.append(("Sec-WebSocket-Protocol", ", ".join(target.subprotocols)))
        sources = target.source_addresses
        return Attempt(
            session=session,
            entry=entry,
            resource=fill_url(entry.resource, row),
            headers=tuple(headers),
            source=sources[session.number // self.workers % len(sources)] if sources else None,
            via=self._route(index, session),
        )

    def _route(self, entry: int, session: Session) -> tuple[str, int] | None:
        """Where a session connects to instead of an entry point."""
        if not self._routes:
            return None
        route = self._routes[entry]
        return route[session.number // self.workers % len(route)]

    def _entry_index(self, session: Session) -> int:
        """Which entry point this try takes."""
        count = len(self._entries)
        policy = self.scenario.target.policy
        if count == 1 or policy == "first":
            return 0
        if policy == "random":
            return int(word_draw(self._entry_seed, session.number, session.attempts) % count)
        if policy == "fail_over":
            return session.attempts % count
        return (session.number + session.attempts) % count


def _priorities(traffic: Traffic) -> tuple[int, ...]:
    """What the envelope says of the priority of each type."""
    return tuple(_PRIORITIES[each.priority] for each in traffic.types)


def _ack_terms(exchange: Exchange, seed: int) -> AckTerms | None:
    """What the sessions of a population share whose messages the service acknowledges."""
    if not isinstance(exchange, AckExchange):
        return None
    backoff = exchange.backoff
    retries = Retries(
        exchange.timeout, backoff.pauses_s(exchange.retries), jitter=backoff.jitter == "full", seed=seed
    )
    return AckTerms(retries, exchange.window, by_receiver=exchange.evidence == "receiver")


def _member(room: Room, number: int, index: int, lane: Lane, script: Script | None) -> RoomSession:
    """A member of a room: one that was here before goes on with its stream."""
    session = room.sessions.get(number)
    if session is None:
        session = room.sessions[number] = RoomSession(number, index, lane, script, room)
    else:
        session.come_again()
        if session.lane is not lane:
            session.retune(lane, 0)
    return session


def _clear(headers: Mapping[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in headers.items()}


def _over(weaker: dict[str, str], stronger: dict[str, str]) -> dict[str, str]:
    """The stronger headers and those of the weaker that they leave; case makes no difference in their names."""
    taken = {name.lower() for name in stronger}
    return {name: value for name, value in weaker.items() if name.lower() not in taken} | stronger


def _rows_of(population: Population) -> DataRows | None:
    if population.data is None:
        return None
    return read_rows(population.data.file, cycle=getattr(population.data, "cycle", False))
