"""The ordering test carried out: one pattern of sending after another, each a run of its own, in a folder of one series.

    runs/20260131-142530-ordering-3f9a/
        1-sequential/ …     the run folder of each pattern
        ordering.json, ordering.md

**One after another** (`squall.runner.series`): the specification starts all four at once, 18,000 connections on one
service; there each would be measured under the load of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from squall.clock import RealClock
from squall.engine.machine import this_machine
from squall.engine.preflight import check
from squall.errors import ExitCode, PlanError, strongest
from squall.fleet.base import Fleet
from squall.live.base import LiveView
from squall.metrics.ordering_test import (
    ROOM_SIZE,
    OrderingResult,
    OrderingSeriesResult,
    OrderingTest,
    OrderingValidation,
    SendPattern,
    checked_tests,
    concluded,
    ordering_result,
    ordering_thresholds,
    rooms_at,
    settle_at,
    test_at,
    tests_at,
)
from squall.reports.ordering_report import ordering_markdown
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.delivery import converted, ramp_settings
from squall.runner.plan import make_plan
from squall.runner.series import Series, checked_settle_s, no_views, write_series
from squall.runner.settings import Duration, why_refused
from squall.runner.stopping import StopSwitch
from squall.scale import Scale
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario, Traffic
from squall.store.folder import create_run_folder

__all__ = [
    "ORDERING_FILE",
    "execute_message_ordering_test",
    "execute_message_ordering_tests",
    "ordering_scenario",
    "run_ordering",
    "usual_tests",
    "why_not",
]

ORDERING_FILE: Final = "ordering.json"

REPLY_S: Final = 0.05
SEQUENTIAL_HZ: Final = 5_000
"""A sequential pattern is held so long that it is all sent if a reply takes no longer than this, and so many come a
second over all."""

_PATTERNS: Final[dict[SendPattern, dict[str, Any]]] = {
    "sequential": {"traffic.pattern": "sequential"},
    "burst": {"traffic.pattern": "burst"},
    "mixed_priority": {
        "traffic.rate": 4.0,
        "traffic.types": [
            {"name": f"{priority}_priority", "priority": priority}
            for priority in ("high", "medium", "normal", "low")
        ],
    },
    "high_frequency": {"traffic.rate": 20.0, "traffic.payload": [{"size": 64}]},
    "rooms": {"traffic.rate": 4.0, "exchange": {"kind": "room", "size": ROOM_SIZE}},
}
"""What each pattern is as settings of a scenario."""
_PATHS: Final[dict[SendPattern, str]] = {"mixed_priority": "priority", "rooms": "room"}
"""Where the bundled service answers by priority, and where it has rooms; everywhere else it is an echo."""

_ITS_OWN: Final = "each pattern has its own; give a size with --connections and --messages"
_OF_ONE_RUN: Final = "it is for a single run, and each pattern is a run of its own"
_DECIDED: Final = {
    "name": "each run is called by its pattern",
    "load.ramp_up": _ITS_OWN,
    "load.ramp_down": _ITS_OWN,
    "load.hold": "it follows from the messages and the pattern",
    "load.arrivals": "a pattern is sent on a number of connections",
    "traffic.pattern": "give patterns with --pattern",
    "delivery.promise": "integrity is not judged in it: its bounds say what must hold",
    "outputs.junit": _OF_ONE_RUN,
    "outputs.web": _OF_ONE_RUN,
    "outputs.prometheus": _OF_ONE_RUN,
    "outputs.linger": _OF_ONE_RUN,
}
"""Settings that an ordering test takes from nobody, each with the reason."""


async def execute_message_ordering_test(
    url: str | Sequence[str] | None = None,
    *,
    scenario: str | None = None,
    connections: int | None = None,
    messages_per_connection: int | None = None,
    send_pattern: SendPattern = "sequential",
    expected_ordering_accuracy: float | None = None,
    ordering_validation: OrderingValidation | Mapping[str, bool] | None = None,
    scale: Scale = "full",
    base: Scenario | str | Path | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    fleet: Callable[[], Fleet] | None = None,
    **settings: Any,
) -> OrderingResult:
    """Send by one pattern and judge in what order the messages come.

    Called on the class, as in the specification, which starts its four patterns at once:
    `execute_message_ordering_tests` carries them out one after another.

    Args:
        url: the entry point, or several; without one, and without a base, the bundled service is started.
        scenario: what the test is called.
        connections: held at once; by default what the pattern has at `scale`.
        messages_per_connection: that each sends in all.
        send_pattern: `sequential`, `burst`, `mixed_priority` or `high_frequency`; `rooms` for causality, by the
            exchange `room`.
        expected_ordering_accuracy: the least that passes; that of the specification for the pattern by default.
        ordering_validation: what is kept account of.
        scale: see `execute_message_ordering_tests`.
        base: a scenario, or a file with one, for all that the test leaves open.
        out: the folder of the series, which has this one run.
        fleet: makes where the workers run; processes of this host by default.
        settings: any other setting of a scenario (`seed=7`).

    Raises:
        SquallError: it could not begin: a mistake in what is asked, or too small a machine.
    """
    given = {
        "scenario": scenario,
        "connections": connections,
        "messages_per_connection": messages_per_connection,
        "expected_ordering_accuracy": expected_ordering_accuracy,
    }
    test = test_at(scale, send_pattern)
    result = await execute_message_ordering_tests(
        url,
        tests=[msgspec.structs.replace(test, **{name: of for name, of in given.items() if of is not None})],
        ordering_validation=ordering_validation,
        scale=scale,
        base=base,
        out=out,
        fleet=fleet,
        **settings,
    )
    return result.tests[0]


async def execute_message_ordering_tests(
    url: str | Sequence[str] | None = None,
    *,
    tests: Sequence[OrderingTest] | None = None,
    ordering_validation: OrderingValidation | Mapping[str, bool] | None = None,
    scale: Scale = "full",
    settle: Duration | None = None,
    base: Scenario | str | Path | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    fleet: Callable[[], Fleet] | None = None,
    **settings: Any,
) -> OrderingSeriesResult:
    """Send by one pattern after another and judge in what order the messages come.

    Args:
        url: the entry point, or several; without one, and without a base, the bundled service is started.
        tests: the patterns with their sizes; by default the specification's four, at `scale`, and on the bundled
            service rooms of four, in which causality is judged.
        ordering_validation: what is kept account of.
        scale: `full`: as in the specification, 100,000 messages each; `standard`: half the connections; `smoke`: a
            tenth, under a minute. No bound changes.
        settle: how long the service is left alone between two; by default what `scale` asks for.
        base: a scenario, or a file with one, for all that the tests leave open.
        out: the folder of the series; by default a new one under runs/.
        fleet: makes where the workers of a run are; processes of this host by default.
        settings: any other setting of a scenario (`seed=7`).

    Raises:
        SquallError: it could not begin: a mistake in what is asked, or too small a machine.
    """
    validation = converted(ordering_validation or {}, OrderingValidation)
    settle_s = settle_at(scale) if settle is None else checked_settle_s(settle)
    chosen: dict[str, Any] = dict(settings)
    if url is not None:
        chosen["target.url"] = url if isinstance(url, str) else list(url)
    own = url is None and base is None and "target" not in settings
    asked = usual_tests(scale, bundled=own, validation=validation) if tests is None else checked_tests(tests)
    async with service_for(max(each.connections for each in asked) if own else None) as of_service:
        overrides = {path: Override(value, "code") for path, value in (of_service | chosen).items()}
        return await run_ordering(
            load_scenario({} if base is None else base, overrides=overrides).scenario,
            asked,
            validation=validation,
            bundled=own,
            settle_s=settle_s,
            out=None if out is None else str(out),
            fleet=fleet,
            command="Python API",
        )


async def run_ordering(
    base: Scenario,
    tests: Sequence[OrderingTest],
    *,
    validation: OrderingValidation = OrderingValidation(),
    bundled: bool = False,
    settle_s: float,
    out: str | None = None,
    switch: StopSwitch | None = None,
    views: Callable[[Scenario], Sequence[LiveView]] = no_views,
    finished: Callable[[OrderingResult, RunResult], None] = lambda _result, _run: None,
    fleet: Callable[[], Fleet] | None = None,
    command: str = "",
) -> OrderingSeriesResult:
    """Carry out the patterns and judge them.

    Args:
        base: target and all else that the patterns have in common.
        tests: in their order.
        validation: what is kept account of.
        bundled: the target is the bundled service, which has priorities and rooms at paths of their own.
        settle_s: how long the service is left alone between two runs, in seconds.
        out: the folder of the series; by default a new one under runs/.
        switch: by which somebody outside may end it.
        views: who is shown a run.
        finished: told of each run that is over.
        fleet: where workers run; as processes of this host by default.
        command: what was typed, its secrets masked; kept in the records.

    Raises:
        PlanError: a pattern makes no sense.
        PreflightError: this machine cannot carry one of them; then none is begun.
        StoreError: a folder cannot be made or written.
        FleetError: the workers cannot be started.
    """
    tests, switch = checked_tests(tests), switch or StopSwitch()
    machine = this_machine(base.target.source_addresses)

    def scenario(test: OrderingTest, out: Path | None) -> Scenario:
        return ordering_scenario(base, test, validation, out, bundled=bundled)

    for test in tests:
        check(make_plan(scenario(test, None), machine).demand, machine)
    folder = create_run_folder(out, "ordering", RealClock().wall_ns())
    results: list[OrderingResult] = []
    series = Series(settle_s=settle_s, switch=switch, views=views, fleet=fleet, command=command)
    runs = ((test, scenario(test, folder / f"{n}-{test.send_pattern}")) for n, test in enumerate(tests, 1))
    async for test, run in series.carry_out(runs):
        kinds = scenario(test, None).populations[0].traffic.types
        priorities = {kind.name: kind.priority for kind in kinds}
        results.append(ordering_result(test, run.summary, run.folder.name, priorities=priorities))
        finished(results[-1], run)
    left_out = [test.scenario for test in tests[len(results) :]]
    result = concluded(results, left_out=left_out, folder=str(folder))
    code = strongest({ExitCode(result.exit_code), *([ExitCode.INTERRUPTED] if switch.times else [])})
    result = msgspec.structs.replace(result, exit_code=int(code))
    write_series(folder / ORDERING_FILE, result, ordering_markdown(result))
    return result


def ordering_scenario(
    base: Scenario,
    test: OrderingTest,
    validation: OrderingValidation,
    out: Path | None,
    *,
    bundled: bool = False,
) -> Scenario:
    """The scenario of one pattern: its size and its bounds; what the base says of how it is sent is stronger.

    Raises:
        PlanError: there is more than one population, or nothing is sent by the pattern.
    """
    if len(base.populations) > 1:
        raise PlanError(f"{len(base.populations)} populations: an ordering test has one")
    population = base.populations[0]
    said = population.traffic.model_fields_set - {"pattern"} | population.model_fields_set & {"exchange"}
    pattern = {
        path: value
        for path, value in _PATTERNS[test.send_pattern].items()
        if path.removeprefix("traffic.") not in said
    }
    thresholds = [each.model_dump() for each in base.thresholds] + ordering_thresholds(test, validation)
    chosen: dict[str, Any] = {
        "name": f"ordering-{test.send_pattern}",
        **ramp_settings(test.connections),
        **pattern,
        **validation.settings(),
        "traffic.messages_per_session": test.messages_per_connection,
        "traffic.during_ramp": False,
        "delivery.integrity": False,
        "thresholds": thresholds,
        "outputs.out": None if out is None else str(out),
    }
    if bundled and (path := _PATHS.get(test.send_pattern)) is not None:
        chosen["target.url"] = [f"{url.rstrip('/')}/{path}" for url in base.target.url]
    scenario = _with(base, chosen)
    return _with(scenario, {"load.hold": _hold_s(scenario.populations[0].traffic, test)})


def usual_tests(
    scale: Scale, *, bundled: bool, validation: OrderingValidation = OrderingValidation()
) -> tuple[OrderingTest, ...]:
    """The patterns of a test that names none: the specification's, and rooms for causality where there are some."""
    rooms = (rooms_at(scale),) if bundled and validation.enable_causal_ordering_check else ()
    return (*tests_at(scale), *rooms)


def _hold_s(traffic: Traffic, test: OrderingTest) -> float:
    """How long the level is held: until the last message of every connection is due."""
    messages = test.messages_per_connection
    if traffic.pattern == "sequential":
        return max(messages * REPLY_S, test.offered / SEQUENTIAL_HZ)
    at_once = traffic.burst_size if traffic.pattern == "burst" else 1
    # One more than there are: wherever between two of them a connection begins, the last is due.
    return (math.ceil(messages / at_once) + 1) * at_once / traffic.mean_rate


def _with(base: Scenario, chosen: Mapping[str, Any]) -> Scenario:
    overrides = {path: Override(value, "the pattern") for path, value in chosen.items()}
    return load_scenario(base, overrides=overrides).scenario


def why_not(setting: str) -> str | None:
    """Why an ordering test takes no such setting from those who start it; None where it does."""
    return why_refused(_DECIDED, setting)
