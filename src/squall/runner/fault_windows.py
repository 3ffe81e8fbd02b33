"""Whether the faults of a scenario can be: their windows in the hold, and what they strike. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from squall.errors import PlanError
from squall.faults.proxies import proxies_for
from squall.profiles.base import duration_in_words
from squall.scenario.mistakes import path_text
from squall.scenario.models import Scenario
from squall.scenario.run_faults import ClientFault, RunFault, is_whole_run, proxy_faults, window_findings

__all__ = ["check_faults", "faults_in_words"]


def check_faults(scenario: Scenario, hold_s: float) -> None:
    """Nothing, if all faults can be in a run that holds its level so long.

    Raises:
        PlanError: with all that is wrong.
    """
    found = list(window_findings(scenario.faults, hold_s))
    for place, fault in enumerate(scenario.faults):
        if isinstance(fault, ClientFault) and fault.needs_acks and not _acknowledges(scenario):
            found.append(((place,), f"{fault.label}: no exchange of the scenario acknowledges anything"))
    if proxy_faults(scenario.faults):
        found += [
            ((), f"{setting} cannot be had together with a fault proxy") for setting in _in_the_way(scenario)
        ]
    if found:
        lines = (f"  - {path_text(('faults', *path))}: {message}" for path, message in found)
        raise PlanError(
            "\n".join(["the faults do not fit the run:", *lines]),
            hint="at counts from the start of the hold (load.hold)",
        )


def faults_in_words(scenario: Scenario) -> list[str]:
    """Each fault in a line, for the plan."""
    found = [f"fault: {fault.label}{_struck(fault)}, {_when(fault)}" for fault in scenario.faults]
    if proxy_faults(scenario.faults):
        many = proxies_for(scenario.level) * len(scenario.target.url)
        found.append(f"in front of the target: {many} fault prox{'y' if many == 1 else 'ies'}")
    return found


def _struck(fault: RunFault) -> str:
    """Of what, and how much of it."""
    kind = "" if fault.label == fault.kind else f" ({fault.kind})"
    if isinstance(fault, ClientFault):
        return f"{kind} of {fault.probability:.4g} of the sessions, once each"
    share = "" if fault.probability == 1 else f" of {fault.probability:.4g} of the {fault.acts_on}s"
    way = {"up": " towards the service", "down": " towards the clients"}.get(fault.direction, "")
    return f"{kind}{share}{way}"


def _when(fault: RunFault) -> str:
    if is_whole_run(fault):
        return "the whole run"
    since = f"from {duration_in_words(fault.at)} after the start of the hold"
    if fault.lasts is not None:
        return f"{since} for {duration_in_words(fault.lasts)}"
    return f"{since} to its end" if isinstance(fault, ClientFault) else f"{since} to the end"


def _in_the_way(scenario: Scenario) -> Iterator[str]:
    """Settings of the way to the service that a proxy does not know of."""
    target = scenario.target
    if target.source_addresses:
        yield "target.source_addresses"
    for name in ("cert_file", "server_name"):
        if getattr(target.tls, name) is not None:
            yield f"target.tls.{name}"


def _acknowledges(scenario: Scenario) -> bool:
    return any(population.exchange.acknowledged_by == "client" for population in scenario.populations)
