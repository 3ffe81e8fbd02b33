"""fault_recovery_time of faults with a window: from its end until all is as it was before. Pure.

**Before** are the last seconds of the hold ahead of the window in which no other windowed fault was on, `BEFORE_MAX` at
most and `BEFORE_MIN` at least: the mean rate of deliveries (of acknowledgements, where the exchange has them) and the p95
of all their response times. **Back** is the first second behind the window in which the rate is at least 95 % of that,
and the p95 at most 5 % above it; a p95 within `SLACK_NS` of it counts as back, since less cannot be told from noise. The
time runs to the end of that second, so it is at most a second too long. It is not measured where there is no before, or
where nothing was delivered (acknowledged) in it, as there is no rate to come back to then; and none where it was not back
within the hold.

Seconds and events may come in any order as long as an event comes ahead of the second in which it lies.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import msgspec

from squall.metrics.distribution import Distribution
from squall.record.snapshots import Event

__all__ = ["BEFORE_MAX", "BEFORE_MIN", "FAULT", "FAULT_HEALED", "SLACK_NS", "Recoveries", "Recovery"]

FAULT: Final = "fault"
"""The kind of event that says that a fault began; its `figure` is the length of its window in seconds, if it has one."""
FAULT_HEALED: Final = "fault_healed"
"""The kind of event that says that a fault is over."""

BEFORE_MAX: Final = 30
BEFORE_MIN: Final = 3
RECOVERIES_MAX: Final = 100
SHARE: Final = 0.05
SLACK_NS: Final = 1_000_000
_NS: Final = 1_000_000_000


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """How long after a fault's window all was as before; None: it never was, or (`why`) that was not measured."""

    name: str
    from_s: float
    until_s: float
    seconds: float | None = None
    why: str = ""
    rate_before: float | None = None
    p95_before_ms: float | None = None


@dataclass(frozen=True, slots=True)
class _Before:
    rate_hz: float
    p95_ns: int


@dataclass(slots=True)
class Recoveries:
    """Those of a run so far."""

    done: list[Recovery] = field(default_factory=list)
    _pending: list[Event] = field(default_factory=list)
    _quiet: deque[tuple[float, Distribution]] = field(default_factory=lambda: deque(maxlen=BEFORE_MAX))
    _on: dict[str, tuple[int, _Before | str]] = field(default_factory=dict)
    _waiting: dict[str, tuple[int, int, _Before]] = field(default_factory=dict)

    def happened(self, event: Event) -> None:
        """Take an event; others than of faults are left."""
        if event.kind in (FAULT, FAULT_HEALED):
            self._pending.append(event)

    def add(self, from_ns: int, at_ns: int, done: int, response: Distribution, *, held: bool) -> None:
        """Take a second of the run.

        Args:
            from_ns: its beginning.
            at_ns: its end.
            done: what was delivered in it, or acknowledged where the exchange has that.
            response: the response times in it.
            held: all of it lies in a hold.
        """
        for event in sorted(self._pending, key=lambda each: each.at_ns):
            if event.at_ns < at_ns:
                self._pending.remove(event)
                self._take(event)
        if not held or at_ns <= from_ns:
            return
        rate_hz = done / (at_ns - from_ns) * _NS
        if not self._on and not self._waiting:
            self._quiet.append((rate_hz, response))
        for name, (_, until_ns, before) in list(self._waiting.items()):
            p95_ns = response.quantile_ns(0.95)
            if from_ns >= until_ns and p95_ns is not None and _is_back(rate_hz, p95_ns, before):
                self._close(name, (at_ns - until_ns) / _NS)

    def _take(self, event: Event) -> None:
        if event.kind == FAULT:
            if event.figure is not None:
                self._on[event.name] = (event.at_ns, self._before())
        elif event.name in self._on:
            from_ns, before = self._on.pop(event.name)
            if isinstance(before, _Before):
                self._waiting[event.name] = (from_ns, event.at_ns, before)
            else:
                self._keep(
                    Recovery(name=event.name, from_s=from_ns / _NS, until_s=event.at_ns / _NS, why=before)
                )

    def _before(self) -> _Before | str:
        """What there is to come back to; or why there is nothing."""
        if len(self._quiet) < BEFORE_MIN:
            return f"less than {BEFORE_MIN} s of the hold before it were without a fault"
        together = Distribution()
        for _, response in self._quiet:
            together.merge(response)
        p95_ns = together.quantile_ns(0.95)
        rate_hz = sum(rate for rate, _ in self._quiet) / len(self._quiet)
        if p95_ns is None or not rate_hz:
            return "nothing was delivered or acknowledged before it"
        return _Before(rate_hz, p95_ns)

    def _close(self, name: str, seconds: float | None) -> None:
        self._keep(self._recovery(name, *self._waiting.pop(name), seconds=seconds))

    def _recovery(
        self, name: str, from_ns: int, until_ns: int, before: _Before, *, seconds: float | None
    ) -> Recovery:
        return Recovery(
            name=name,
            from_s=from_ns / _NS,
            until_s=until_ns / _NS,
            seconds=seconds,
            why="" if seconds is not None else "not within the hold",
            rate_before=before.rate_hz,
            p95_before_ms=before.p95_ns / 1_000_000,
        )

    def _keep(self, recovery: Recovery) -> None:
        if len(self.done) < RECOVERIES_MAX:
            self.done.append(recovery)

    @property
    def all(self) -> list[Recovery]:
        """Those that are over, and those that are still waited for."""
        waiting = [self._recovery(name, *each, seconds=None) for name, each in self._waiting.items()]
        return [*self.done, *waiting]


def _is_back(rate_hz: float, p95_ns: int, before: _Before) -> bool:
    return rate_hz >= (1 - SHARE) * before.rate_hz and p95_ns <= max(
        (1 + SHARE) * before.p95_ns, before.p95_ns + SLACK_NS
    )
