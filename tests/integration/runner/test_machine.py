"""The machine is read as it is."""

from __future__ import annotations

import resource
import sys

import pytest

from squall.engine.machine import this_machine


def test_this_machine_tells_its_limits() -> None:
    found = this_machine(["127.0.0.1", "203.0.113.77"])
    assert found.cores >= 1
    assert found.memory_bytes is not None
    assert found.memory_bytes > 0
    assert "127.0.0.1" in found.addresses
    assert found.unbindable == {"203.0.113.77"}  # TEST-NET-3: no machine has it (RFC 5737)


@pytest.mark.skipif(sys.platform != "linux", reason="the range is told by Linux only")
def test_the_range_of_ports_is_known_on_linux() -> None:
    ports = this_machine().ports
    assert ports is not None
    assert 1 <= ports <= 65_535


def test_the_hard_limit_of_files_counts_not_the_soft_one() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = this_machine().files_max
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
    try:
        assert this_machine().files_max == before
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
