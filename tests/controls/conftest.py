"""What the controls share."""

from __future__ import annotations

from pathlib import Path

import pytest

from oracle.node import package_or_skip


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """The package `ws` for Node."""
    return package_or_skip(pytestconfig)
