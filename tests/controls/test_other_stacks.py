"""The same against two stacks that have nothing in common with the bundled service: `websockets`, and Node's `ws`."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from controls.cases import EXCHANGES, Case, asked_of, scenario_for
from controls.compare import differences
from controls.oracle import judge
from controls.stacks import node_stack, websockets_stack
from controls.wire_log import read_wire_log
from oracle.services import Service
from squall.testing import read_run
from squall_run import run_squall

EVERY = 11
"""Each so manieth message is struck: no divisor of the connections, which send in step."""

ECHO_BUGS = ("", "lose", "duplicate", "reorder", "corrupt", "corrupt-header", "delay", "cross-deliver")
BUGS = {
    "echo": ECHO_BUGS,
    "ack": ("", "lose", "ack-never"),
    "ack_echo": (*ECHO_BUGS, "ack-never", "ack-then-lose"),
}
OFTEN = {("websockets", "ack_echo", "ack-then-lose", "binary"), ("node", "echo", "reorder", "text")}


def parameters(exchanges: dict[str, tuple[str, ...]]) -> list[object]:
    """Stack, exchange, bug and form; a few always, all where the whole matrix is wanted."""
    return [
        pytest.param(
            stack, exchange, bug, form,
            id=f"{stack}-{exchange}-{bug or 'clean'}-{form}",
            marks=() if (stack, exchange, bug, form) in OFTEN else pytest.mark.matrix,
        )
        for stack in ("websockets", "node")
        for exchange, bugs in exchanges.items()
        for bug in bugs
        for form in ("binary", "text")
    ]  # fmt: skip


def started(
    stack: str, log: Path, bug: str, request: pytest.FixtureRequest
) -> AbstractContextManager[Service]:
    planted = f"{bug}:{EVERY}" if bug else ""
    if stack == "websockets":
        return websockets_stack(log, planted)
    return node_stack(log, planted, request.getfixturevalue("node_modules"))


@pytest.mark.parametrize(("stack", "exchange", "bug", "form"), parameters(BUGS))
def test_every_counter_equals_the_log_of_another_stack(
    stack: str, exchange: str, bug: str, form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = tmp_path / "log"
    case = Case(exchange, (bug,) if bug else ())
    with started(stack, log, bug, request) as service:
        asked = scenario_for(case, service.url.rstrip("/"), seed=5)
        asked["traffic"]["format"] = form
        ran = run_squall(asked, tmp_path)
        service.did()
    truth = judge(read_wire_log(log), asked_of(case))
    assert differences(read_run(ran.folder), truth) == []
    counted = {name for name, value in vars(truth.total).items() if value}
    if bug:
        assert set(case.shows) <= counted
        assert ran.code == 99, ran.stdout
    else:
        assert counted - {"late"} == {"sent", "delivered", "timestamps_judged", *EXCHANGES[exchange].normal}
        assert ran.code == 0, ran.stdout
