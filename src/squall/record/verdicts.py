"""What was judged: each bound with its figure and its verdict, the run's validity, the outcome, the exit code."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Judgement", "Outcome", "Truth", "Validity", "Verdict"]

Truth = Literal["passed", "failed", "unknown"]
Outcome = Literal["passed", "failed", "warning"]


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """One bound: what it is, what was measured (None: not measured), how it came out and on what evidence."""

    name: str
    source: Literal["integrity", "promise", "threshold", "readiness"]
    bound: str
    figure: float | None
    truth: Truth
    required: bool
    evidence: str
    aborted: bool = False


class Validity(msgspec.Struct, frozen=True, kw_only=True):
    """Whether squall itself could have changed a verdict; `reasons` in words, empty where valid."""

    valid: bool
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The run's outcome, with the reasons that led to it and the exit code it ends with."""

    outcome: Outcome
    validity: Validity
    exit_code: int
    reasons: tuple[str, ...]
    judgements: tuple[Judgement, ...]
    stopped_by: str = ""
    """Empty where the plan was carried to its end; else what ended it ("interrupted", a threshold's name, …)."""
