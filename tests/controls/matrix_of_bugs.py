"""Each bug alone, and all pairs of them, in simulation: squall's every counter equals that of the oracle, exactly.

Run by `make controls` with the sources of the hot path. Each bug alone is tried by `test_simulated.py` too.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from controls.cases import ALONE, CONNECTIONS, EXCHANGES, PAIRS, Case, asked_of, scenario_for
from controls.compare import differences
from controls.oracle import Truth, judge
from controls.simulated_network import LATENCY_NS
from controls.simulated_run import Simulated, simulate

pytestmark = pytest.mark.matrix

NOWHERE = "ws://127.0.0.1:9"


def run(case: Case, folder: Path, *, seed: int) -> tuple[Simulated, Truth]:
    done = simulate(scenario_for(case, NOWHERE, seed=seed), folder / "run", case.bugs, seed=seed)
    truth = judge(done.log, asked_of(case, start_ns=done.start_ns, transit_ns=LATENCY_NS))
    return done, truth


def check(case: Case, done: Simulated, truth: Truth) -> None:
    """Every counter is right, and each bug has struck."""
    assert differences(done.run, truth, exact_times=True) == []
    held = done.run.summary.connections
    assert held.failed == done.refused
    assert bool(held.dropped) >= ("cut" in case.names)
    assert bool(done.refused) >= ("refuse" in case.names)
    for counter in case.shows:
        is_unknown = counter == "lost" and case.kills and truth.total.unknown
        assert getattr(truth.total, counter) or is_unknown, f"{counter} does not show {case}"


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_clean_run_shows_zero_of_everything(exchange: str, tmp_path: Path) -> None:
    done, truth = run(Case(exchange), tmp_path, seed=1)
    check(Case(exchange), done, truth)
    counted = {name for name, value in vars(truth.total).items() if value}
    assert counted == {"sent", "delivered", "timestamps_judged", *EXCHANGES[exchange].normal}
    assert truth.total.delivered == truth.total.sent > 400
    assert done.exit_code == 0, done.run.sentences


@pytest.mark.parametrize("case", ALONE, ids=str)
@pytest.mark.parametrize("seed", [1, 2])
def test_one_bug(case: Case, seed: int, tmp_path: Path) -> None:
    check(case, *run(case, tmp_path, seed=seed))


@pytest.mark.parametrize("case", PAIRS, ids=str)
def test_two_bugs(case: Case, tmp_path: Path) -> None:
    check(case, *run(case, tmp_path, seed=3))


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("beside", ["", "delay", "duplicate", "lose", "reorder"])
def test_connections_that_are_cut_and_come_again(exchange: str, beside: str, tmp_path: Path) -> None:
    case = Case(exchange, ("cut", *([beside] if beside else [])))
    asked = scenario_for(case, NOWHERE, seed=4)
    asked["load"] = {**asked["load"], "reconnect": {"after_drop": True, "backoff": "60ms"}}
    done = simulate(asked, tmp_path / "run", case.bugs, seed=4)
    truth = judge(done.log, asked_of(case, start_ns=done.start_ns, transit_ns=LATENCY_NS))
    assert differences(done.run, truth, exact_times=True) == []
    assert done.run.summary.connections.reconnected > 0


@pytest.mark.parametrize("exchange", ["echo", "ack", "ack_echo", "acked_push"])
@pytest.mark.parametrize("bug", ["", "delay", "duplicate", "lose"])
def test_sessions_that_come_and_go(exchange: str, bug: str, tmp_path: Path) -> None:
    """Each goes on with its stream on its next visit."""
    case = Case(exchange, (bug,) if bug else ())
    asked = scenario_for(case, NOWHERE, seed=6)
    asked["sessions"] = {"length": "600ms", "think_time": "100ms"}
    done = simulate(asked, tmp_path / "run", case.bugs, seed=6)
    truth = judge(done.log, asked_of(case, start_ns=done.start_ns, transit_ns=LATENCY_NS))
    assert differences(done.run, truth, exact_times=True) == []
    assert done.run.summary.connections.established > 2 * CONNECTIONS


def test_acknowledgements_that_come_after_all_was_given_up_are_late_deliveries(tmp_path: Path) -> None:
    case = Case("ack", ("delay",))
    asked = scenario_for(case, NOWHERE, seed=7, delivery={"drain_timeout": "5s"})
    done = simulate(asked, tmp_path / "run", ["delay:0.5:2"], seed=7)
    truth = judge(done.log, asked_of(case, start_ns=done.start_ns, transit_ns=LATENCY_NS))
    assert differences(done.run, truth, exact_times=True) == []
    assert truth.total.acknowledged_late > 0
    assert truth.total.late >= truth.total.acknowledged_late
