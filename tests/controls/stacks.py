"""Starts the services that the controls are made of besides the bundled one: on `websockets`, and on Node's `ws`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from oracle.services import Service, started

__all__ = ["node_stack", "websockets_stack"]

HERE = Path(__file__).parent


@contextmanager
def websockets_stack(log: Path, bug: str = "") -> Iterator[Service]:
    """The service on `websockets`; its log is complete once it has ended."""
    log.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "controls.stack_websockets", "--bug", bug, "--wire-log", log]
    paths = os.pathsep.join(filter(None, (str(HERE.parent), os.environ.get("PYTHONPATH"))))
    with started(command, PYTHONPATH=paths) as service:
        yield service


@contextmanager
def node_stack(log: Path, bug: str, package: Path) -> Iterator[Service]:
    """The service on the package `ws` for Node, as `oracle.node.installed` has it."""
    log.mkdir(parents=True, exist_ok=True)
    command = ["node", HERE / "stack_node_ws.mjs", "--bug", bug, "--wire-log", log]
    with started(command, WS_MODULE=(package / "wrapper.mjs").as_uri()) as service:
        yield service
