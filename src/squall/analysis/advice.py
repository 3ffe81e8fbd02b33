"""Advice from what was measured: rules over alerts and verdicts, each naming its evidence. Pure.

The rule: there is no advice without evidence, and none is a good answer. A rule looks only at alerts that were raised
and at judgements that failed; what was not measured, or is unknown, advises nothing. In an invalid run squall itself
may have made the latency, so what rests on that is left out, and the advice is about squall. What faults of the scenario
explain in whole advises nothing on the target either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec

from squall.metrics.alerts import Alert
from squall.metrics.figures import moment, number, percent
from squall.metrics.leftovers import Leftovers
from squall.metrics.readiness import NOTHING_LEFT
from squall.record.reconciliation import Reconciliation
from squall.record.verdicts import Judgement, Validity

__all__ = ["About", "Findings", "Recommendation", "recommendations"]

About = Literal["target", "squall"]
"""Whom an advice is for: who runs the service, or who runs the test."""


class Recommendation(msgspec.Struct, frozen=True, kw_only=True):
    """What to do, and why: each piece of evidence in words, with its figure and bound."""

    about: About
    advice: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What a run has shown so far. `validity` and `judgements` come with its verdict."""

    alerts: Sequence[Alert] = ()
    judgements: Sequence[Judgement] = ()
    validity: Validity | None = None
    left: Leftovers = field(default_factory=Leftovers)
    """What was left once all had ended."""
    faults: Reconciliation | None = None
    """What the faults of the run explain; None where there were none, or that is not known."""
    cpu_bound: float | None = None
    """Above which the alert on the target's processor is raised; None where it is switched off."""
    cpu_while: Mapping[Alert, float] = field(default_factory=dict)
    """Of alerts during which the target's processor was looked at: the highest share in use that was seen."""

    def are_faults(self, outcome: str) -> bool:
        """Whether faults explain all messages of an outcome, or ("dropped") ended as many connections as dropped."""
        if self.faults is None:
            return False
        if outcome == "dropped":
            return 0 < self.faults.dropped <= self.faults.ended
        return any(
            each.outcome == outcome and 0 < each.total == each.explained for each in self.faults.outcomes
        )

    def raised(self, name: str) -> list[Alert]:
        """The alerts of this name."""
        return [alert for alert in self.alerts if alert.name == name]

    @property
    def latency_is_the_targets(self) -> bool:
        """Whether nothing says that squall itself made it."""
        return self.validity is None or self.validity.valid


def recommendations(findings: Findings) -> tuple[Recommendation, ...]:
    """All advice that the findings give, in the order of the rules; none is a good answer."""
    return tuple(advice for rule in _RULES for advice in rule(findings))


def _squall_was_late(findings: Findings) -> Iterator[Recommendation]:
    if findings.validity is not None and not findings.validity.valid:
        yield Recommendation(
            about="squall",
            advice="Give squall more to run on (cores of its own, further workers, another machine), and repeat the"
            " run: squall itself could have changed a verdict.",
            evidence=findings.validity.reasons,
        )


def _processor_and_latency(findings: Findings) -> Iterator[Recommendation]:
    """Slow while the processor was full, or slow while it was not; where nobody looked meanwhile, neither."""
    full = findings.raised("cpu_usage")
    slow = findings.raised("connection_latency") if findings.latency_is_the_targets else []
    together = [(one, other) for one in slow for other in full if _overlap(one, other)]
    if together:
        yield Recommendation(
            about="target",
            advice="Give the target more processor, or spread its connections over more nodes: it was slow while its"
            " processor was full.",
            evidence=tuple(
                _alert(alert) for alert in dict.fromkeys(each for pair in together for each in pair)
            ),
        )
    elif full:
        yield Recommendation(
            about="target",
            advice="Plan for more processor before more load comes: its use stood above the bound.",
            evidence=tuple(map(_alert, full)),
        )
    bound = findings.cpu_bound
    idle = {one: findings.cpu_while[one] for one in slow if one in findings.cpu_while}
    if bound is not None and idle and not together and max(idle.values()) <= bound:
        yield Recommendation(
            about="target",
            advice="Look for what the target waits for (a lock, one busy thread, a store behind it): it was slow"
            " while its processor was not full.",
            evidence=(
                *map(_alert, idle),
                f"cpu_usage: at most {percent(max(idle.values()))} meanwhile, its bound is {percent(bound)}",
            ),
        )


def _memory(findings: Findings) -> Iterator[Recommendation]:
    full = findings.raised("memory_usage")
    if full:
        yield Recommendation(
            about="target",
            advice="Raise the target's memory limit, or find what keeps the memory: see whether it comes down once"
            " the connections are gone.",
            evidence=tuple(map(_alert, full)),
        )


def _failed_bounds(findings: Findings) -> Iterator[Recommendation]:
    """One advice for each kind of failure that has one."""
    for names, advice in _ADVICE_ON_FAILED.items():
        failed = [each for each in findings.judgements if each.name in names and each.truth == "failed"]
        raised = [
            alert for alert in findings.raised("connection_drop_rate") if "connection drop rate" in names
        ]
        if (failed or raised) and not findings.are_faults(_FAULTS_MAKE.get(names, "")):
            yield Recommendation(
                about="target", advice=advice, evidence=(*map(_judgement, failed), *map(_alert, raised))
            )


def _left_behind(findings: Findings) -> Iterator[Recommendation]:
    """By the end at which something was left: the target's, or squall's own."""
    failed = [each for each in findings.judgements if each.name == NOTHING_LEFT and each.truth == "failed"]
    evidence = tuple(map(_judgement, failed))
    if failed and findings.left.at_target:
        yield Recommendation(
            about="target",
            advice="See why the target keeps connections that its clients have closed.",
            evidence=evidence,
        )
    if failed and findings.left.at_squall:
        yield Recommendation(
            about="squall",
            advice="Report it: squall itself left connections, descriptors or tasks behind, which is a bug of squall"
            " or of what was plugged into it.",
            evidence=evidence,
        )


_ADVICE_ON_FAILED: Final[dict[tuple[str, ...], str]] = {
    ("connect success", "connections established", "connections reached"): (
        "See why connects fail (the errors name the step and the way), and whether the target's backlog, its limit of"
        " open files or a proxy before it ends below the planned level."
    ),
    ("connection drop rate", "connection stability", "no drop"): (
        "Find out why connections end that nobody planned to end: the errors and close codes say how, the node and"
        " the time say where to look in the target's log."
    ),
    ("delivery", "none lost"): (
        "Follow a lost message through the target: its connection lived on, so it was taken and not passed on."
    ),
    ("none reordered", "none duplicated"): (
        "Look for several ways that a message can take through the target, or a repetition without a memory of what"
        " was delivered: the order or the number of copies changed on one connection."
    ),
    ("promise: at-most-once", "promise: at-least-once", "promise: exactly-once"): (
        "Look for a repetition without a memory of what was delivered, where there are duplicates, and for an"
        " acknowledgement that goes out before its message is safe, where acknowledged ones are lost."
    ),
    ("no body corrupted", "no header corrupted"): (
        "Look for what rewrites payloads between receipt and sending: checksums did not fit."
    ),
    ("not sent by the target's doing",): (
        "Let the target read as fast as its clients send: unsent bytes piled up until messages were given up, or its"
        " connections were gone when messages were due."
    ),
    ("graceful disconnections",): (
        "Let the target, and what stands before it, answer close frames (RFC 6455, section 7): clients that leave are"
        " cut or left waiting."
    ),
}
"""By the names of bounds: what to do where one of them failed."""

_FAULTS_MAKE: Final = {
    ("connection drop rate", "connection stability", "no drop"): "dropped",
    ("delivery", "none lost"): "lost",
    ("no body corrupted", "no header corrupted"): "corrupted",
}
"""By the names of bounds: which outcome may be all of a fault's making."""

_RULES: Final[tuple[Callable[[Findings], Iterator[Recommendation]], ...]] = (
    _squall_was_late,
    _processor_and_latency,
    _memory,
    _failed_bounds,
    _left_behind,
)


def _overlap(one: Alert, other: Alert) -> bool:
    """Whether two alerts stood at the same time."""
    return (other.cleared_s is None or one.raised_s <= other.cleared_s) and (
        one.cleared_s is None or other.raised_s <= one.cleared_s
    )


def _alert(alert: Alert) -> str:
    figure, bound = (
        f"{number(each)} ms" if alert.name == "connection_latency" else percent(each)
        for each in (alert.figure, alert.bound)
    )
    until = "the end" if alert.cleared_s is None else moment(alert.cleared_s)
    return f"alert {alert.name}: {figure}, above {bound}, from {moment(alert.raised_s)} to {until}"


def _judgement(judgement: Judgement) -> str:
    return f"failed: {judgement.name} {judgement.bound} ({judgement.evidence})"
