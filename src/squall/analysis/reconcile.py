"""The reconciliation: what faults did, held against what the ledger counted. Pure.

- **lost**: explained where a fault destroyed every attempt of the message, or the one copy that its receiver was to get;
  possible where one flipped a bit somewhere on
  its connection.
- **unknown**: explained where one did, or ended the connection that carried the message: a connection of its stream, and
  not before it was sent. Where only some of the stream's missing ones were sent before that, or nobody knows when,
  possible; explained, where faults ended as many connections as dropped.
- **late**: explained where one held the message, or destroyed an attempt of it, so that a retry had to bring it. Where
  a fault was on that slows all that passes, or one ended or damaged the message's connection, what is left is possible.
- **duplicated**, **corrupted**: explained, by count, by the copies that faults made and the messages they spoilt.

The ledger lists the late messages up to a limit; with more of them, and where a message is owed to several receivers,
they are reconciled by count: one that was held on its way up is late for each of them. It lists the missing numbers of
the worst streams only. Where those are all there are, each message is looked up (`basis` number). Else the streams that
are not listed are reconciled by count: as many of their missing messages as faults destroyed in them are explained, the
rest is not; so are messages that are owed to several receivers. A message that a fault destroyed and that is not missing
all the same was brought by a copy, or by an attempt that passed; it explains nothing.

Messages without squall's envelope cannot be looked up. As many as faults struck, destroyed or held are *possible*, since
any of them may be one; so are all that are missing, where a fault ended or damaged connections, nobody knows whose.

Which errors of connections are the faults' doing, `fault_ends` says.

Where the deeds are not all known (a proxy was killed, a log cannot be read), nothing is unexplained: what no deed
explains is possible.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from squall.analysis.fault_deeds import ONCE, FaultDeeds, Message, Sending, Sent
from squall.analysis.fault_ends import errors_by_faults
from squall.record.outcomes import Trouble
from squall.record.reconciliation import Explanation, FaultAccount, Outcome, Reconciliation, Unexplained

__all__ = ["UNEXPLAINED_MAX", "Ledger", "Missing", "reconcile"]

UNEXPLAINED_MAX: Final = 50
"""Streams whose unexplained numbers are kept."""

_MISSING: Final[tuple[Outcome, Outcome]] = ("lost", "unknown")


@dataclass(frozen=True)
class Missing:
    """Missing numbers of a stream: from `first` to one before `end`."""

    stream: int
    first: int
    end: int
    unknown: bool
    member: int = -1
    """Who it is owed to, where that is another."""
    sent: Sent | None = None
    """When the first and the last of what is missing of the stream were sent; None: not known."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the ledger counted in the whole run. `sending_of` says how the messages of a stream are sent.

    `missing` may lack streams, and of those in `cut_short` it lacks ranges.
    """

    lost: int
    unknown: int
    late: int
    duplicated: int
    corrupted: int
    dropped: int
    """Connections that dropped."""
    missing: Sequence[Missing]
    cut_short: frozenset[int] = frozenset()
    sending_of: Callable[[int], Sending] = lambda _stream: ONCE
    late_messages: Sequence[Message] = ()
    """The late ones by stream and number, as far as they are known so."""
    troubles: Mapping[Trouble, int] = field(default_factory=dict)
    """In which ways connections went wrong, and how often."""


def reconcile(
    ledger: Ledger, deeds: FaultDeeds, kinds: Mapping[str, str], problems: Sequence[str] = ()
) -> Reconciliation:
    """Which fault explains what.

    Args:
        ledger: what was counted.
        deeds: what the faults did.
        kinds: the kind of each fault of the scenario, by its name.
        problems: why the deeds may not be all there were.
    """
    deeds.settle()
    lookup = _Lookup(ledger, deeds)
    said = list(problems)
    if not deeds.is_whole:
        said.append(f"only the first {deeds.touched:,} messages that faults struck were told apart")
    lost, unknown = (lookup.explanation(name, getattr(ledger, name)) for name in _MISSING)
    late, late_open = _late(ledger, deeds, spare=deeds.touched - lookup.used, doubts=lookup.doubts)
    outcomes = [
        lost,
        unknown,
        late,
        _by_count("duplicated", ledger.duplicated, deeds.copies, deeds.unnamed.copies),
        _by_count("corrupted", ledger.corrupted, deeds.spoilt, deeds.unnamed.spoilt),
    ]
    errors, least, most = errors_by_faults(ledger.troubles, deeds, is_whole=not said)
    return Reconciliation(
        faults=[
            FaultAccount(name=name, kind=kind, deeds=dict(sorted(deeds.by_fault[name].items())))
            for name, kind in kinds.items()
        ],
        outcomes=[_benefit_of_doubt(each) for each in outcomes] if said else outcomes,
        unexplained=[] if said else _worst(lookup.named()),
        unexplained_late=[] if said else _worst(late_open),
        problems=said,
        delayed=len(deeds.delayed),
        delayed_lost=_delayed_lost(ledger, deeds),
        dropped=ledger.dropped,
        ended=deeds.endings,
        errors=errors,
        errors_by_faults=least,
        errors_by_faults_most=most,
    )


class _Lookup:
    """The missing messages that the ledger lists, each looked up among the deeds; and the rest, by count."""

    def __init__(self, ledger: Ledger, deeds: FaultDeeds) -> None:
        self._ledger = ledger
        self._deeds = deeds
        self._found: dict[Outcome, Counter[str]] = {"lost": Counter(), "unknown": Counter()}
        self._listed: Counter[Outcome] = Counter()
        self._possible: Counter[Outcome] = Counter()
        self._without: Counter[Outcome] = Counter()
        self._open: dict[Outcome, dict[int, list[tuple[int, int]]]] = {
            name: defaultdict(list) for name in _MISSING
        }
        self._ended = 0
        """Unknown messages of connections that faults ended, nobody knows which fault."""
        self._drops_are_faults = deeds.endings >= max(1, ledger.dropped)
        self.used = 0
        """Messages that a fault destroyed and that are missing."""
        self.doubts = deeds.unnamed.destroyed
        """Messages that a fault destroyed, nobody knows which: as many of what nothing explains are possible."""
        whole = {each.stream for each in ledger.missing} - ledger.cut_short
        seen: set[tuple[int, int]] = set()
        for each in ledger.missing:
            self._look_up(each)
            if each.stream in ledger.cut_short:
                seen.update((each.stream, sequence) for sequence in range(each.first, each.end))
        self._rest: Counter[str] = Counter()
        for message, fault, receivers in deeds.destroyed(ledger.sending_of):
            if message[0] not in whole and message not in seen:
                self._rest[fault] += receivers

    def _look_up(self, missing: Missing) -> None:
        outcome: Outcome = "unknown" if missing.unknown else "lost"
        self._listed[outcome] += missing.end - missing.first
        deeds, sending = self._deeds, self._ledger.sending_of(missing.stream)
        ended: str | None = None
        may_be = False
        if missing.unknown:
            ended, may_be = deeds.ender({missing.stream, missing.member}, missing.sent)
            may_be = may_be or bool(deeds.endings and not sending.is_named)
        by_some_fault = may_be and self._drops_are_faults
        may_be = may_be or bool(missing.stream in deeds.damaged if sending.is_named else deeds.damaged)
        # Of a message whose connection died in the middle of its attempts one destroyed is enough.
        sending = ONCE if missing.unknown else sending
        for sequence in range(missing.first, missing.end):
            fault = deeds.destroyer((missing.stream, sequence), sending)
            self.used += fault is not None
            fault = fault or ended
            if fault is not None:
                self._found[outcome][fault] += 1
            elif by_some_fault:
                self._ended += 1
            elif may_be:
                self._possible[outcome] += 1
            else:
                self._without[outcome] += 1
                _append(self._open[outcome][missing.stream], sequence)

    def explanation(self, outcome: Outcome, total: int) -> Explanation:
        """What explains an outcome; to be asked of lost first."""
        by_fault = Counter(self._found[outcome])
        unlisted = max(0, total - self._listed[outcome])
        by_fault += self._take(unlisted)
        possible = self._possible[outcome]
        ended = self._ended if outcome == "unknown" else 0
        rest = max(0, total - by_fault.total() - ended - possible - self._without[outcome])
        if outcome == "unknown" and self._drops_are_faults:
            ended += rest
        elif self._deeds.damaged or (outcome == "unknown" and self._deeds.endings):
            possible += rest
        explained = by_fault.total() + ended
        doubted = min(self.doubts, max(0, total - explained - possible))
        self.doubts -= doubted
        if doubted:
            self._open[outcome].clear()  # nobody knows which of them
        return Explanation(
            outcome=outcome,
            total=total,
            explained=explained,
            possible=possible + doubted,
            unexplained=max(0, total - explained - possible - doubted),
            basis="count" if unlisted else "number",
            by_fault=dict(sorted(by_fault.items())),
        )

    def named(self) -> dict[int, list[tuple[int, int]]]:
        """By stream, the missing numbers that nothing explains."""
        found = defaultdict[int, list[tuple[int, int]]](list)
        for by_stream in self._open.values():
            for stream, ranges in by_stream.items():
                found[stream] = sorted(found[stream] + ranges)
        return found

    def _take(self, most: int) -> Counter[str]:
        """As many of the unlisted destroyed messages as are missing, each for one outcome only."""
        taken: Counter[str] = Counter()
        for fault, count in sorted(self._rest.items()):
            part = min(count, most - taken.total())
            if part > 0:
                taken[fault] += part
        self._rest -= taken
        self.used += taken.total()
        return taken


def _worst(found: Mapping[int, list[tuple[int, int]]]) -> list[Unexplained]:
    """The streams with the most numbers that nothing explains."""
    worst = sorted(found.items(), key=lambda each: (-sum(end - first for first, end in each[1]), each[0]))
    return [Unexplained(stream=stream, ranges=ranges) for stream, ranges in worst[:UNEXPLAINED_MAX]]


def _append(ranges: list[tuple[int, int]], sequence: int) -> None:
    if ranges and ranges[-1][1] == sequence:
        ranges[-1] = (ranges[-1][0], sequence + 1)
    else:
        ranges.append((sequence, sequence + 1))


def _late(
    ledger: Ledger, deeds: FaultDeeds, *, spare: int, doubts: int
) -> tuple[Explanation, dict[int, list[tuple[int, int]]]]:
    """What explains the late messages, and by stream the numbers of those that nothing does.

    `spare` messages had an attempt destroyed and came by another; of `doubts` that may have done so nobody knows which
    they are.
    """
    total, unexplained = ledger.late, defaultdict[int, list[tuple[int, int]]](list)
    by_fault: Counter[str] = Counter()
    is_listed = len(ledger.late_messages) == total
    if is_listed:
        possible = 0
        for stream, sequence in sorted(ledger.late_messages):
            fault = deeds.delayer((stream, sequence))
            if fault is not None:
                by_fault[fault] += 1
            elif deeds.slowed or deeds.has_struck(stream, is_named=ledger.sending_of(stream).is_named):
                possible += 1
            else:
                _append(unexplained[stream], sequence)
        explained = by_fault.total()
    else:
        explained = min(total, deeds.delayed_copies + max(0, spare))
        possible = total - explained if deeds.slowed or deeds.ended or deeds.damaged else 0
    doubted = min(total - explained - possible, doubts + deeds.unnamed.delayed)
    if doubted:
        unexplained.clear()  # nobody knows which of them
    return (
        Explanation(
            outcome="late",
            total=total,
            explained=explained,
            possible=possible + doubted,
            unexplained=total - explained - possible - doubted,
            basis="number" if is_listed else "count",
            by_fault=dict(sorted(by_fault.items())),
        ),
        unexplained,
    )


def _by_count(outcome: Outcome, total: int, done: int, may_be: int) -> Explanation:
    explained = min(total, done)
    possible = min(total - explained, may_be)
    return Explanation(
        outcome=outcome,
        total=total,
        explained=explained,
        possible=possible,
        unexplained=total - explained - possible,
        basis="count",
    )


def _benefit_of_doubt(found: Explanation) -> Explanation:
    """A deed that is not known may explain what the known ones do not."""
    return msgspec.structs.replace(found, possible=found.possible + found.unexplained, unexplained=0)


def _delayed_lost(ledger: Ledger, deeds: FaultDeeds) -> int:
    """Delayed messages among the missing; where not all of those are listed, all that are not count as such."""
    listed = found = 0
    for each in ledger.missing:
        listed += each.end - each.first
        found += sum((each.stream, sequence) in deeds.delayed for sequence in range(each.first, each.end))
    return min(len(deeds.delayed), found + max(0, ledger.lost + ledger.unknown - listed))
