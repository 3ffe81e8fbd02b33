"""The bundled service, for runs that need an honest target."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oracle.node import package_or_skip


@pytest.fixture(scope="module")
def service_url() -> Iterator[str]:
    """A bundled service on a free port; it ends with its standard input."""
    with subprocess.Popen(
        [sys.executable, "-m", "squall.reference", "serve", "--stdin-lifeline"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield str(json.loads(process.stdout.readline())["url"])
        process.stdin.close()
        assert process.wait(15) == 0


@pytest.fixture(scope="session")
def node_modules(pytestconfig: pytest.Config) -> Path:
    """The package `ws` for Node."""
    return package_or_skip(pytestconfig)
