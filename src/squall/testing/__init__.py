"""FOR TESTS: a service to aim at, one that misbehaves, and a run to read. Stands above the API, and adds no figure.

    from squall.testing import broken_server, read_run, serve

    with serve() as service:
        ...  # service.url, service.pids

Names resolve on first use, as those of `squall` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from squall.runner.saving import read_results
    from squall.testing.reading import Run, read_run
    from squall.testing.service import Bug, Service, Start, broken_server, serve

__all__ = ["Bug", "Run", "Service", "Start", "broken_server", "read_results", "read_run", "serve"]

_PUBLIC = {
    "Bug": "squall.testing.service",
    "Run": "squall.testing.reading",
    "Service": "squall.testing.service",
    "Start": "squall.testing.service",
    "broken_server": "squall.testing.service",
    "read_results": "squall.runner.saving",
    "read_run": "squall.testing.reading",
    "serve": "squall.testing.service",
}


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'squall.testing' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)
