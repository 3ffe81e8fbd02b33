"""Whether the faults of a scenario can be: their windows in the hold, and what they strike. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from squall.errors import PlanError
from squall.scenario.mistakes import path_text
from squall.scenario.models import Scenario
from squall.scenario.run_faults import ClientFault, proxy_faults, window_findings

__all__ = ["check_faults"]


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


def _in_the_way(scenario: Scenario) -> Iterator[str]:
    """Settings of the way to the service that a proxy does not know of."""
    target = scenario.target
    if target.source_addresses:
        yield "target.source_addresses"
    for name in ("cert_file", "server_name"):
        if getattr(target.tls, name) is not None:
            yield f"target.tls.{name}"


def _acknowledges(scenario: Scenario) -> bool:
    return any(getattr(population.exchange, "acknowledges", False) for population in scenario.populations)
