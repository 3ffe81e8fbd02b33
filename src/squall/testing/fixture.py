"""What the fixture `squall` gives a test: testers and services whose traces stay with the test.

Run folders lie in the test's own folder; services are stopped when it is over. Scale changes sizes and times,
and no bound: a test says what it wants of each with `at_scale`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from squall.api import LoadTester
from squall.errors import PlanError, SquallError
from squall.runner.active import RunResult
from squall.runner.run import run_scenario
from squall.scale import Scale
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario
from squall.testing.reading import Run, read_run
from squall.testing.service import Bug, Service, broken_server, serve

__all__ = ["SquallFixture", "folder_for"]

T = TypeVar("T")

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_NAME_MAX = 80


class SquallFixture:
    """See the module; a context manager that stops what it started.

    Args:
        scale: how large tests are to be.
        target: the URL of the service under test; None: the bundled one, started when it is first asked for.
        out: the folder in which run folders are made.
    """

    def __init__(self, scale: Scale, target: str | None, out: Path) -> None:
        self.scale = scale
        self.out = out
        self._target = target
        self._is_given = target is not None
        self._pid: int | None = None
        self._folders: list[Path] = []
        self._services = ExitStack()

    @property
    def target(self) -> str:
        """The service under test: the one of `--squall-target`, else the bundled one."""
        if self._target is None:
            service = self.serve()
            self._target, self._pid = service.url, service.pid
        return self._target

    @property
    def watch(self) -> dict[str, Any]:
        """The setting `watch.target` for `target`: the processes of the bundled service; no others are known."""
        _ = self.target
        return {} if self._pid is None else {"watch.target": [{"pid": self._pid}]}

    def at_scale(self, *, smoke: T, standard: T, full: T) -> T:
        """The one of three sizes, durations, … that is meant by the scale."""
        return {"smoke": smoke, "standard": standard, "full": full}[self.scale]

    def tester(self, url: str | None = None, **settings: Any) -> LoadTester:
        """A `LoadTester`, by default of `target`, with a run folder of its own. Takes what that takes.

        The bundled service is watched, where nothing else is said: its memory and processor are in the results.
        """
        out = settings.pop("out", None)
        folder = self._new_folder() if out is None else Path(out)
        self._folders.append(folder)
        if url is None and "watch" not in settings:
            settings = self.watch | settings
        return LoadTester(self.target if url is None else url, out=folder, **settings)

    def run(
        self, scenario: Scenario | str | Path | Mapping[str, Any], *, url: str | None = None, **settings: Any
    ) -> RunResult:
        """Carry out a scenario, or a file with one, to its end; for tests that are no coroutines.

        Args:
            scenario: what is run.
            url: where; by default at `--squall-target`, else where the scenario says, else at the bundled service.
            settings: settings of the scenario, which are stronger: `load={"hold": 5}`, `seed=7`.

        Raises:
            SquallError: it could not be begun.
        """
        chosen = dict(settings)
        names_none = isinstance(scenario, Mapping) and "target" not in scenario and "target" not in settings
        if url is not None or self._is_given or names_none:
            chosen["target.url"] = self.target if url is None else url
            if url is None and "watch" not in settings:
                chosen = self.watch | chosen
        folder = self._new_folder()
        self._folders.append(folder)
        chosen["outputs.out"] = str(folder)
        overrides = {path: Override(value, "the test") for path, value in chosen.items()}
        asked = load_scenario(scenario, overrides=overrides).scenario
        return asyncio.run(run_scenario(asked, command="pytest"))

    def serve(self, **options: Any) -> Service:
        """The bundled service, stopped when the test is over. Takes what `squall.testing.serve` takes."""
        return self._services.enter_context(serve(**options))

    def broken_server(self, bug: Bug, **options: Any) -> Service:
        """The bundled service with a bug, stopped when the test is over."""
        return self._services.enter_context(broken_server(bug, **options))

    def read_run(self, folder: Path | str | None = None) -> Run:
        """A run read back; by default the last one of this test.

        Raises:
            PlanError: this test has made none.
            StoreError: there is none in that folder.
        """
        if folder is None:
            if not self._folders:
                raise PlanError("this test has made no run yet")
            folder = self._folders[-1]
        return read_run(folder)

    def sentences(self) -> list[str]:
        """What the runs of this test came to, in words; of those that left a record."""
        said: list[str] = []
        for folder in self._folders:
            try:
                run = read_run(folder)
            except SquallError:
                continue
            said += [*run.sentences, f"run folder: {folder}"]
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._services.close()

    def _new_folder(self) -> Path:
        return self.out / ("run" if not self._folders else f"run-{len(self._folders) + 1}")


def folder_for(root: Path, test: str) -> Path:
    """A new folder under `root`, named after a test; numbered where one of that name is there."""
    word = _UNFIT.sub("-", test).strip("-.")[:_NAME_MAX] or "test"
    number = 1
    while True:
        folder = root / (word if number == 1 else f"{word}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            number += 1
        else:
            return folder
