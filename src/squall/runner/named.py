"""What a scenario names outside itself, looked at before the run: rows of data files, functions of the user's.

The rule: what is missing there is said in the plan, and not in the middle of a run.
"""

from __future__ import annotations

from squall.errors import PlanError
from squall.profiles.share import PopulationSplit
from squall.scenario.data import read_rows
from squall.scenario.models import Scenario

__all__ = ["check_functions", "check_rows"]


def check_rows(scenario: Scenario, sessions: int) -> None:
    """Nothing, if the data files are long enough for so many sessions.

    Raises:
        PlanError: with every population whose data file is too short.
        ScenarioError: a data file cannot be read.
    """
    counts = PopulationSplit([each.weight for each in scenario.populations]).counts(sessions)
    short = []
    for population, count in zip(scenario.populations, counts, strict=True):
        if population.data is not None:
            rows = read_rows(population.data.file, cycle=population.data.cycle)
            if not rows.enough_for(count):
                short.append(
                    f"population {population.name}: {count:,} sessions, and {len(rows):,} rows in its data file"
                )
    if short:
        raise PlanError("\n".join(short), hint="add rows, or use them again: data.cycle: true")


def check_functions(scenario: Scenario) -> None:
    """Nothing, if every function that the scenario names is there; their modules are imported for that.

    Raises:
        ScenarioError: one is not.
        UserCodeError: its module raised.
    """
    for population in scenario.populations:
        if (name := getattr(population.exchange, "check", None)) is not None:
            from squall.engine.user_function import (
                user_function,  # the engine is loaded only where it is needed
            )

            user_function(name)
