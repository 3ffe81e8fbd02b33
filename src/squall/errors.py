"""Every error squall raises on purpose: one tree, each with a hint and the exit code it leads to.

    SquallError
    ├── ScenarioError        what was asked cannot be understood, or contradicts itself     104
    ├── PlanError            what was asked is understood, and cannot be planned            104
    ├── UserCodeError        a callback or plug-in of the user raised                       107
    ├── Interrupted          Ctrl-C, SIGTERM                                                105
    ├── PreflightError       this machine cannot carry the plan                             113
    ├── EnvironmentFailure   the service under test, or its cluster, could not be set up    111
    ├── FleetError           worker processes could not be started or reached               111
    └── StoreError           a run folder cannot be written, or not be read                 111
        └── FormatError      a run folder of a format that this version does not know       111

What goes wrong *on the wire* is no exception but data (`squall.record.outcomes`): a load test whose
target refuses connections has worked.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar

__all__ = [
    "EXIT_PRECEDENCE",
    "EnvironmentFailure",
    "ExitCode",
    "FleetError",
    "FormatError",
    "Interrupted",
    "PlanError",
    "PreflightError",
    "ScenarioError",
    "SquallError",
    "StoreError",
    "UserCodeError",
    "strongest",
]


class ExitCode(IntEnum):
    """What the process exits with; 99, 104, 105 and 107 mean what they mean in k6."""

    PASSED = 0
    BUG = 1
    FAILED = 99
    SCENARIO = 104
    INTERRUPTED = 105
    USER_CODE = 107
    INVALID = 110
    ENVIRONMENT = 111
    UNKNOWN = 112
    CANNOT_CARRY = 113


EXIT_PRECEDENCE: tuple[ExitCode, ...] = (
    ExitCode.BUG,
    ExitCode.SCENARIO,
    ExitCode.USER_CODE,
    ExitCode.CANNOT_CARRY,
    ExitCode.ENVIRONMENT,
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.INVALID,
    ExitCode.UNKNOWN,
    ExitCode.PASSED,
)
"""If several hold, the first of these is the exit code."""


def strongest(codes: set[ExitCode]) -> ExitCode:
    """The one exit code for several that hold at once; PASSED where none holds."""
    return next((code for code in EXIT_PRECEDENCE if code in codes), ExitCode.PASSED)


class SquallError(Exception):
    """The root of the tree. `message` says what is wrong, `hint` what to do about it."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class ScenarioError(SquallError):
    """What was asked cannot be understood, or contradicts itself."""

    exit_code = ExitCode.SCENARIO


class PlanError(SquallError):
    """What was asked is understood, and cannot be planned."""

    exit_code = ExitCode.SCENARIO


class UserCodeError(SquallError):
    """A callback or plug-in of the user raised; the cause is chained."""

    exit_code = ExitCode.USER_CODE


class Interrupted(SquallError):  # noqa: N818 - the field's word; it is an outcome rather than a mistake
    """Ctrl-C or SIGTERM ended the run before its plan did."""

    exit_code = ExitCode.INTERRUPTED


class PreflightError(SquallError):
    """This machine cannot carry the plan: too few descriptors, ports, memory."""

    exit_code = ExitCode.CANNOT_CARRY


class EnvironmentFailure(SquallError):  # noqa: N818 - named as the exit code's table names it
    """The service under test, or its cluster, could not be set up."""

    exit_code = ExitCode.ENVIRONMENT


class FleetError(SquallError):
    """Worker processes could not be started or reached."""

    exit_code = ExitCode.ENVIRONMENT


class StoreError(SquallError):
    """A run folder cannot be written, or not be read."""

    exit_code = ExitCode.ENVIRONMENT


class FormatError(StoreError):
    """A run folder of a format that this version of squall does not know."""
