"""The worst streams of a run, its troubles by the second of sending, its late messages: all in bounded memory.

The rule: adding in any order gives the same, but for whether a stream is whole. Of streams the `STREAMS_MAX` worst are
kept: those with the most missing first, then those with the most copies and swaps, then the lowest number. Of seconds at
most `SECONDS_MAX` are kept apart; with more, two neighbours each become one, of twice the width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from squall.record.streams import RANGES_MAX, UNTIMED, SentSecond, StreamTrouble

__all__ = ["LATE_MAX", "SECONDS_MAX", "STREAMS_MAX", "LateMessages", "SendingTroubles", "WorstStreams"]

STREAMS_MAX: Final = 100
SECONDS_MAX: Final = 3_600
LATE_MAX: Final = 100_000
"""Late messages that a worker tells by their numbers."""
_GONE_BITS: Final = 1 << 20
"""By so many bits it is remembered who went, in 128 KiB. Two that share one are taken for each other."""
_SPARE: Final = 2
"""As many times the number are held before the best of them go: sorting for each would cost too much."""
_NS: Final = 1_000_000_000


class WorstStreams:
    """See the module. Of a stream that is told again what is missing adds up; where it went before, it is not whole."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int, int], StreamTrouble] = {}
        self._gone = bytearray()
        self.troubled = 0
        """How many streams anything was told of, each counted again when it is told again after it went."""

    def add(self, trouble: StreamTrouble) -> None:
        """Take one stream's trouble."""
        key = _key(trouble)
        before = self._found.get(key)
        self.troubled += before is None
        if before is not None:
            trouble = _together(before, trouble)
        elif self._gone and self._gone[_bit(key) >> 3] >> (_bit(key) & 7) & 1:
            trouble = msgspec.structs.replace(trouble, is_whole=False)
        self._found[key] = trouble
        if len(self._found) > _SPARE * STREAMS_MAX:
            self._let_go({_key(each): each for each in self.all})

    def _let_go(self, kept: dict[tuple[int, int, int], StreamTrouble]) -> None:
        """Keep these, and of the others only that they were told."""
        self._gone = self._gone or bytearray(_GONE_BITS >> 3)
        for key in self._found.keys() - kept.keys():
            self._gone[_bit(key) >> 3] |= 1 << (_bit(key) & 7)
        self._found = kept

    @property
    def all(self) -> list[StreamTrouble]:
        """The worst, worst first."""
        return sorted(self._found.values(), key=_badness)[:STREAMS_MAX]


class SendingTroubles:
    """See the module."""

    def __init__(self) -> None:
        self.width_s = 1
        self._counts: dict[int, list[int]] = {}

    def count(self, sent_ns: int, *, lost: int = 0, unknown: int = 0, retried: int = 0) -> None:
        """Messages that were sent at a time of the run (below 0: not known) ended in these ways."""
        self._enter(UNTIMED if sent_ns < 0 else sent_ns // _NS, (lost, unknown, retried))
        self._stay_within()

    def add(self, second: SentSecond) -> None:
        """Add the troubles of a second, or of some."""
        while second.width_s > self.width_s:
            self._widen()
        self._enter(second.second, (second.lost, second.unknown, second.retried))
        self._stay_within()

    @property
    def all(self) -> list[SentSecond]:
        """The seconds in which anything was sent that ended badly, in order."""
        return [
            SentSecond(second, 1 if second == UNTIMED else self.width_s, *self._counts[second])
            for second in sorted(self._counts)
        ]

    def take(self) -> list[SentSecond]:
        """What `all` has, once: it starts anew, at the width that was reached."""
        taken, self._counts = self.all, {}
        return taken

    def _stay_within(self) -> None:
        while len(self._counts) > SECONDS_MAX:
            self._widen()

    def _widen(self) -> None:
        self.width_s *= 2
        before, self._counts = self._counts, {}
        for second, counts in before.items():
            self._enter(second, counts)

    def _enter(self, second: int, counts: Iterable[int]) -> None:
        key = second if second == UNTIMED else second - second % self.width_s
        there = self._counts.setdefault(key, [0, 0, 0])
        for place, count in enumerate(counts):
            there[place] += count


class LateMessages:
    """The messages that came after their type's maximum latency, by stream and number: the first `LATE_MAX`."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int]] = []
        self._room = LATE_MAX

    def note(self, stream: int, sequence: int) -> None:
        """One more."""
        if self._room:
            self._room -= 1
            self._waiting.append((stream, sequence))

    def take(self) -> list[tuple[int, int]]:
        """Those since the last call."""
        taken, self._waiting = self._waiting, []
        return taken


def _key(trouble: StreamTrouble) -> tuple[int, int, int]:
    return trouble.population, trouble.stream, trouble.member


def _bit(key: tuple[int, int, int]) -> int:
    """Streams of one population have bits of their own, as long as there are no more of them than bits."""
    population, stream, member = key
    return (stream + 0x9E3779B1 * population + 0x85EBCA6B * (member + 1)) % _GONE_BITS


def _badness(trouble: StreamTrouble) -> tuple[int, ...]:
    missing = trouble.lost + trouble.unknown
    return -missing, -(trouble.duplicated + trouble.reordered), *_key(trouble)


def _together(one: StreamTrouble, other: StreamTrouble) -> StreamTrouble:
    """What a stream's sessions told, one after the other: copies and swaps were told for the stream so far."""
    times = [
        each
        for each in (one.first_sent_ns, other.first_sent_ns, one.last_sent_ns, other.last_sent_ns)
        if each is not None
    ]
    return msgspec.structs.replace(
        other,
        lost=one.lost + other.lost,
        unknown=one.unknown + other.unknown,
        duplicated=max(one.duplicated, other.duplicated),
        reordered=max(one.reordered, other.reordered),
        lost_ranges=sorted(one.lost_ranges + other.lost_ranges)[:RANGES_MAX],
        unknown_ranges=sorted(one.unknown_ranges + other.unknown_ranges)[:RANGES_MAX],
        first_sent_ns=min(times, default=None),
        last_sent_ns=max(times, default=None),
        why=other.why or one.why,
        is_whole=one.is_whole and other.is_whole,
    )
