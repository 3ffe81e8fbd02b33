"""squall: load tests for WebSocket services that account for every message.

Public names resolve on first use (PEP 562), so that importing one room of squall loads no other: the
bundled service must start without the load generator, and a worker without the reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from squall import _native

if TYPE_CHECKING:
    from squall.api import LoadTester
    from squall.record.run import RunRecord
    from squall.runner.connections import ConnectionManager
    from squall.runner.performance_monitor import PerformanceMonitor
    from squall.scenario.loader import load_scenario
    from squall.scenario.models import Scenario

__all__ = ["ConnectionManager", "LoadTester", "PerformanceMonitor", "RunRecord", "Scenario", "load_scenario"]

_native.install()

_PUBLIC = {
    "ConnectionManager": "squall.runner.connections",
    "LoadTester": "squall.api",
    "PerformanceMonitor": "squall.runner.performance_monitor",
    "RunRecord": "squall.record.run",
    "Scenario": "squall.scenario.models",
    "load_scenario": "squall.scenario.loader",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'squall' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)
