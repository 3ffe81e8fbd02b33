"""Preflight: each limit refuses one more than it holds, and says what to change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from squall.engine.machine import Machine
from squall.engine.preflight import (
    ACCOUNT_BYTES,
    CONNECTIONS_PER_WORKER,
    FILES_APART,
    Demand,
    Destination,
    check,
    choose_workers,
    is_local,
    memory_bytes,
    problems,
    warnings,
)
from squall.errors import ExitCode, PreflightError

REMOTE = Destination("service.example", 80, secure=False)
HERE = Destination("127.0.0.1", 8080, secure=False)


def machine(**fields: Any) -> Machine:
    known: dict[str, Any] = {
        "cores": 8,
        "files_max": None,
        "ports": None,
        "memory_bytes": None,
        "addresses": frozenset({"10.0.0.7", "127.0.0.1"}),
    }
    return Machine(**known | fields)


def demand(connections: int = 100, **fields: Any) -> Demand:
    known: dict[str, Any] = {
        "destinations": (REMOTE,),
        "spread": True,
        "source_addresses": (),
        "send_buffer_total_max": 1 << 30,
        "workers": None,
    }
    return Demand(connections=connections, **known | fields)


def test_a_plan_that_fits_has_no_problems() -> None:
    roomy = machine(files_max=20_000, ports=28_000, memory_bytes=8 << 30)
    assert problems(demand(10_000), roomy) == []
    assert warnings(demand(10_000), roomy) == []
    check(demand(10_000), roomy)


# --- workers ---


@pytest.mark.parametrize(
    ("asked", "cores", "expected"),
    [
        (demand(10_000), 8, 8),
        (demand(10_000, destinations=(HERE,)), 8, 4),
        (demand(10_000, destinations=(REMOTE, HERE)), 2, 1),
        (demand(10_000, destinations=(HERE,)), 1, 1),
        (demand(3), 8, 3),
        (demand(0), 8, 1),
        (demand(60_000, destinations=(HERE,)), 2, 4),
        (demand(CONNECTIONS_PER_WORKER + 1), 1, 2),
        (demand(10_000, workers=3), 1, 3),
    ],
)
def test_the_number_of_workers(asked: Demand, cores: int, expected: int) -> None:
    assert choose_workers(asked, machine(cores=cores)) == expected


@given(st.integers(1, 200_000), st.integers(1, 64), st.booleans())
def test_no_worker_is_chosen_to_hold_too_many_and_none_to_hold_nothing(
    connections: int, cores: int, local: bool
) -> None:
    workers = choose_workers(
        demand(connections, destinations=(HERE if local else REMOTE,)), machine(cores=cores)
    )
    assert workers <= connections
    assert connections <= workers * CONNECTIONS_PER_WORKER
    assert workers <= cores or (workers - 1) * CONNECTIONS_PER_WORKER < connections


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("127.0.0.9", True), ("[::1]", True), ("10.0.0.7", True), ("10.0.0.8", False)],
)
def test_which_hosts_are_this_machine(host: str, local: bool) -> None:
    assert is_local(host, machine()) is local


def test_more_workers_than_cores_are_warned_of() -> None:
    assert "share 1 core" in warnings(demand(60_000), machine(cores=1))[0]


# --- what does not fit ---


def test_descriptors_are_counted_for_each_worker() -> None:
    two = demand(2_001, workers=2)
    assert problems(two, machine(files_max=1_001 + FILES_APART)) == []
    [problem] = problems(two, machine(files_max=1_000 + FILES_APART))
    assert "1,201 open files" in problem.what
    assert "3 workers" in problem.change
    assert "ulimit -n" in problem.change


def test_where_not_even_one_connection_fits_no_number_of_workers_is_offered() -> None:
    [problem] = problems(demand(10, workers=1), machine(files_max=FILES_APART))
    assert "workers" not in problem.change


def test_ports_are_counted_for_each_source_address() -> None:
    assert problems(demand(28_000), machine(ports=28_000)) == []
    [problem] = problems(demand(28_001), machine(ports=28_000))
    assert "28,001 connections to service.example:80" in problem.what
    assert "source_addresses: 2 addresses" in problem.change
    two = demand(56_000, source_addresses=("10.0.0.7", "10.0.0.8"))
    assert problems(two, machine(ports=28_000)) == []


def test_a_local_target_gets_loopback_addresses_named() -> None:
    [problem] = problems(demand(60_000, destinations=(HERE,)), machine(ports=28_000))
    assert "source_addresses: 127.0.0.2, 127.0.0.3, 127.0.0.4" in problem.change


def test_spread_connections_share_the_ports_of_their_destinations_only() -> None:
    other = Destination("other.example", 80, secure=False)
    both = demand(56_000, destinations=(REMOTE, other))
    assert problems(both, machine(ports=28_000)) == []
    assert (
        len(problems(demand(56_000, destinations=(REMOTE, other), spread=False), machine(ports=28_000))) == 1
    )
    # two paths of one host are one destination
    assert len(problems(demand(56_000, destinations=(REMOTE, REMOTE)), machine(ports=28_000))) == 1


def test_memory_is_that_of_connections_and_workers() -> None:
    plan = demand(10_000, workers=2)
    need = memory_bytes(plan, 2)
    assert problems(plan, machine(memory_bytes=need)) == []
    [problem] = problems(plan, machine(memory_bytes=need - 1))
    assert "memory" in problem.what
    secure = demand(10_000, workers=2, destinations=(Destination("a", 443, secure=True),))
    assert memory_bytes(secure, 2) > need


def test_unread_bytes_that_would_not_fit_are_warned_of() -> None:
    plan = demand(10)
    need = memory_bytes(plan, choose_workers(plan, machine()))
    assert warnings(plan, machine(memory_bytes=need + (1 << 30))) == []
    assert "stops reading" in warnings(plan, machine(memory_bytes=need + (1 << 30) - 1))[0]


def test_all_problems_come_at_once_with_their_exit_code() -> None:
    small = machine(
        files_max=500, ports=1_000, memory_bytes=1_000_000, unbindable=frozenset({"10.1.1.1"}), cores=1
    )
    with pytest.raises(PreflightError) as caught:
        check(demand(10_000, source_addresses=("10.1.1.1", "10.0.0.7")), small)
    text = str(caught.value)
    for word in ("10.1.1.1", "open files", "port", "memory", "ulimit -n", "source_addresses"):
        assert word in text
    assert caught.value.exit_code == ExitCode.CANNOT_CARRY


def test_accounts_of_rooms_take_memory() -> None:
    alone, shared = demand(1000), demand(1000, accounts=3000)
    assert memory_bytes(shared, 2) - memory_bytes(alone, 2) == 3000 * ACCOUNT_BYTES
