"""What a header says of the machine, and the number of a run."""

from __future__ import annotations

import json
import platform

from hypothesis import given
from hypothesis import strategies as st

from squall.engine.machine import Machine
from squall.runner.surroundings import run_number_of, squall_version, surroundings


def test_versions_limits_and_the_form_of_the_hot_path_are_there() -> None:
    machine = Machine(cores=3, files_max=9, ports=8, memory_bytes=7, addresses=frozenset())
    found = surroundings(machine, 2, "kept awake")
    assert json.loads(json.dumps(found)) == found
    assert (found["cores"], found["workers"], found["memory_available_bytes"], found["ports"]) == (3, 2, 7, 8)
    assert found["processors"] == "kept awake"
    assert found["python"] == platform.python_version()
    assert found["squall"] == squall_version() != "unknown"
    assert found["picows"][0].isdigit()
    assert found["hot_path"] == "compiled" or found["hot_path"].startswith("sources: ")


@given(st.integers(0, 1 << 62), st.integers(1, 1 << 22))
def test_a_run_number_is_32_bits_and_differs_between_runs(wall_ns: int, pid: int) -> None:
    number = run_number_of(wall_ns, pid)
    assert 0 < number < 1 << 32
    assert number == run_number_of(wall_ns, pid)


def test_runs_at_one_moment_and_of_one_process_have_different_numbers() -> None:
    of_pids = {run_number_of(1_700_000_000_000_000_000, pid) for pid in range(1, 5000)}
    of_moments = {run_number_of(1_700_000_000_000_000_000 + step * 1000, 77) for step in range(5000)}
    # collisions of 5,000 random numbers of 32 bits: 0.003 expected
    assert len(of_pids) >= 4998
    assert len(of_moments) >= 4999
