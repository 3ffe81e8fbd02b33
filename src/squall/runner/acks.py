"""The acknowledgement test carried out: its parts one after another, each a run of its own, in a folder of one series.

    runs/20260131-142530-acks-3f9a/
        1-send/ …           the run folder of each part
        acks.json, acks.md

The bundled service has a path for each part. A target of the user's own has the first part only, by squall's own envelope,
or by the exchange that its scenario names; one that acknowledges nothing is refused, as the test could not use it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from squall.clock import RealClock
from squall.engine.machine import this_machine
from squall.engine.preflight import check
from squall.errors import ExitCode, PlanError, ScenarioError, strongest
from squall.fleet.base import Fleet
from squall.live.base import LiveView
from squall.metrics.ack_test import (
    PARTS,
    AcknowledgmentResult,
    AckPart,
    AckSize,
    FaultInjection,
    MessageConfiguration,
    PartResult,
    ack_size,
    ack_thresholds,
    checked,
    concluded,
    exchange_settings,
    fault_settings,
    part_result,
    path_of,
)
from squall.reports.ack_report import ack_markdown
from squall.runner.active import RunResult
from squall.runner.bundled import service_for
from squall.runner.delivery import converted, ramp_settings
from squall.runner.plan import make_plan
from squall.runner.series import Series, no_views, write_series
from squall.runner.settings import Duration, why_refused
from squall.runner.stopping import StopSwitch
from squall.scale import Scale
from squall.scenario.loader import Override, load_scenario
from squall.scenario.models import Population, Scenario
from squall.store.folder import create_run_folder

__all__ = [
    "ACKS_FILE",
    "ack_scenario",
    "execute_acknowledgment_test",
    "run_acks",
    "why_not",
]

ACKS_FILE: Final = "acks.json"
SETTLE_S: Final = 1.0
"""How long the service is left alone between two parts."""

_ITS_OWN: Final = "each part has its own"
_OF_ONE_RUN: Final = "it is for a single run, and each part is a run of its own"
_DECIDED: Final = {
    "name": "each run is called by its part",
    "load.ramp_up": _ITS_OWN,
    "load.ramp_down": _ITS_OWN,
    "load.arrivals": "it holds a number of connections",
    "traffic.pattern": "it sends evenly",
    "traffic.messages_per_session": "it sends as long as it is held",
    "faults": "the test decides which faults there are",
    "delivery.promise": "integrity is not judged in it: its bounds say what must hold",
    "outputs.junit": _OF_ONE_RUN,
    "outputs.web": _OF_ONE_RUN,
    "outputs.prometheus": _OF_ONE_RUN,
    "outputs.linger": _OF_ONE_RUN,
}
"""Settings that an acknowledgement test takes from nobody, each with the reason."""

_OF_THE_EXCHANGE: Final = {
    "acknowledgment_timeout": "exchange.timeout",
    "max_retry_attempts": "exchange.retries",
    "retry_backoff_strategy": "exchange.backoff",
}
"""What a scenario's own exchange says in place of a `MessageConfiguration`, by its field."""


async def execute_acknowledgment_test(
    url: str | Sequence[str] | None = None,
    *,
    connections: int | None = None,
    test_duration: Duration | None = None,
    message_configuration: MessageConfiguration | Mapping[str, Any] | None = None,
    fault_injection: FaultInjection | Mapping[str, Any] | None = None,
    scale: Scale = "full",
    scenario: Scenario | str | Path | Mapping[str, Any] | None = None,
    out: str | Path | None = None,
    fleet: Callable[[], Fleet] | None = None,
    **settings: Any,
) -> AcknowledgmentResult:
    """Send messages that are to be acknowledged, under faults, and judge whether the retries make up for them.

    Called on the class, as in the specification.

    Args:
        url: the entry point, or several; without one, and without a scenario, the bundled service is started, which
            has all three parts of the test. Any other target has the first.
        connections: held at once; by default what `scale` asks for.
        test_duration: how long the first part is held: seconds, or text like "15m".
        message_configuration: time-out, retries and back-off.
        fault_injection: what goes wrong on purpose, and how often.
        scale: `full`: 5,000 connections for 15 minutes, and 3 minutes for each other part; `standard`: a tenth and a
            sixth of that; `smoke`: 400 connections for 12 s and 6 s, with time-outs, pauses, delays and silences a
            fifth as long. No bound changes.
        scenario: a scenario, or a file with one, for all that the test leaves open.
        out: the folder of the series; by default a new one under runs/.
        fleet: makes where the workers of a run are; processes of this host by default.
        settings: any other setting of a scenario (`seed=7`).

    Raises:
        SquallError: it could not begin: a mistake in what is asked, or too small a machine.
    """
    size = ack_size(scale, connections=connections, duration=test_duration)
    chosen: dict[str, Any] = dict(settings)
    if url is not None:
        chosen["target.url"] = url if isinstance(url, str) else list(url)
    own = url is None and scenario is None and "target" not in settings
    messages = converted(message_configuration or {}, MessageConfiguration)
    async with service_for(size.connections if own else None) as of_service:
        overrides = {path: Override(value, "code") for path, value in (of_service | chosen).items()}
        return await run_acks(
            load_scenario({} if scenario is None else scenario, overrides=overrides).scenario,
            size,
            messages=messages,
            faults=converted(fault_injection or {}, FaultInjection),
            parts=PARTS if own else PARTS[:1],
            out=None if out is None else str(out),
            fleet=fleet,
            command="Python API",
            said=_said(message_configuration or {}, messages),
        )


async def run_acks(
    base: Scenario,
    size: AckSize,
    *,
    messages: MessageConfiguration = MessageConfiguration(),
    faults: FaultInjection = FaultInjection(),
    parts: Sequence[AckPart] = PARTS,
    out: str | None = None,
    switch: StopSwitch | None = None,
    views: Callable[[Scenario], Sequence[LiveView]] = no_views,
    finished: Callable[[PartResult, RunResult], None] = lambda _result, _run: None,
    fleet: Callable[[], Fleet] | None = None,
    command: str = "",
    said: Collection[str] = (),
) -> AcknowledgmentResult:
    """Carry out the parts and judge them.

    Args:
        base: target and all else that the parts have in common; with all parts, the bundled service's.
        size: how large.
        messages: time-out, retries and back-off.
        faults: what goes wrong on purpose.
        parts: in their order; several only of the bundled service.
        out: the folder of the series; by default a new one under runs/.
        switch: by which somebody outside may end it.
        views: who is shown a run.
        finished: told of each part that is over.
        fleet: where workers run; as processes of this host by default.
        command: what was typed, its secrets masked; kept in the records.
        said: the fields of `messages` that somebody asked for.

    Raises:
        ScenarioError, PlanError: something makes no sense; or does not go with the exchange that the scenario names.
        PreflightError: this machine cannot carry it.
        StoreError: a folder cannot be made or written.
        FleetError: the workers cannot be started.
    """
    checked(messages, faults)
    bundled = len(parts) > 1
    _check_exchange(base, said, bundled=bundled)
    switch = switch or StopSwitch()
    machine = this_machine(base.target.source_addresses)

    def scenario(part: AckPart, folder: Path | None) -> Scenario:
        return ack_scenario(base, part, size, messages, faults, folder, bundled=bundled)

    for part in parts:
        check(make_plan(scenario(part, None), machine).demand, machine)
    folder = create_run_folder(out, "acks", RealClock().wall_ns())
    runs = ((part, scenario(part, folder / f"{number}-{part}")) for number, part in enumerate(parts, 1))
    results: list[PartResult] = []
    series = Series(settle_s=SETTLE_S, switch=switch, views=views, fleet=fleet, command=command)
    async for part, run in series.carry_out(runs):
        results.append(part_result(part, run.summary, run.folder.name))
        finished(results[-1], run)
    result = concluded(results, left_out=parts[len(results) :], folder=str(folder))
    code = strongest({ExitCode(result.exit_code), *([ExitCode.INTERRUPTED] if switch.times else [])})
    result = msgspec.structs.replace(result, exit_code=int(code))
    write_series(folder / ACKS_FILE, result, ack_markdown(result))
    return result


def ack_scenario(
    base: Scenario,
    part: AckPart,
    size: AckSize,
    messages: MessageConfiguration,
    faults: FaultInjection,
    out: Path | None,
    *,
    bundled: bool,
) -> Scenario:
    """The scenario of one part: its size, its faults and its bounds over all that is said beside.

    Raises:
        PlanError: there is more than one population.
    """
    if len(base.populations) > 1:
        raise PlanError(f"{len(base.populations)} populations: an acknowledgement test has one")
    population = base.populations[0]
    chosen: dict[str, Any] = {
        "name": f"acks-{part}",
        **ramp_settings(size.connections),
        "load.hold": size.duration_s if part == "send" else size.others_s,
        "traffic.during_ramp": False,
        "faults": fault_settings(part, faults, size),
        "delivery.integrity": False,
        "thresholds": [each.model_dump() for each in base.thresholds] + ack_thresholds(part, faults),
        "outputs.out": None if out is None else str(out),
    }
    if "rate" not in population.traffic.model_fields_set:
        chosen["traffic.rate"] = messages.message_frequency
    if not _acknowledges(population):
        chosen["exchange"] = exchange_settings(part, messages, size)
    if bundled:
        path = path_of(part, messages, size)
        chosen["target.url"] = [f"{url.rstrip('/')}/{path}" for url in base.target.url]
    overrides = {path: Override(value, f"the part {part}") for path, value in chosen.items()}
    return load_scenario(base, overrides=overrides).scenario


def _acknowledges(population: Population) -> bool:
    """Whether its exchange says itself how messages are acknowledged and sent again."""
    return bool(population.exchange.acknowledged_by)


def _said(given: MessageConfiguration | Mapping[str, Any], messages: MessageConfiguration) -> set[str]:
    """Which fields somebody asked for; of a whole group those that are not as usual."""
    if isinstance(given, Mapping):
        return set(given)
    usual = msgspec.structs.asdict(MessageConfiguration())
    return {name for name, value in msgspec.structs.asdict(messages).items() if value != usual[name]}


def _check_exchange(base: Scenario, said: Collection[str], *, bundled: bool) -> None:
    """What somebody asked for is done or refused, and nothing is done in its place."""
    _refuse_another_exchange(base, bundled=bundled)
    _refuse_what_is_not_heard(base, said)


def _refuse_another_exchange(base: Scenario, *, bundled: bool) -> None:
    """An exchange that somebody asked for is used or refused, and never replaced."""
    named = [each for each in base.populations if "exchange" in each.model_fields_set]
    if named and bundled:
        raise ScenarioError(
            f"exchange: {named[0].exchange.kind}: each part of the test has its own on the bundled service",
            hint="leave the exchange out, or give the URL of a target that speaks it",
        )
    other = next((each.exchange.kind for each in named if not _acknowledges(each)), None)
    if other is not None:
        raise ScenarioError(
            f"exchange: {other}: an acknowledgement test needs one that acknowledges, and {other} does not",
            hint="leave the exchange out to test by squall's own envelope (ack), or say how the service"
            " acknowledges: exchange.kind: ack with send and ack",
        )


def _refuse_what_is_not_heard(base: Scenario, said: Collection[str]) -> None:
    """An exchange of one's own has its time-out, retries and back-off: no others go into it."""
    names = [name for name in _OF_THE_EXCHANGE if name in said]
    own = [each for each in base.populations if _acknowledges(each)]
    if names and own:
        raise PlanError(
            f"{' and '.join(names)}: the scenario's exchange '{own[0].exchange.kind}' says that itself",
            hint=f"set {', '.join(_OF_THE_EXCHANGE[name] for name in names)} there, and leave it out here",
        )


def why_not(setting: str) -> str | None:
    """Why an acknowledgement test takes no such setting from those who start it; None where it does."""
    return why_refused(_DECIDED, setting)
