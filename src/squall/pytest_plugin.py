"""squall in pytest: the fixture `squall`, three options, and the verdict where a test fails.

The rule: loading this costs a test suite that does not use it nothing to speak of. What the fixture needs is
imported when a test asks for it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from squall.scale import SCALES

if TYPE_CHECKING:
    from squall.testing.fixture import SquallFixture

__all__ = ["pytest_addoption", "pytest_runtest_makereport", "squall"]

_USED: pytest.StashKey[SquallFixture] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of a load test."""
    group = parser.getgroup("squall", "load tests with squall")
    group.addoption(
        "--squall-scale",
        choices=SCALES,
        default="smoke",
        help="sizes and durations of load tests: smoke (under a minute), standard, full; no bound changes",
    )
    group.addoption(
        "--squall-target",
        metavar="URL",
        help="the service under test; without it the bundled one, started for each test",
    )
    group.addoption(
        "--squall-out",
        metavar="DIR",
        help="keep run folders there; without it in the test's temporary folder",
    )


@pytest.fixture
def squall(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SquallFixture]:
    """Testers, services and runs whose traces stay with the test (`squall.testing.fixture`)."""
    from squall.testing.fixture import SquallFixture, folder_for

    option = request.config.getoption
    root = option("--squall-out")
    out = tmp_path if root is None else folder_for(Path(root).absolute(), request.node.name)
    with SquallFixture(option("--squall-scale"), option("--squall-target"), out) as fixture:
        request.node.stash[_USED] = fixture
        yield fixture


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """Below a failed test, what its runs came to."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    fixture = item.stash.get(_USED, None)
    if report.when == "call" and report.failed and fixture is not None:
        said = fixture.sentences()
        if said:
            report.sections.append(("squall", "\n".join(said)))
