"""The schedule: when each message of each session is due, fixed by the seed before anything runs.

Times are whole nanoseconds since the run's start, on the coordinator's clock. The due times of a session
are a fixed set of points (its *grid*), a pure function of the seed, the session and the rate; which of them
become messages (from the first accepted upgrade on, until a planned end or a stop) is decided by whoever
sends, and counted here. Intervals are half-open: [from, until).

**Uniform** (`UniformArrivals`): session g is due at phase(g) + k · period, k = 0, 1, …, where

    word(g)  = (offset64 + g · 0x9E3779B97F4A7C15) mod 2^64
    phase(g) = floor(word(g) · period / 2^64)

The constant is 2^64 divided by the golden ratio: the phases of any number of sessions with neighbouring
indices are spread evenly over the period (the gaps between neighbours take at most three lengths:
Swierczkowski, 1958), so the load is smooth at every level. For that, g is the session's index within its
population, and each population has a seed of its own (`squall.seeds.derive` with its name), lest the
sessions of equal index in two populations send in step.

**Poisson** (`PoissonArrivals`): a memoryless process per session with the same mean rate. Time is cut into
blocks of 64 periods; block b of session g has its own draws (a Poisson number of points, each placed
uniformly: this *is* the Poisson process, given the number), so any moment is reached without living through
those before it. Two points that fall on the same nanosecond are one.

**Burst** (`Bursts`): at each point of such a grid not one message is due but several, in one moment.

**Sequential** (`OnReply`): nothing is planned but the beginning, at once. The next message is due when the reply to
the last one comes, or a time-out after that one was due; only the time-outs can be told in advance.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, Final, Literal, Protocol

from squall.seeds import derive, unit_draw, word_draw

if TYPE_CHECKING:
    from squall.scenario.traffic import Traffic

__all__ = [
    "Arrivals",
    "Bursts",
    "OnReply",
    "PoissonArrivals",
    "UniformArrivals",
    "arrivals",
    "arrivals_of",
    "period_ns",
]

GOLDEN64: Final = 0x9E3779B97F4A7C15
BLOCK_PERIODS: Final = 64
_DRAWS_PER_BLOCK: Final = 256  # more points than any block gets: 64 + 24 standard deviations
_PERIOD_MAX_NS: Final = 1 << 56  # two years; a block of 64 periods still fits 64 bits


class Arrivals(Protocol):
    """The due times of every session, in nanoseconds since the run's start."""

    @property
    def step_ns(self) -> int:
        """From each due time to the next; 0 where these are drawn."""

    def due_at_or_after(self, session: int, t_ns: int) -> int:
        """The first due time that is not before `t_ns`."""

    def next_due(self, session: int, after_ns: int) -> int:
        """The first due time that is later than `after_ns`."""

    def count_due(self, session: int, from_ns: int, until_ns: int) -> int:
        """How many messages are due in [from, until)."""


def period_ns(rate_hz: float) -> int:
    """The mean time between two messages of a session, in whole nanoseconds.

    Raises:
        ValueError: the rate is not above zero, or no such period can be kept.
    """
    if not math.isfinite(rate_hz) or rate_hz <= 0:
        raise ValueError(
            f"no schedule for {rate_hz} messages per second: the rate must be above zero, and finite"
        )
    return _checked_period(round(1e9 / rate_hz) if rate_hz > 1e-9 else _PERIOD_MAX_NS + 1)


def arrivals(kind: Literal["uniform", "poisson"], rate_hz: float, seed: int) -> Arrivals:
    """The schedule of that kind for sessions that send `rate_hz` messages per second each.

    Raises:
        ValueError: the rate is not above zero, or no such period can be kept.
    """
    kinds: dict[str, type[UniformArrivals | PoissonArrivals]] = {
        "uniform": UniformArrivals,
        "poisson": PoissonArrivals,
    }
    return kinds[kind](period_ns(rate_hz), seed)


def arrivals_of(traffic: Traffic, seed: int) -> Arrivals:
    """The schedule of sessions with this traffic, which sends something.

    Raises:
        ValueError: no such schedule can be kept.
    """
    if traffic.pattern == "sequential":
        return OnReply(round(traffic.reply_timeout * 1e9))
    if traffic.pattern == "burst":
        return Bursts(arrivals(traffic.arrival, 1 / traffic.burst_every, seed), traffic.burst_size)
    return arrivals(traffic.arrival, traffic.mean_rate, seed)


class UniformArrivals:
    """Evenly spaced due times, evenly spread over the sessions.

    Raises:
        ValueError: the period is out of range.
    """

    def __init__(self, period_ns: int, seed: int) -> None:
        self.period_ns = self.step_ns = _checked_period(period_ns)
        self.offset64 = derive(seed, "arrivals.uniform")
        """Where session 0 stands in the period, in 2^-64 of it."""

    def phase_ns(self, session: int) -> int:
        """The first due time of a session; below the period."""
        word = (self.offset64 + session * GOLDEN64) & 0xFFFFFFFFFFFFFFFF
        return (word * self.period_ns) >> 64

    def first_due_at_or_after(self, session: int, t_ns: int) -> tuple[int, int]:
        """The number k of the first grid point that is not before `t_ns`, and its due time."""
        phase = self.phase_ns(session)
        k = max(0, -((phase - t_ns) // self.period_ns))
        return k, phase + k * self.period_ns

    def due_at_or_after(self, session: int, t_ns: int) -> int:
        """The first due time that is not before `t_ns`."""
        return self.first_due_at_or_after(session, t_ns)[1]

    def next_due(self, session: int, after_ns: int) -> int:
        """The first due time that is later than `after_ns`."""
        return self.due_at_or_after(session, after_ns + 1)

    def count_due(self, session: int, from_ns: int, until_ns: int) -> int:
        """How many due times lie in [from, until); none where the interval is empty."""
        first, _ = self.first_due_at_or_after(session, from_ns)
        end, _ = self.first_due_at_or_after(session, until_ns)
        return max(0, end - first)


class PoissonArrivals:
    """Memoryless due times with a mean period, each session's independent of all others'.

    Raises:
        ValueError: the period is out of range.
    """

    def __init__(self, period_ns: int, seed: int) -> None:
        self.period_ns = _checked_period(period_ns)
        self.step_ns = 0
        self.block_ns = BLOCK_PERIODS * self.period_ns
        self._count_seed = derive(seed, "arrivals.poisson.count")
        self._place_seed = derive(seed, "arrivals.poisson.place")

    def points(self, session: int, block: int) -> list[int]:
        """The due times in [block · block_ns, (block + 1) · block_ns), ascending.

        For those who send: a block once drawn serves 64 messages on average.
        """
        count = bisect_right(_POISSON_CDF, unit_draw(self._count_seed, session, block))
        begin, first_draw = block * self.block_ns, block * _DRAWS_PER_BLOCK
        draws = range(first_draw, first_draw + count)
        places = {(word_draw(self._place_seed, session, index) * self.block_ns) >> 64 for index in draws}
        return [begin + place for place in sorted(places)]

    def due_at_or_after(self, session: int, t_ns: int) -> int:
        """The first due time that is not before `t_ns`."""
        block = max(0, t_ns) // self.block_ns
        while True:
            points = self.points(session, block)
            at = bisect_left(points, t_ns)
            if at < len(points):
                return points[at]
            block += 1

    def next_due(self, session: int, after_ns: int) -> int:
        """The first due time that is later than `after_ns`."""
        return self.due_at_or_after(session, after_ns + 1)

    def count_due(self, session: int, from_ns: int, until_ns: int) -> int:
        """How many due times lie in [from, until); none where the interval is empty.

        Costs time in proportion to the blocks that the interval touches.
        """
        from_ns = max(0, from_ns)
        if until_ns <= from_ns:
            return 0
        count = 0
        for block in range(from_ns // self.block_ns, (until_ns - 1) // self.block_ns + 1):
            points = self.points(session, block)
            count += bisect_left(points, until_ns) - bisect_left(points, from_ns)
        return count


class Bursts:
    """Several messages at each point of another grid."""

    def __init__(self, points: Arrivals, size: int) -> None:
        self.points, self.size = points, size
        self.step_ns = points.step_ns

    def due_at_or_after(self, session: int, t_ns: int) -> int:
        """The first due time that is not before `t_ns`."""
        return self.points.due_at_or_after(session, t_ns)

    def next_due(self, session: int, after_ns: int) -> int:
        """The first due time that is later than `after_ns`."""
        return self.points.next_due(session, after_ns)

    def count_due(self, session: int, from_ns: int, until_ns: int) -> int:
        """How many messages are due in [from, until); none where the interval is empty."""
        return self.size * self.points.count_due(session, from_ns, until_ns)


class OnReply:
    """The next message on the reply: what is known of it in advance, which is what time-outs alone lead to.

    Raises:
        ValueError: no such time-out can be kept.
    """

    def __init__(self, timeout_ns: int) -> None:
        self.step_ns = _checked_period(timeout_ns)

    def due_at_or_after(self, session: int, t_ns: int) -> int:
        """A session begins as soon as it may."""
        del session
        return t_ns

    def next_due(self, session: int, after_ns: int) -> int:
        """When the next is due, at the latest, if the last was due at `after_ns`."""
        del session
        return after_ns + self.step_ns

    def count_due(self, session: int, from_ns: int, until_ns: int) -> int:
        """How many are due in [from, until) at the least: one at once, and one each time-out."""
        del session
        return max(0, -((from_ns - until_ns) // self.step_ns))


def _poisson_cdf(mean: float, terms: int) -> list[float]:
    """P(count ≤ 0), P(count ≤ 1), …, the last one 1."""
    logs = (n * math.log(mean) - mean - math.lgamma(n + 1) for n in range(terms))
    cdf, total = [], 0.0
    for log in logs:
        total += math.exp(log)
        cdf.append(total)
    return [*cdf[:-1], 1.0]


_POISSON_CDF: Final = _poisson_cdf(BLOCK_PERIODS, _DRAWS_PER_BLOCK)


def _checked_period(period: int) -> int:
    if not 1 <= period <= _PERIOD_MAX_NS:
        raise ValueError(f"a message every {period} ns cannot be scheduled: 1 ns to two years can")
    return period
