"""The scaling test carried out: one level after another, each a run of its own, in a folder of one series.

    runs/20260131-142530-scaling-3f9a/
        level-1-1000-connections/ …     the run folder of each level
        scaling.json, scaling.md, charts/, scaling-report.html

**One after another** (`squall.runner.series`): the specification starts all levels at once, against one service;
there each would be measured under the load of all the others. Levels that were not carried out, as one before them was
ended by force, are listed as left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from squall.charts.svg import svg_file
from squall.clock import RealClock
from squall.engine.machine import this_machine
from squall.engine.preflight import check
from squall.errors import ExitCode, PlanError, strongest
from squall.fleet.base import Fleet
from squall.live.base import LiveView
from squall.metrics.scaling import (
    GROWTH_FLOOR_MS,
    LevelResult,
    ScalingLevel,
    ScalingResult,
    checked_levels,
    concluded,
    level_result,
    level_thresholds,
    levels_at,
    mean_and_error_ms,
    offered,
    settle_at,
)
from squall.reports.scaling_report import scaling_charts, scaling_markdown
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.plan import make_plan, offered_hz
from squall.runner.series import Series, checked_settle_s, no_views, write_series
from squall.runner.series_report import SCALING_FILE, write_scaling_html
from squall.runner.settings import why_refused
from squall.runner.stopping import StopSwitch
from squall.scale import Scale
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Scenario
from squall.store.folder import create_run_folder, write_whole
from squall.store.log import store_failure
from squall.store.reader import open_run

__all__ = [
    "execute_scaling_test",
    "level_scenario",
    "most_of",
    "run_scaling",
    "why_not",
]

CHARTS_FOLDER: Final = "charts"

CONNECTS_HZ: Final = 500
"""Connections a second by which a level is reached and left."""

RAMP_MIN_S: Final = 0.2

_ITS_OWN: Final = "each level has its own; give levels with --level"
_OF_ONE_RUN: Final = "it is for a single run, and each level is a run of its own"
_DECIDED: Final = {
    "name": "each level is called by its connections",
    "load.connections": _ITS_OWN,
    "load.ramp_up": _ITS_OWN,
    "load.hold": _ITS_OWN,
    "load.ramp_down": _ITS_OWN,
}
"""Settings that the levels decide, whatever a scenario says."""
_MEANINGLESS: Final = {
    "load.arrivals": "a level is a number of connections, which arrivals would decide",
    "traffic.messages_per_session": "a level sends as long as it is held",
    "outputs.junit": f"{_OF_ONE_RUN}, which would write it anew",
    "outputs.web": _OF_ONE_RUN,
    "outputs.prometheus": _OF_ONE_RUN,
    "outputs.linger": _OF_ONE_RUN,
}
"""Settings that a scaling test refuses, wherever they are from."""


async def execute_scaling_test(
    url: str | Sequence[str] | None = None,
    *,
    levels: Sequence[ScalingLevel] | None = None,
    scale: Scale = "full",
    settle: float | str | None = None,
    growth_floor: float = GROWTH_FLOOR_MS,
    scenario: Scenario | str | Path | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    fleet: Callable[[], Fleet] | None = None,
    **settings: Any,
) -> ScalingResult:
    """Hold one level after another, each with connections and a run of its own, and judge how it scales.

    Called on the class, as in the specification, which starts all levels at once against one service. There each
    would be measured under the load of all others; here they come one after another.

    Args:
        url: the entry point, or several; without one, and without a scenario, the bundled service is started.
        levels: what is held, and its bounds; by default the specification's five, at `scale`.
        scale: `full`: as in the specification (80 minutes); `standard`: a tenth of the time; `smoke`: a fiftieth
            of the connections, under a minute. No bound changes.
        settle: how long the service is left alone between two levels; by default what `scale` asks for.
        growth_floor: milliseconds that latency may grow by from level to level at any rate.
        scenario: a scenario, or a file with one, for all that the levels leave open.
        out: the folder of the series; by default a new one under runs/.
        fleet: makes where the workers of a level run; processes of this host by default.
        settings: any other setting of a scenario (`watch={"target": [{"pid": 7}]}`).

    Raises:
        SquallError: it could not begin: a mistake in what is asked, or too small a machine.
    """
    asked = checked_levels(levels_at(scale) if levels is None else levels)
    settle_s = settle_at(scale) if settle is None else checked_settle_s(settle)
    chosen: dict[str, Any] = dict(settings)
    if url is not None:
        chosen["target.url"] = url if isinstance(url, str) else list(url)
    own = url is None and scenario is None and "target" not in settings
    async with service_for(most_of(asked) if own else None) as of_service:
        overrides = {path: Override(value, "code") for path, value in (of_service | chosen).items()}
        return await run_scaling(
            load_scenario({} if scenario is None else scenario, overrides=overrides).scenario,
            asked,
            settle_s=settle_s,
            growth_floor_ms=growth_floor,
            out=None if out is None else str(out),
            fleet=fleet,
            command="Python API",
        )


async def run_scaling(
    base: Scenario,
    levels: Sequence[ScalingLevel],
    *,
    settle_s: float,
    growth_floor_ms: float = GROWTH_FLOOR_MS,
    out: str | None = None,
    switch: StopSwitch | None = None,
    views: Callable[[Scenario], Sequence[LiveView]] = no_views,
    finished: Callable[[LevelResult, RunResult], None] = lambda _level, _run: None,
    fleet: Callable[[], Fleet] | None = None,
    command: str = "",
) -> ScalingResult:
    """Carry out the levels and judge them.

    Args:
        base: target, traffic and all else that the levels have in common.
        levels: in their order.
        settle_s: how long the service is left alone between two levels, in seconds.
        growth_floor_ms: latency may grow by this much at any rate.
        out: the folder of the series; by default a new one under runs/.
        switch: by which somebody outside may end it.
        views: who is shown a run.
        finished: told of each level that is over.
        fleet: where workers run; as processes of this host by default.
        command: what was typed, its secrets masked; kept in the records.

    Raises:
        PlanError: a level makes no sense, or what is to be the same at all of them does not.
        PreflightError: this machine cannot carry one of them; then none is begun.
        StoreError: a folder cannot be made or written.
        FleetError: the workers cannot be started.
    """
    levels, switch = _planned(base, levels), switch or StopSwitch()
    folder = create_run_folder(out, "scaling", RealClock().wall_ns())
    results: list[LevelResult] = []
    series = Series(settle_s=settle_s, switch=switch, views=views, fleet=fleet, command=command)
    async for level, run in series.carry_out(_runs(base, levels, folder)):
        results.append(level_result(level, run.summary, run.folder.name, _error_ms(run)))
        finished(results[-1], run)
    left_out = [level.connections for level in levels[len(results) :]]
    result = concluded(results, growth_floor_ms=growth_floor_ms, left_out=left_out, folder=str(folder))
    code = strongest({ExitCode(result.exit_code), *([ExitCode.INTERRUPTED] if switch.times else [])})
    result = msgspec.structs.replace(result, exit_code=int(code))
    _write(result, folder, html=base.outputs.html)
    return result


def _runs(
    base: Scenario, levels: Sequence[ScalingLevel], folder: Path
) -> Iterator[tuple[ScalingLevel, Scenario]]:
    """Each level with the scenario of its run, in a folder of the series."""
    for number, level in enumerate(levels, 1):
        out = folder / f"level-{number}-{level.connections}-connections"
        yield level, level_scenario(base, level, str(out))


def why_not(setting: str) -> str | None:
    """Why a scaling test takes no such setting from those who start it; None where it does."""
    return why_refused(_DECIDED | _MEANINGLESS, setting)


def _check_base(base: Scenario) -> None:
    """Refuse what would be ignored, written over, or leave nothing to judge.

    Raises:
        PlanError: there is such a thing.
    """
    counted = [each.traffic.messages_per_session for each in base.populations]
    given = {
        "load.arrivals": base.load.arrivals,
        "traffic.messages_per_session": next((each for each in counted if each is not None), None),
        "outputs.junit": base.outputs.junit,
        "outputs.web": base.outputs.web,
        "outputs.prometheus": base.outputs.prometheus,
        "outputs.linger": base.outputs.linger or None,
    }
    for setting, why in _MEANINGLESS.items():
        if given[setting] is not None:
            raise PlanError(f"{setting}: a scaling test takes none: {why}")
    for each in base.populations:
        if not each.rate_hz:
            how = "its rate is 0" if each.exchange.sends else f"exchange {each.exchange.kind}"
            raise PlanError(
                f"population {each.name} sends nothing ({how}): a scaling test judges latency and throughput of"
                " what is sent",
                hint="give it an exchange that sends, such as echo, and a rate",
            )


def most_of(levels: Sequence[ScalingLevel]) -> int:
    """The connections of the highest level."""
    return max(each.connections for each in levels)


def level_scenario(base: Scenario, level: ScalingLevel, out: str | None) -> Scenario:
    """The scenario of one level: its connections and hold, and its bounds beside those that there are."""
    ramp = {"kind": "linear", "duration": max(RAMP_MIN_S, level.connections / CONNECTS_HZ)}
    thresholds = [each.model_dump() for each in base.thresholds]
    chosen: Mapping[str, Any] = {
        "name": f"scaling-{level.connections}",
        "load.connections": level.connections,
        "load.ramp_up": ramp,
        "load.hold": level.duration_s,
        "load.warm_up": 0,
        "load.ramp_down": ramp,
        "outputs.out": out,
        "thresholds": thresholds + level_thresholds(level, watch=base.watch),
    }
    overrides = {path: Override(value, "the level") for path, value in chosen.items()}
    return load_scenario(base, overrides=overrides).scenario


def _planned(base: Scenario, levels: Sequence[ScalingLevel]) -> list[ScalingLevel]:
    """The levels with the bounds that follow from what is offered, if all of them can be carried out.

    Raises:
        PlanError, PreflightError: one cannot.
    """
    _check_base(base)
    planned = [offered(each, offered_hz(base, each.connections)) for each in checked_levels(levels)]
    machine = this_machine(base.target.source_addresses)
    for level in planned:
        check(make_plan(level_scenario(base, level, None), machine).demand, machine)
    return planned


def _error_ms(run: RunResult) -> float | None:
    """Half the interval of a level's average latency, from its record."""
    hold = next((phase.id for phase in run.phases if phase.name == "hold"), None)
    found = None if hold is None else mean_and_error_ms(open_run(run.folder).intervals, hold)
    return None if found is None else found[1]


def _write(result: ScalingResult, folder: Path, *, html: bool) -> None:
    """The series as JSON, as Markdown, as charts, and as a page."""
    charts = scaling_charts(result)
    pictures = {name: f"{CHARTS_FOLDER}/{name}.svg" for name in charts}
    titles = [(charts[name].title, file) for name, file in pictures.items()]
    write_series(folder / SCALING_FILE, result, scaling_markdown(result, titles))
    try:
        (folder / CHARTS_FOLDER).mkdir(exist_ok=True)
    except OSError as error:
        raise store_failure(error, folder) from None
    for name, file in pictures.items():
        write_whole(folder / file, svg_file(charts[name]).encode())
    if html:
        write_scaling_html(result, folder)
