"""What stands out in a run: its silences, spikes, drops, slow places and what grew. By rules, none of them a verdict.

The rule: each moment says when it was and on what figures it rests; what was not measured says nothing, and a
run without any has none. A moment is a pointer to where to look, in the words of what was seen from here: that
a service restarted is for its operator to say, that 40 connections were lost within a second and held again
after 4.2 s is for us.

- **Silence**: nothing arrived on any connection of a worker for `SILENCE_MIN_MS` and more, and for more than
  `TIMES_USUAL` times the median of all points, while connections were held and messages sent or pushed.
  One that goes on when the load ends is told by no arrival: there nothing came for `UNENDED_MIN_S` and more, though
  connections were held and messages were due or had been pushed before.
- **Slow**: points in a row whose p99 of response_time is above `TIMES_USUAL` times the median p99, and at
  least `FLOOR_MS` above it.
- **Drops**: points in a row, at most `APART_S` apart, in which connections ended that squall did not end.
- **Growth**: memory, descriptors or threads of a source through the sustained phases, or through a part of them
  that a fall (by `GROWTH_MIN`, as a restart makes it) begins or ends: up by `GROWTH_MIN` of the first tenth's
  mean or more, and in a straight line (correlation of `STRAIGHT_MIN` and more).
- **Slow place**: a place whose median response_time of the sustained phases is twice that of all the others
  together or more, and `FLOOR_MS` above it.
- **Slow at times**: a place that is not slow as a whole, in points in a row of `SPELL_MIN_S` and more together whose p99
  is above `TIMES_USUAL` times the median of all other places' p99 in the same point, and `FLOOR_MS` above it. What one
  place has of these in the run is one moment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from squall.metrics.distribution import Distribution
from squall.metrics.history import History, Source
from squall.metrics.phases import sustained
from squall.metrics.series import Floats
from squall.record.run import Phase

__all__ = ["UNENDED", "Moment", "moments"]

SILENCE_MIN_MS: Final = 500.0
TIMES_USUAL: Final = 5.0
FLOOR_MS: Final = 5.0
APART_S: Final = 3.0
SPELL_MIN_S: Final = 3.0
UNENDED_MIN_S: Final = 2.0
GROWTH_MIN: Final = 0.2
STRAIGHT_MIN: Final = 0.9
SAMPLES_MIN: Final = 6
"""Fewer samples make no line."""
EACH_MAX: Final = 5
"""Of each kind the greatest are told."""

_GROWING: Final = ("memory_bytes", "descriptors", "threads")

UNENDED: Final = "unended"

Kind = Literal["silence", "slow", "drops", "growth", "slow_place", "slow_spells"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One thing that stands out, from `start_s` to `end_s` of the run.

    `figure` is what was seen (milliseconds of a silence or a latency, connections dropped, the level at the end
    of a growth), `usual` what it is held against (the usual one, those held before, the level at the start).
    """

    kind: Kind
    start_s: float
    end_s: float
    figure: float
    usual: float | None
    what: str = ""
    """The place, or the source and its figure; of a silence that did not end `UNENDED`."""
    back_s: float | None = None
    """Of drops: when as many connections were held again as before; None where they never were."""
    again: int = 0
    """Of drops: how many connections came back under their old stream."""
    times: int = 1
    """Of a place that was slow at times: how often, between `start_s` and `end_s`."""
    lasted_s: float | None = None
    """Of such a place: for how long, all of them together."""


def moments(history: History) -> list[Moment]:
    """All that stand out, in the order of time."""
    slow_places = list(_slow_places(history))
    found = [
        *_silences(history),
        *_slow(history),
        *_drops(history),
        *_growths(history),
        *slow_places,
        *_slow_spells(history, {each.what for each in slow_places}),
    ]
    return sorted(found, key=lambda each: (each.start_s, each.kind))


def _silences(history: History) -> Iterator[Moment]:
    run = history.run
    silence_ms, start_ns = run.silence_ms, run.silence_start_ns
    there = ~np.isnan(silence_ms) & (run.has("sent") | run.has("pushed")) & (run.most("held") > 0)
    if not there.any():
        return
    usual_ms = float(np.median(silence_ms[there]))
    yield from _unended(history, usual_ms)
    # A silence that goes on is told by each second of it, and all say when it began: the last tells it whole.
    long = np.flatnonzero(there & (silence_ms > max(SILENCE_MIN_MS, TIMES_USUAL * usual_ms)))
    whole = {
        int(start_ns[at]): float(silence_ms[at]) for at in sorted(long, key=lambda at: float(silence_ms[at]))
    }
    for begun_ns, length_ms in sorted(whole.items(), key=lambda each: -each[1])[:EACH_MAX]:
        start_s = begun_ns / 1e9
        yield Moment(
            kind="silence", start_s=start_s, end_s=start_s + length_ms / 1e3, figure=length_ms, usual=usual_ms
        )


def _unended(history: History, usual_ms: float) -> Iterator[Moment]:
    """A silence that had not ended when the load did, and that nothing ended after it."""
    phases, end_ns = _held(history)
    if not phases:
        return
    run, at_ns = history.run, history.run.at_ns
    heard = np.flatnonzero(run.has("messages_received"))
    if not len(heard):
        return
    last = int(heard[-1])
    after = (np.arange(len(run)) > last) & (at_ns <= end_ns)
    if not after.any() or not run.least("held")[after].all():
        return
    waited_for = bool(run.has("intended")[after].any()) or not run.total("intended")
    start_ns, until_ns = int(at_ns[last]), int(at_ns[after][-1])
    length_ms = (until_ns - start_ns) / 1e6
    if waited_for and length_ms >= max(1e3 * UNENDED_MIN_S, TIMES_USUAL * usual_ms):
        yield Moment(
            kind="silence",
            start_s=start_ns / 1e9,
            end_s=until_ns / 1e9,
            figure=length_ms,
            usual=usual_ms,
            what=UNENDED,
        )


def _slow(history: History) -> Iterator[Moment]:
    p99 = history.run.milliseconds("response", "p99")
    there = p99[~np.isnan(p99)]
    if not len(there):
        return
    usual = float(np.median(there))
    limit = max(TIMES_USUAL * usual, usual + FLOOR_MS)
    at_s, length_ns = history.run.at_s(), history.run.length_ns
    found = []
    for run in _episodes(at_s, p99 > limit):
        start_s = float(at_s[run[0]] - length_ns[run[0]] / 1e9)
        worst = float(p99[run].max())
        found.append(
            Moment(kind="slow", start_s=start_s, end_s=float(at_s[run[-1]]), figure=worst, usual=usual)
        )
    yield from sorted(found, key=lambda each: -each.figure)[:EACH_MAX]


def _drops(history: History) -> Iterator[Moment]:
    at_s, length_ns = history.run.at_s(), history.run.length_ns
    dropped, reconnected = history.run.totals("dropped"), history.run.totals("reconnected")
    held, planned = (np.nan_to_num(history.run.mean(name)) for name in ("held", "planned"))
    found = []
    for run in _episodes(at_s, dropped > 0):
        first, last = run[0], run[-1]
        before = float(held[first - 1]) if first else None
        again = _held_again(held, planned, first + 1, before)
        found.append(
            Moment(
                kind="drops",
                start_s=float(at_s[first] - length_ns[first] / 1e9),
                end_s=float(at_s[last]),
                figure=float(dropped[first : last + 1].sum()),
                usual=before,
                back_s=None if again is None else float(at_s[again]),
                again=round(float(reconnected[first : None if again is None else again + 1].sum())),
            )
        )
    yield from sorted(found, key=lambda each: -each.figure)[:EACH_MAX]


def _held_again(held: Floats, planned: Floats, start: int, before: float | None) -> int | None:
    """The first point from `start` on in which as many were held as before, or as many as are planned then."""
    if before is None:
        return None
    enough = np.minimum(before, planned[start:])
    found = np.flatnonzero((held[start:] >= enough) & (enough > 0))
    return start + int(found[0]) if len(found) else None


def _growths(history: History) -> Iterator[Moment]:
    phases, end_ns = _held(history)
    if not phases:
        return
    start_s = phases[0].start_ns / 1e9
    for source in history.sources.values():
        for name in _GROWING:
            yield from _growth(source, name, start_s, end_ns / 1e9)


def _growth(source: Source, name: str, start_s: float, end_s: float) -> Iterator[Moment]:
    at, level = source.timeline.at_s(), source.timeline.mean(name)
    chosen = (at > start_s) & (at <= end_s) & ~np.isnan(level)
    at, level = at[chosen], level[chosen]
    falls = np.flatnonzero(level[1:] < (1 - GROWTH_MIN) * level[:-1]) + 1
    for when, grown in zip(np.split(at, falls), np.split(level, falls), strict=True):
        if len(when) < SAMPLES_MIN or not grown.std():
            continue
        tenth = max(1, len(when) // 10)
        first, last = float(grown[:tenth].mean()), float(grown[-tenth:].mean())
        if last < first * (1 + GROWTH_MIN) or float(np.corrcoef(when, grown)[0, 1]) < STRAIGHT_MIN:
            continue
        yield Moment(
            kind="growth",
            start_s=float(when[0]),
            end_s=float(when[-1]),
            figure=last,
            usual=first,
            what=f"{source.name}:{name}",
        )


def _slow_places(history: History) -> Iterator[Moment]:
    phases, end_ns = _held(history)
    if len(history.place_numbers) < 2 or not phases:
        return
    start_ns = phases[0].start_ns
    by_place = {number: _answers_of(history, number, phases) for number in history.place_numbers}
    for number, mine in by_place.items():
        others = Distribution()
        for other, theirs in by_place.items():
            if other != number:
                others.merge(theirs)
        median_ns, usual_ns = mine.quantile_ns(0.5), others.quantile_ns(0.5)
        if median_ns is None or usual_ns is None:
            continue
        if median_ns >= 2 * usual_ns and median_ns - usual_ns >= FLOOR_MS * 1e6:
            yield Moment(
                kind="slow_place",
                start_s=start_ns / 1e9,
                end_s=end_ns / 1e9,
                figure=median_ns / 1e6,
                usual=usual_ns / 1e6,
                what=history.place_name(number),
            )


def _slow_spells(history: History, slow_anyway: Collection[str]) -> Iterator[Moment]:
    numbers = history.place_numbers
    if len(numbers) < 2 or not len(history.run):
        return
    p99 = np.array([history.run.milliseconds(f"{number}:response", "p99") for number in numbers])
    end_s = history.run.at_s()
    start_s = end_s - history.run.length_ns / 1e9
    found = []
    for row, number in enumerate(numbers):
        if (name := history.place_name(number)) in slow_anyway:
            continue
        mine, usual = p99[row], _medians(np.delete(p99, row, axis=0))
        is_slow = mine > np.maximum(TIMES_USUAL * usual, usual + FLOOR_MS)
        spells = [each for each in _in_a_row(is_slow) if end_s[each[-1]] - start_s[each[0]] >= SPELL_MIN_S]
        if not spells:
            continue
        worst = max((at for spell in spells for at in spell), key=lambda at: float(mine[at]))
        found.append(
            Moment(
                kind="slow_spells",
                start_s=float(start_s[spells[0][0]]),
                end_s=float(end_s[spells[-1][-1]]),
                figure=float(mine[worst]),
                usual=float(usual[worst]),
                what=name,
                times=len(spells),
                lasted_s=float(sum(end_s[each[-1]] - start_s[each[0]] for each in spells)),
            )
        )
    yield from sorted(found, key=lambda each: -each.figure)[:EACH_MAX]


def _medians(values: Floats) -> Floats:
    """Of each column that of what was measured; NaN, which nothing is above, where nothing was."""
    ordered = np.sort(values, axis=0)  # NaN goes to the end
    there = (~np.isnan(values)).sum(axis=0)
    columns = np.arange(values.shape[1])
    middles: Floats = ordered[(there - 1) // 2, columns] + ordered[there // 2, columns]
    return middles / 2


def _in_a_row(chosen: NDArray[np.bool_]) -> Iterator[NDArray[np.intp]]:
    """The numbers of the chosen points, in stretches without any other between."""
    numbers = np.flatnonzero(chosen)
    if len(numbers):
        yield from np.split(numbers, np.flatnonzero(np.diff(numbers) > 1) + 1)


def _held(history: History) -> tuple[list[Phase], int]:
    """The sustained phases, and when the last of them ended, or the record does."""
    chosen = sustained(history.phases)
    phases = [phase for phase in history.phases if phase.id in chosen]
    ended_ns = phases[-1].end_ns if phases else None
    return phases, history.last_at_ns if ended_ns is None else ended_ns


def _answers_of(history: History, place: int, phases: Sequence[Phase]) -> Distribution:
    merged = Distribution()
    for phase in phases:
        merged.merge(history.run.whole(f"{place}:response", from_ns=phase.start_ns, to_ns=phase.end_ns))
    return merged


def _episodes(at_s: Floats, chosen: NDArray[np.bool_]) -> Iterator[list[int]]:
    """The numbers of the chosen points, in stretches that are at most `APART_S` apart."""
    numbers = np.flatnonzero(chosen)
    if len(numbers):
        apart = np.flatnonzero(np.diff(at_s[numbers]) > APART_S) + 1
        yield from (run.tolist() for run in np.split(numbers, apart))
