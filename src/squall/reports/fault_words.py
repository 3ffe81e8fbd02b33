"""What the faults of a run did and explain, in lines that all reports for people share. Computes no figure."""

from __future__ import annotations

from collections.abc import Iterator

from squall.metrics.recovery import Recovery
from squall.metrics.summary_document import Summary
from squall.record.reconciliation import Explanation, FaultAccount, Reconciliation, Unexplained
from squall.reports.figures import count, duration, milliseconds, percent

__all__ = ["drops_are_faults", "fault_lines", "not_sent_by"]

_RANGES_SHOWN = 5
_STREAMS_SHOWN = 3


def fault_lines(summary: Summary) -> list[str]:
    """The lines; none of a run without faults."""
    faults = summary.faults
    lines = []
    found = faults.reconciliation
    if found is not None:
        lines += [_account(each, faults.missed.get(each.name, 0)) for each in found.faults]
        lines.append(_explained(found))
        lines += _dropped(found)
        lines += _errors(found)
        lines += _unexplained("unexplained", found.unexplained)
        lines += _unexplained("late and unexplained", found.unexplained_late)
        lines += found.problems
    lines += map(_recovery, faults.recoveries)
    time = summary.acknowledgements.retry_recovery
    if found is not None and time.count:
        lines.append(
            f"a message whose first time-out had expired was acknowledged after {milliseconds(time.mean)} on"
            f" average, p99 {milliseconds(time.p99)}"
        )
    lines += _handled(summary)
    return lines


def drops_are_faults(summary: Summary) -> bool:
    """Whether faults ended as many connections as dropped, so that none need be one that the target ended."""
    found = summary.faults.reconciliation
    return found is not None and _are_faults(found)


def not_sent_by(summary: Summary) -> str:
    """By whose doing messages were not sent, as far as it was not squall's own."""
    return "a fault's or the target's doing" if drops_are_faults(summary) else "the target's doing"


def _are_faults(found: Reconciliation) -> bool:
    return 0 < found.dropped <= found.ended


def _dropped(found: Reconciliation) -> Iterator[str]:
    """What to think of drops: the sessions cannot tell a proxy from the target behind it."""
    if _are_faults(found):
        yield (
            f"connections dropped {count(found.dropped)}: faults ended as many connections, so that none need be the"
            " target's doing"
        )
    elif found.dropped and found.ended:
        yield f"connections dropped {count(found.dropped)}: faults ended {count(found.ended)} connections"


def _errors(found: Reconciliation) -> Iterator[str]:
    """How many errors that count as the target's doing faults did."""
    total = sum(each.count for each in found.errors)
    least, most = found.errors_by_faults, found.errors_by_faults_most
    if not total:
        return
    doubt = f"up to {count(most - least)}{' more' * bool(least)} may be, the log does not settle it"
    known = f"{'all' if least == total else count(least)} squall's own faults' doing, by count"
    parts = [*([known] if least else []), *([doubt] if most > least else [])]
    yield f"errors that count as the target's {count(total)}: {'; '.join(parts)}"


def _account(fault: FaultAccount, missed: int) -> str:
    deeds = ", ".join(
        f"{what} {count(times)}" for what, times in fault.deeds.items() if what not in ("on", "off")
    )
    without = f" ({count(missed)} were not connected)" if missed else ""
    kind = "" if fault.kind == fault.name else f" ({fault.kind})"
    return f"{fault.name}{kind}: {deeds or 'did nothing'}{without}"


def _explained(found: Reconciliation) -> str:
    """Which outcomes the faults explain, in one line."""
    missing = [each for each in found.outcomes if each.total]
    if not missing:
        return "nothing was lost, late, duplicated or corrupted"
    return "; ".join(map(_outcome, missing))


def _outcome(each: Explanation) -> str:
    by = ", ".join(f"{count(times)} by {fault}" for fault, times in each.by_fault.items())
    explained = "all" if each.explained == each.total else count(each.explained)
    words = f"{each.outcome} {count(each.total)}: {explained} explained"
    if each.by_fault and sum(each.by_fault.values()) == each.explained:
        words += f" ({by})"
    if each.possible:
        words += f", {count(each.possible)} possibly"
    if each.unexplained:
        words += f", {count(each.unexplained)} UNEXPLAINED"
    return words


def _unexplained(what: str, streams: list[Unexplained]) -> Iterator[str]:
    for each in streams[:_STREAMS_SHOWN]:
        ranges = ", ".join(_range(first, end) for first, end in each.ranges[:_RANGES_SHOWN])
        more = ", …" if len(each.ranges) > _RANGES_SHOWN else ""
        yield f"{what}: stream {each.stream}, numbers {ranges}{more}"
    if len(streams) > _STREAMS_SHOWN:
        yield f"and of {count(len(streams) - _STREAMS_SHOWN)} more streams: see summary.json"


def _range(first: int, end: int) -> str:
    return str(first) if end == first + 1 else f"{first}-{end - 1}"


def _recovery(each: Recovery) -> str:
    when = f"{each.name} (from {duration(each.from_s)} to {duration(each.until_s)})"
    if each.seconds is None:
        return (
            f"{when}: recovery not measured, {each.why}"
            if each.rate_before is None
            else f"{when}: did not recover"
        )
    return f"{when}: all was as before after at most {duration(each.seconds)}"


def _handled(summary: Summary) -> Iterator[str]:
    faults = summary.faults
    if faults.server_delay_handling is not None:
        yield f"delayed messages that ended well: {percent(faults.server_delay_handling)}"
    if faults.client_timeout_handling is not None:
        yield f"sessions that fell silent and lost nothing: {percent(faults.client_timeout_handling)}"
    if faults.not_sent:
        yield f"not sent because of a fault of squall's own sessions: {count(faults.not_sent)}"
