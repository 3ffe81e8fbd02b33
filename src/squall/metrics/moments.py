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
    there = [
        point
        for point in history.run.points
        if point.silence_ns is not None
        and ("sent" in point.spreads or "pushed" in point.spreads)
        and point.spreads["held"].most > 0
    ]
    if not there:
        return
    usual_ms = float(np.median([point.silence_ns or 0 for point in there])) / 1e6
    long = [
        point
        for point in there
        if (point.silence_ns or 0) / 1e6 > max(SILENCE_MIN_MS, TIMES_USUAL * usual_ms)
    ]
    yield from _unended(history, usual_ms)
    # A silence that goes on is told by each second of it, and all say when it began: the last tells it whole.
    whole = {point.silence_start_ns: point for point in sorted(long, key=lambda each: each.silence_ns or 0)}
    for point in sorted(whole.values(), key=lambda each: -(each.silence_ns or 0))[:EACH_MAX]:
        start_s, length_ms = point.silence_start_ns / 1e9, (point.silence_ns or 0) / 1e6
        yield Moment(
            kind="silence", start_s=start_s, end_s=start_s + length_ms / 1e3, figure=length_ms, usual=usual_ms
        )


def _unended(history: History, usual_ms: float) -> Iterator[Moment]:
    """A silence that had not ended when the load did, and that nothing ended after it."""
    phases, end_ns = _held(history)
    if not phases:
        return
    points = history.run.points
    last = max((at for at, point in enumerate(points) if "messages_received" in point.spreads), default=-1)
    after = [point for point in points[last + 1 :] if point.at_ns <= end_ns]
    if last < 0 or not after or any(not point.spreads["held"].least for point in after):
        return
    waited_for = any("intended" in point.spreads for point in after) or not history.run.total("intended")
    length_ms = (after[-1].at_ns - points[last].at_ns) / 1e6
    if waited_for and length_ms >= max(1e3 * UNENDED_MIN_S, TIMES_USUAL * usual_ms):
        start_s, end_s = points[last].at_ns / 1e9, after[-1].at_ns / 1e9
        yield Moment(
            kind="silence", start_s=start_s, end_s=end_s, figure=length_ms, usual=usual_ms, what=UNENDED
        )


def _slow(history: History) -> Iterator[Moment]:
    p99 = history.run.milliseconds("response", "p99")
    there = [value for value in p99 if value is not None]
    if not there:
        return
    usual = float(np.median(there))
    limit = max(TIMES_USUAL * usual, usual + FLOOR_MS)
    at_s, points = history.run.at_s(), history.run.points
    found = []
    for run in _episodes(at_s, [value is not None and value > limit for value in p99]):
        worst = max(value for number in run if (value := p99[number]) is not None)
        start_s = at_s[run[0]] - points[run[0]].length_ns / 1e9
        found.append(Moment(kind="slow", start_s=start_s, end_s=at_s[run[-1]], figure=worst, usual=usual))
    yield from sorted(found, key=lambda each: -each.figure)[:EACH_MAX]


def _drops(history: History) -> Iterator[Moment]:
    at_s, points = history.run.at_s(), history.run.points
    dropped = [point.spreads["dropped"].total if "dropped" in point.spreads else 0 for point in points]
    held, planned = history.run.mean("held"), history.run.mean("planned")
    found = []
    for run in _episodes(at_s, [number > 0 for number in dropped]):
        before = held[run[0] - 1] if run[0] else None
        back = next(
            (
                at_s[later]
                for later in range(run[0] + 1, len(at_s))
                if before is not None and (held[later] or 0) >= min(before, planned[later] or 0) > 0
            ),
            None,
        )
        upto = len(at_s) if back is None else at_s.index(back) + 1
        again = sum(
            points[number].spreads["reconnected"].total
            for number in range(run[0], upto)
            if "reconnected" in points[number].spreads
        )
        found.append(
            Moment(
                kind="drops",
                start_s=at_s[run[0]] - points[run[0]].length_ns / 1e9,
                end_s=at_s[run[-1]],
                figure=sum(dropped[run[0] : run[-1] + 1]),
                usual=before,
                back_s=back,
                again=round(again),
            )
        )
    yield from sorted(found, key=lambda each: -each.figure)[:EACH_MAX]


def _growths(history: History) -> Iterator[Moment]:
    phases, end_ns = _held(history)
    if not phases:
        return
    start_s = phases[0].start_ns / 1e9
    for source in history.sources.values():
        for name in _GROWING:
            yield from _growth(source, name, start_s, end_ns / 1e9)


def _growth(source: Source, name: str, start_s: float, end_s: float) -> Iterator[Moment]:
    at = np.array(source.timeline.at_s())
    level = np.array([np.nan if value is None else value for value in source.timeline.mean(name)])
    chosen = (at > start_s) & (at <= end_s) & ~np.isnan(level) if len(at) else np.empty(0, dtype=bool)
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
    numbers, points = history.place_numbers, history.run.points
    if len(numbers) < 2 or not points:
        return
    p99 = np.array([history.run.milliseconds(f"{number}:response", "p99") for number in numbers], dtype=float)
    end_s = np.array(history.run.at_s())
    start_s = end_s - np.array([point.length_ns for point in points]) / 1e9
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


def _medians(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each column that of what was measured; NaN, which nothing is above, where nothing was."""
    found = np.full(values.shape[1], np.nan)
    measured = ~np.isnan(values).all(axis=0)
    found[measured] = np.nanmedian(values[:, measured], axis=0)
    return found


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


def _episodes(at_s: Sequence[float], chosen: Sequence[bool]) -> Iterator[list[int]]:
    """The numbers of the chosen points, in stretches that are at most `APART_S` apart."""
    run: list[int] = []
    for number, is_chosen in enumerate(chosen):
        if not is_chosen:
            continue
        if run and at_s[number] - at_s[run[-1]] > APART_S:
            yield run
            run = []
        run.append(number)
    if run:
        yield run
