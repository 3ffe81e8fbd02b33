"""What the faults of a run did, held against what the ledger counted: which fault explains what, and what none does.

Of each outcome `total` = `explained` + `possible` + `unexplained`. What is *possible* may have been caused by a fault
that was on, and nothing tells whether it was.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Explanation", "FaultAccount", "FaultedErrors", "Outcome", "Reconciliation", "Unexplained"]

Outcome = Literal["lost", "unknown", "late", "duplicated", "corrupted"]


class FaultAccount(msgspec.Struct, frozen=True, kw_only=True):
    """What one fault did: by deed of the proxy, or the sessions that it struck."""

    name: str
    kind: str
    deeds: dict[str, int] = {}


class Unexplained(msgspec.Struct, frozen=True, kw_only=True):
    """Missing or late messages of one stream that no fault explains, as ranges without their ends."""

    stream: int
    ranges: list[tuple[int, int]]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome of the messages. `by_fault` holds how many of the explained each fault is known to have caused.

    `basis` number: each message was looked up by its stream and number. count: at least some were not listed, and
    as many of them as the faults struck are taken for those.
    """

    outcome: Outcome
    total: int
    explained: int
    possible: int
    unexplained: int
    basis: Literal["number", "count"]
    by_fault: dict[str, int] = {}


class FaultedErrors(msgspec.Struct, frozen=True, kw_only=True):
    """Errors of connections of one kind that count as the target's doing: `count`, and how many of these squall's own
    faults did, at least and at most."""

    step: str
    kind: str
    count: int
    least: int
    most: int


class Reconciliation(msgspec.Struct, frozen=True, kw_only=True):
    """The account of a run with faults. `problems` says in words why it may not be whole."""

    faults: list[FaultAccount] = []
    outcomes: list[Explanation] = []
    unexplained: list[Unexplained] = []
    problems: list[str] = []
    delayed: int = 0
    """Distinct messages that the proxy held back and then let go."""
    delayed_lost: int = 0
    """Of those, how many ended lost or unknown, at most."""
    unexplained_late: list[Unexplained] = []
    dropped: int = 0
    """Connections that dropped, by whosever doing."""
    ended: int = 0
    """Connections that faults ended. Where these are no fewer than those, no drop was the target's doing."""
    errors: list[FaultedErrors] = []
    """The kinds of errors of which faults did any, or may have."""
    errors_by_faults: int = 0
    """Of all those errors, how many faults did: one for each connection that they ended, as far as there are errors."""
    errors_by_faults_most: int = 0
    """And at most."""
