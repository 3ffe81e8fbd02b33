"""The verdict on a run that is over: every judgement, the run's validity, the outcome and the exit code.

Outcome: failed if a required judgement failed; else warning if a required one is unknown, if the run is
invalid, or if it did not go as planned (interrupted, a worker's bug, …); else passed. Validity stands
beside it.

Exit codes: 99 where a required judgement failed, 110 where the run is invalid, 112 where a required
judgement is unknown, and those of what else befell the run; if several hold, `squall.errors.strongest` says
which it is.

In an invalid run what is judged on latency or throughput becomes unknown: squall could have changed it. The
judgement that stopped a run (`abortOnFail`) stands as it was when it did so.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from squall.errors import ExitCode, strongest
from squall.metrics.delivery_bounds import bounds_of
from squall.metrics.integrity import judge_integrity
from squall.metrics.leftovers import Leftovers
from squall.metrics.readiness import judge_readiness
from squall.metrics.thresholds import Ruling, judge_thresholds
from squall.metrics.totals import Totals
from squall.metrics.validity import assess
from squall.record.verdicts import Judgement, Outcome, Validity, Verdict
from squall.scenario.models import Scenario

__all__ = ["judge"]

_BEFELL: Final = {
    ExitCode.BUG: "a bug of squall was met",
    ExitCode.SCENARIO: "the scenario could not be carried out",
    ExitCode.USER_CODE: "user code raised",
    ExitCode.CANNOT_CARRY: "this machine cannot carry the plan",
    ExitCode.ENVIRONMENT: "the environment, a worker process or the store failed",
    ExitCode.INTERRUPTED: "the run was interrupted before its plan was carried out",
}


def judge(
    scenario: Scenario,
    totals: Totals,
    *,
    befell: Collection[ExitCode] = (),
    stopped_by: str = "",
    aborted: Judgement | None = None,
    left: Leftovers = Leftovers(),
) -> Verdict:
    """The verdict on a run.

    Args:
        scenario: what was asked.
        totals: the whole run.
        befell: what befell it beside its judgements (INTERRUPTED, ENVIRONMENT, …).
        stopped_by: what ended it before its plan did; empty where the plan was carried to its end.
        aborted: the judgement for which `Monitor` stopped it.
        left: what was left of it once all had ended.

    Raises:
        ScenarioError: a threshold is not understood.
    """
    rulings = judge_thresholds(bounds_of(scenario), totals)
    if "readiness" in scenario.threshold_sets:
        rulings += judge_readiness(totals, left=left, watch=scenario.watch)
    validity = assess(totals, rulings)
    judgements = judge_integrity(scenario, totals) + [_final(each, validity, aborted) for each in rulings]
    required = [each for each in judgements if each.required]
    failed = any(each.truth == "failed" for each in required)
    unknown = any(each.truth == "unknown" for each in required)
    codes = set(befell) - {ExitCode.PASSED}
    warned = unknown or not validity.valid or bool(codes)
    outcome: Outcome = "failed" if failed else "warning" if warned else "passed"
    for code, holds in (
        (ExitCode.FAILED, failed),
        (ExitCode.INVALID, not validity.valid),
        (ExitCode.UNKNOWN, unknown),
    ):
        if holds:
            codes.add(code)
    return Verdict(
        outcome=outcome,
        validity=validity,
        exit_code=int(strongest(codes)),
        reasons=_reasons(codes, required, validity),
        judgements=tuple(judgements),
        stopped_by=stopped_by,
    )


def _final(ruling: Ruling, validity: Validity, aborted: Judgement | None) -> Judgement:
    judgement = ruling.judgement
    if aborted is not None and (aborted.name, aborted.bound) == (judgement.name, judgement.bound):
        judgement = aborted
    if validity.valid or not ruling.timed or judgement.truth == "unknown":
        return judgement
    words = f"{judgement.evidence}; {judgement.truth}, but squall itself may have changed that"
    return msgspec.structs.replace(judgement, truth="unknown", evidence=words)


def _reasons(
    codes: Collection[ExitCode], required: Sequence[Judgement], validity: Validity
) -> tuple[str, ...]:
    """Why the outcome is not passed, what weighs most first."""
    found = [words for code, words in _BEFELL.items() if code in codes]
    for truth in ("failed", "unknown"):
        found += [
            f"{truth}: {each.name} {each.bound} ({each.evidence})" for each in required if each.truth == truth
        ]
    found += [f"invalid: {reason}" for reason in validity.reasons]
    return tuple(found)
