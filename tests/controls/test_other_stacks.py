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
    "acked_push": ("", "lose", "duplicate", "corrupt", "corrupt-header"),
    "room": ECHO_BUGS,
    "relay": ECHO_BUGS,
}
OFTEN = {
    ("websockets", "ack_echo", "ack-then-lose", "binary"),
    ("websockets", "acked_push", "lose", "binary"),
    ("websockets", "room", "", "text"),
    ("websockets", "relay", "duplicate", "binary"),
    ("node", "echo", "reorder", "text"),
    ("node", "acked_push", "lose", "text"),
    ("node", "room", "reorder", "binary"),
}
COUNTED = {
    "lose": "lost",
    "duplicate": "duplicated",
    "corrupt": "corrupted_body",
    "corrupt-header": "corrupted_header",
}
COUNTED_OF = {"acked_push": {"lose": "recovered", "duplicate": "duplicate_arrivals"}}
"""By bug, the counter that says how often it has struck."""
MENDED = {
    ("ack", "lose"),  # sent again, and acknowledged then; unless all attempts are struck
    ("ack_echo", "ack-never"),  # sent in vain again, and delivered all the same
    ("acked_push", "duplicate"),  # to drop a copy of what may be sent again is the receiver's part
}
"""What breaks no promise: it is counted, and the run has passed."""


def parameters() -> list[object]:
    """Stack, exchange, bug and form; a few always, all where the whole matrix is wanted."""
    return [
        pytest.param(
            stack, exchange, bug, form,
            id=f"{stack}-{exchange}-{bug or 'clean'}-{form}",
            marks=() if (stack, exchange, bug, form) in OFTEN else pytest.mark.matrix,
        )
        for stack in ("websockets", "node")
        for exchange, bugs in BUGS.items()
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


@pytest.mark.parametrize(("stack", "exchange", "bug", "form"), parameters())
def test_every_counter_equals_the_log_of_another_stack(
    stack: str, exchange: str, bug: str, form: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    log = tmp_path / "log"
    case = Case(exchange, (bug,) if bug else ())
    with started(stack, log, bug, request) as service:
        asked = scenario_for(case, service.url.rstrip("/"), seed=5)
        # Before all are in their rooms, what is published is owed or not by a hair's breadth, which no log has.
        asked["traffic"] = {
            **asked["traffic"],
            "format": form,
            "during_ramp": exchange not in {"room", "relay"},
        }
        ran = run_squall(asked, tmp_path)
        did = service.did()
    truth = judge(read_wire_log(log), asked_of(case))
    assert differences(read_run(ran.folder), truth) == []
    counted = {name for name, value in vars(truth.total).items() if value}
    if bug:
        assert set(case.shows) <= counted
        counter = {**COUNTED, **COUNTED_OF.get(exchange, {})}.get(bug)
        if counter in case.shows:
            assert getattr(truth.total, counter) == did["struck"] > 0
        is_mended = (exchange, bug) in MENDED and not truth.total.lost
        assert ran.code == (0 if is_mended else 99), ran.stdout
    else:
        assert counted - {"late"} == {"sent", "delivered", "timestamps_judged", *EXCHANGES[exchange].normal}
        assert ran.code == 0, ran.stdout
