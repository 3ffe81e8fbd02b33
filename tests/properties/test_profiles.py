"""What holds for every profile, share, schedule and quota, whatever the numbers.

The oracles are exact arithmetic written down a second time, from the definitions: fractions for lines, brute
force for shares and grids, the recurrence itself for the cap.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from squall.profiles.adaptive import Adaptive, Growth
from squall.profiles.base import Profile
from squall.profiles.capped import capped
from squall.profiles.constant import Constant
from squall.profiles.exponential import Exponential
from squall.profiles.linear import Linear
from squall.profiles.mix import MessageMix
from squall.profiles.quotas import QuotaPlan, exact_quotas
from squall.profiles.schedule import Arrivals, PoissonArrivals, UniformArrivals
from squall.profiles.sequence import Sequence
from squall.profiles.share import PopulationSplit, population_of, share
from squall.profiles.stepped import Stepped

LEVELS = st.integers(0, 300)
DURATIONS = st.one_of(st.just(0.0), st.integers(1, 600).map(float), st.floats(1e-3, 1e5))
SEEDS = st.integers(0, (1 << 63) - 1)
SESSIONS = st.integers(0, (1 << 32) - 1)


@st.composite
def shapes(draw: st.DrawFn, start: int | None = None) -> Profile:
    """A profile of any simple kind, from `start` where it is given."""
    start = draw(LEVELS) if start is None else start
    target, duration_s = draw(LEVELS), draw(DURATIONS)
    kinds = ["constant", "linear", "stepped"] + (["exponential"] if start else [])
    match draw(st.sampled_from(kinds)):
        case "constant":
            return Constant(target, duration_s, from_level=start)
        case "linear":
            return Linear(start, target, duration_s)
        case "exponential":
            return Exponential(start, target, duration_s, draw(st.booleans()))
        case _:
            return Stepped.of(start, target, steps=draw(st.integers(1, 50)), duration_s=duration_s)


@st.composite
def sequences(draw: st.DrawFn) -> Profile:
    """Up to four shapes, each from where the one before it ended."""
    parts = [draw(shapes())]
    for _ in range(draw(st.integers(0, 3))):
        parts.append(draw(shapes(start=parts[-1].end)))
    return Sequence(tuple(parts))


@st.composite
def adaptive(draw: st.DrawFn) -> Profile:
    """A shape that took some turns, as its intervals led to them."""
    ramp, growth = Adaptive(draw(shapes())), Growth()
    at_s = 0.0
    for slow in draw(st.lists(st.sampled_from([True, False, None]), max_size=6)):
        at_s += draw(st.floats(0.1, 10.0))
        growth = growth.after(slow, stop=draw(st.integers(0, 9)) == 0)
        ramp = ramp.turned(at_s, growth.share)
        if growth.is_frozen:
            break
    return ramp


@st.composite
def profiles(draw: st.DrawFn) -> tuple[Profile, int]:
    """Any profile, and the level before it."""
    profile = draw(st.one_of(shapes(), sequences(), adaptive()))
    previous = draw(st.one_of(st.just(profile.start), LEVELS))
    if draw(st.booleans()):
        return capped(profile, draw(st.floats(0.01, 1e5)), previous=previous), previous
    return profile, previous


def some_offsets_s(profile: Profile, random: np.random.Generator) -> list[float]:
    """Offsets that matter: around some of the changes, the ends, and anywhere."""
    changes = random.choice(profile.levels.offset_s, 5)
    anywhere = random.random(5) * profile.duration_s
    return [-1.0, 0.0, profile.duration_s, profile.duration_s + 1, *changes, *(changes - 1e-9), *anywhere]


@settings(max_examples=300)
@given(profiles(), st.integers(0, 1 << 32))
def test_moves_add_up_to_the_level_at_every_offset(case: tuple[Profile, int], pick: int) -> None:
    profile, previous = case
    moves = profile.moves(previous)
    for t_s in some_offsets_s(profile, np.random.default_rng(pick)):
        until = moves.offset_s <= max(t_s, 0.0)
        opened = np.count_nonzero(moves.opens[until])
        closed = np.count_nonzero(~moves.opens[until])
        assert previous + opened - closed == profile.level_at(t_s)


@settings(max_examples=300)
@given(profiles())
def test_the_open_sessions_are_always_the_lowest_ones(case: tuple[Profile, int]) -> None:
    profile, previous = case
    moves, level = profile.moves(previous), previous
    for session, opens in zip(moves.session.tolist(), moves.opens.tolist(), strict=True):
        assert session == (level if opens else level - 1)
        level += 1 if opens else -1
    assert level == profile.end
    assert (np.diff(moves.offset_s) >= 0).all()
    assert not len(moves) or 0 <= moves.offset_s[0] <= moves.offset_s[-1] <= profile.duration_s


@settings(max_examples=200)
@given(profiles())
def test_levels_end_at_the_target_and_stay_there(case: tuple[Profile, int]) -> None:
    profile, _ = case
    assert profile.level_at(profile.duration_s) == profile.level_at(profile.duration_s * 2 + 1) == profile.end
    assert profile.level_at(0.0) == profile.level_at(-5.0)


@settings(max_examples=200)
@given(adaptive(), st.floats(0, 1e3))
def test_an_adaptive_ramp_goes_through_planned_levels_and_never_ahead_of_plan(
    ramp: Adaptive, t_s: float
) -> None:
    planned = ramp.planned
    assert ramp.level_at(t_s) in planned.levels.level
    way = 1 if planned.end >= planned.start else -1
    assert way * ramp.level_at(t_s) <= way * planned.level_at(t_s + 2e-9)
    assert ramp.end == planned.end or ramp.share == 0


@settings(max_examples=300)
@given(shapes())
def test_a_simple_shape_never_turns_back_or_leaves_its_range(profile: Profile) -> None:
    way = np.sign(profile.end - profile.start)
    levels = profile.levels.level
    assert (np.sign(np.diff(levels)) == way).all()
    assert min(profile.start, profile.end) <= levels.min() <= levels.max() <= max(profile.start, profile.end)


@settings(max_examples=500)
@given(LEVELS, LEVELS, st.floats(1e-3, 1e5), st.floats(0, 1))
def test_a_line_is_at_the_last_whole_number_reached(
    start: int, target: int, duration_s: float, part: float
) -> None:
    t_s = duration_s * part

    def reached(at_s: Fraction) -> int:
        at_s = min(max(at_s, Fraction(0)), Fraction(duration_s))
        value = start + (target - start) * at_s / Fraction(duration_s)
        return math.floor(value) if target >= start else math.ceil(value)

    grain = Fraction(1, 10**9) + Fraction(math.ulp(duration_s)) * 4
    low, high = sorted((reached(Fraction(t_s) - grain), reached(Fraction(t_s) + grain)))
    assert low <= Linear(start, target, duration_s).level_at(t_s) <= high


@settings(max_examples=500)
@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0.1, 1e4), st.floats(0, 1))
def test_an_exponential_follows_its_formula(start: int, target: int, duration_s: float, part: float) -> None:
    t_s = duration_s * part
    value = start * (target / start) ** part
    slack = 1e-9 * max(1.0, value) + abs(math.log(target / start)) * value * 2e-9 / duration_s
    rounded = math.floor if target >= start else math.ceil
    level = Exponential(start, target, duration_s).level_at(t_s)
    low, high = sorted((start, target))
    assert level in {min(max(rounded(value + shift), low), high) for shift in (-slack, 0.0, slack)}


@settings(max_examples=300)
@given(st.integers(1, 5000), LEVELS, st.floats(0.1, 1e4), st.floats(0, 0.999999))
def test_the_staircase_touches_the_curve_at_each_doubling(
    start: int, target: int, double_every_s: float, part: float
) -> None:
    curve = Exponential.of(start, target, double_every_s=double_every_s)
    stairs = Exponential.of(start, target, double_every_s=double_every_s, steps=True)
    assert stairs.duration_s == curve.duration_s
    step = math.floor(curve.doublings * part)
    assume(step < curve.doublings * (1 - 1e-9))
    at_s = step * double_every_s + 1e-9
    assert stairs.level_at(at_s) == (start << step if target >= start else -(-start >> step))
    if target:
        assert abs(stairs.level_at(at_s) - curve.level_at(at_s)) <= 1


@settings(max_examples=300)
@given(st.integers(1, 5000), st.integers(0, 5000), st.floats(0.1, 1e4))
def test_duration_and_doubling_time_lead_to_each_other(
    start: int, target: int, double_every_s: float
) -> None:
    assume(start != target)
    by_time = Exponential.of(start, target, double_every_s=double_every_s)
    assert math.isclose(by_time.double_every_s, double_every_s, rel_tol=1e-12)
    assert (
        Exponential.of(start, target, duration_s=by_time.duration_s, double_every_s=double_every_s) == by_time
    )


@settings(max_examples=300)
@given(LEVELS, LEVELS, st.integers(1, 400), DURATIONS)
def test_steps_of_one_size_reach_the_target(start: int, target: int, size: int, hold_s: float) -> None:
    profile = Stepped.of(start, target, step_size=size, hold_s=hold_s)
    assert profile.steps == max(1, math.ceil(abs(target - start) / size))
    assert profile.end == profile.level_at(profile.duration_s) == target
    assert (np.abs(np.diff(profile.levels.level)) <= size).all()


@settings(max_examples=300)
@given(sequences())
def test_a_sequence_is_its_parts_one_after_another(profile: Profile) -> None:
    assert isinstance(profile, Sequence)
    begin_s = 0.0
    for part in profile.parts:
        if part.duration_s > 1e-6:
            for share_of_it in (0.25, 0.5, 0.75):
                at_s = part.duration_s * share_of_it
                around = {part.level_at(at_s + nudge_s) for nudge_s in (-3e-9, 0.0, 3e-9)}
                assert min(around) <= profile.level_at(begin_s + at_s) <= max(around)
        begin_s += part.duration_s
    assert profile.duration_s == begin_s


@settings(max_examples=300)
@given(st.integers(0, 200), st.integers(1, 200), DURATIONS, st.floats(0.05, 1e4))
def test_a_cap_on_a_rising_ramp_is_its_recurrence(
    previous: int, more: int, duration_s: float, rate: float
) -> None:
    ramp = Linear(previous, previous + more, duration_s)
    expected, before = [], -math.inf
    for planned_s in ramp.moves(previous).offset_s.tolist():
        before = max(planned_s, before + 1 / rate)
        expected.append(before)
    made = capped(ramp, rate, previous=previous)
    assert np.allclose(made.moves(previous).offset_s, expected, rtol=1e-12, atol=1e-8)
    assert math.isclose(made.duration_s, max(duration_s, expected[-1]), rel_tol=1e-12, abs_tol=1e-8)


@settings(max_examples=300)
@given(sequences(), LEVELS, st.floats(0.05, 1e4))
def test_a_cap_spaces_connects_never_exceeds_the_plan_and_leaves_closes_alone(
    plan: Profile, previous: int, rate: float
) -> None:
    made = capped(plan, rate, previous=previous)
    moves, planned = made.moves(previous), plan.moves(previous)
    opens_s = moves.offset_s[moves.opens]
    assert (np.diff(opens_s) >= 1 / rate - 2e-9).all()
    closes = set(zip(moves.offset_s[~moves.opens], moves.session[~moves.opens], strict=True))
    assert closes <= set(zip(planned.offset_s[~planned.opens], planned.session[~planned.opens], strict=True))
    for t_s in np.concatenate([made.levels.offset_s, plan.levels.offset_s]).tolist():
        assert made.level_at(t_s) <= plan.level_at(t_s)
    assert made.duration_s >= plan.duration_s


@settings(max_examples=300)
@given(profiles())
def test_needs_are_counted_from_the_moves(case: tuple[Profile, int]) -> None:
    profile, previous = case
    needs, moves = profile.needs(previous), profile.moves(previous)
    level = previous + np.cumsum(np.where(moves.opens, 1, -1))
    opens_s = moves.offset_s[moves.opens].tolist()
    in_a_second = [bisect_left(opens_s, at_s + 1 - 1e-8) - index for index, at_s in enumerate(opens_s)]
    assert needs.connect_rate_peak_per_s == max(in_a_second, default=0)
    # A level that is left at the offset at which it is reached is no level, and no move is made for it.
    assert needs.connections_peak == max(previous, level.max(initial=0), profile.level_at(0.0))
    assert needs.duration_s == profile.duration_s


@settings(max_examples=200)
@given(profiles())
def test_every_profile_says_what_it_is(case: tuple[Profile, int]) -> None:
    profile, _ = case
    assert "connection" in profile.describe()


@settings(max_examples=500)
@given(st.integers(0, 100_000), st.integers(1, 200))
def test_shares_of_workers_add_up_and_differ_by_one_at_most(level: int, workers: int) -> None:
    shares = [share(level, worker, workers) for worker in range(workers)]
    assert sum(shares) == level
    assert max(shares) - min(shares) <= 1
    grown = [share(level + 1, worker, workers) for worker in range(workers)]
    assert sorted(after - before for before, after in zip(shares, grown, strict=True)) == [0] * (
        workers - 1
    ) + [1]


@settings(max_examples=300)
@given(st.integers(0, 500), st.integers(1, 20))
def test_workers_sessions_are_the_sessions(level: int, workers: int) -> None:
    of_workers = [range(worker, level, workers) for worker in range(workers)]
    assert [len(mine) for mine in of_workers] == [share(level, worker, workers) for worker in range(workers)]


@settings(max_examples=200)
@given(profiles(), st.integers(1, 9))
def test_workers_moves_are_the_moves(case: tuple[Profile, int], workers: int) -> None:
    profile, previous = case
    moves = profile.moves(previous)
    parts = [moves.of_worker(worker, workers) for worker in range(workers)]
    everything = sorted(
        move for part in parts for move in zip(part.offset_s, part.session, part.opens, strict=True)
    )
    assert everything == sorted(zip(moves.offset_s, moves.session, moves.opens, strict=True))
    for worker, part in enumerate(parts):
        opened = np.count_nonzero(part.opens) - np.count_nonzero(~part.opens)
        assert share(previous, worker, workers) + opened == share(profile.end, worker, workers)


WEIGHTS = st.lists(st.integers(1, 60), min_size=1, max_size=8).map(tuple)


@settings(max_examples=100)
@given(WEIGHTS)
def test_populations_keep_to_their_share_at_every_level(weights: tuple[int, ...]) -> None:
    total, counts = sum(weights), Counter[int]()
    cycle = total // math.gcd(*weights)
    for level in range(1, min(3 * cycle, 400) + 1):
        counts[population_of(level - 1, weights)] += 1
        for population, weight in enumerate(weights):
            error = abs(Fraction(level * weight, total) - counts[population])
            assert error < (1 if level <= cycle or len(weights) < 3 else 2)
            assert error == 0 or level % cycle


@settings(max_examples=300)
@given(WEIGHTS, st.integers(0, 2000))
def test_population_counts_are_counted(weights: tuple[int, ...], level: int) -> None:
    split = PopulationSplit(weights)
    counted = Counter(split.population_of(session) for session in range(level))
    assert split.counts(level) == tuple(counted[population] for population in range(len(weights)))
    assert split.place_of(level) == (split.population_of(level), counted[split.population_of(level)])


@settings(max_examples=100)
@given(st.lists(st.integers(1, 2000), min_size=1, max_size=5))
def test_wanted_connections_as_weights_are_met_at_their_sum(wanted: list[int]) -> None:
    assert PopulationSplit(wanted).counts(sum(wanted)) == tuple(wanted)


@st.composite
def grids(draw: st.DrawFn) -> tuple[Arrivals, int, int, int]:
    """Arrivals of either kind with a session, their period, and the time that a block of theirs takes."""
    period, seed = draw(st.one_of(st.integers(1, 5000), st.integers(1, 10**12))), draw(SEEDS)
    if draw(st.booleans()):
        return UniformArrivals(period, seed), draw(SESSIONS), period, period
    return PoissonArrivals(period, seed), draw(SESSIONS), period, 64 * period


@settings(max_examples=300)
@given(grids(), st.integers(0, 10**6), st.integers(1, 40))
def test_due_times_are_one_ordered_set_however_they_are_asked_for(
    case: tuple[Arrivals, int, int, int], block: int, steps: int
) -> None:
    grid, session, period, block_ns = case
    t_ns = block * block_ns
    walked, due = [], grid.due_at_or_after(session, t_ns)
    for _ in range(steps):
        walked.append(due)
        due = grid.next_due(session, due)
    assert walked[0] >= t_ns
    assert all(before < after for before, after in zip(walked, [*walked[1:], due], strict=True))
    assert grid.count_due(session, t_ns, due) == steps
    assert grid.count_due(session, t_ns, walked[0]) == 0
    assert all(grid.due_at_or_after(session, at) == at for at in walked)
    if isinstance(grid, UniformArrivals):
        assert all((at - grid.phase_ns(session)) % period == 0 for at in walked)


@settings(max_examples=300)
@given(grids(), st.lists(st.integers(-10, 300), min_size=3, max_size=3).map(sorted))
def test_counts_over_adjacent_intervals_add_up(case: tuple[Arrivals, int, int, int], cuts: list[int]) -> None:
    grid, session, period, _ = case
    begin, middle, end = (cut * period // 2 for cut in cuts)
    whole = grid.count_due(session, begin, end)
    assert whole == grid.count_due(session, begin, middle) + grid.count_due(session, middle, end)


@settings(max_examples=500)
@given(st.integers(1, 10**12), SEEDS, SESSIONS, st.integers(-(10**13), 10**15))
def test_a_uniform_grid_is_its_definition(period: int, seed: int, session: int, t_ns: int) -> None:
    grid = UniformArrivals(period, seed)
    phase = grid.phase_ns(session)
    assert 0 <= phase < period
    assert phase == ((grid.offset64 + session * 0x9E3779B97F4A7C15) % 2**64 * period) // 2**64
    k, due = grid.first_due_at_or_after(session, t_ns)
    assert due == phase + k * period >= t_ns
    assert k == 0 or due - period < t_ns


@settings(max_examples=200)
@given(st.integers(1, 10**12), SEEDS, SESSIONS, st.integers(0, 10**5))
def test_poisson_points_lie_in_their_block(period: int, seed: int, session: int, block: int) -> None:
    grid = PoissonArrivals(period, seed)
    points = grid.points(session, block)
    assert points == sorted(set(points)) == PoissonArrivals(period, seed).points(session, block)
    assert all(block * grid.block_ns <= point < (block + 1) * grid.block_ns for point in points)
    assert len(points) == grid.count_due(session, block * grid.block_ns, (block + 1) * grid.block_ns)


PARTS = st.lists(st.one_of(st.integers(1, 1000), st.floats(0.01, 100)), min_size=1, max_size=8)


@settings(max_examples=500)
@given(PARTS, st.integers(0, 10_000))
def test_quotas_add_up_and_round_the_exact_share(weights: list[float], total: int) -> None:
    quotas = exact_quotas(weights, total)
    exact = [Fraction(str(weight)) for weight in weights]
    assert sum(quotas) == total
    for quota, weight in zip(quotas, exact, strict=True):
        assert abs(quota - total * weight / sum(exact)) < 1


@settings(max_examples=200)
@given(PARTS, st.integers(1, 300), SEEDS, SESSIONS, st.data())
def test_a_session_meets_its_quotas_whatever_is_sent(
    weights: list[float], messages: int, seed: int, stream: int, data: st.DataObject
) -> None:
    plan = QuotaPlan(weights, messages, seed)
    sent = data.draw(st.integers(0, messages))
    types = Counter(plan.type_of(stream, sequence) for sequence in range(sent))
    types.update(plan.type_of_not_sent(stream, number) for number in range(messages - sent))
    assert tuple(types[kind] for kind in range(len(weights))) == plan.quotas


@settings(max_examples=300)
@given(PARTS, SEEDS, SESSIONS, st.integers(0, (1 << 48)))
def test_draws_are_pure_and_in_range(weights: list[float], seed: int, stream: int, sequence: int) -> None:
    plan, again = MessageMix(weights, weights, 0, seed), MessageMix(weights, weights, 0, seed)
    assert plan.type_of(stream, sequence) == again.type_of(stream, sequence) in range(len(weights))
    assert (
        plan.type_of_not_sent(stream, sequence)
        == again.type_of_not_sent(stream, sequence)
        in range(len(weights))
    )
    size = plan.size_index_of(stream, sequence)
    assert size == again.size_index_of(stream, sequence) in range(len(weights))
