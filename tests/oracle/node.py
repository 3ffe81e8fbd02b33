"""The service on Node's ``ws``: its package is installed once, into the cache of the test suite."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from oracle.services import Service, started

__all__ = ["WhyNot", "installed", "node_service", "package_or_skip"]

SOURCES = Path(__file__).with_name("node_ws")
INSTALL_TIMEOUT_S = 60.0


class WhyNot(Exception):  # noqa: N818 - a reason to skip
    """There is no Node here, or no package for it."""


def installed(folder: Path) -> Path:
    """The folder of the package ``ws`` below ``folder``, where it is installed if it is not there yet.

    Raises:
        WhyNot: with the reason.
    """
    package = folder / "node_modules" / "ws"
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            raise WhyNot(f"there is no {program} on the path")
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (package / "wrapper.mjs").exists():
            shutil.copy(SOURCES / "package.json", folder)
            _install(folder)
    return package


def _install(folder: Path) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise WhyNot(f"npm took longer than {INSTALL_TIMEOUT_S:g} s to install ws") from None
    if done.returncode != 0:
        words = done.stderr.strip().splitlines()
        raise WhyNot(f"npm could not install ws: {words[0] if words else done.returncode}")


def package_or_skip(config: pytest.Config) -> Path:
    """The package `ws`, kept in pytest's cache; skips the test, saying why, where it cannot be had."""
    cache = getattr(config, "cache", None)
    if cache is None:
        pytest.skip("pytest's cache is switched off, and the package ws is kept there")
    try:
        return installed(cache.mkdir("node_ws"))
    except WhyNot as reason:
        pytest.skip(str(reason))


@contextmanager
def node_service(package: Path) -> Iterator[Service]:
    """A running service; see ``node_ws/server.mjs``."""
    module = (package / "wrapper.mjs").as_uri()
    with started(["node", SOURCES / "server.mjs"], WS_MODULE=module) as service:
        yield service
