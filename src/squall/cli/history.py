"""`squall runs` and `squall show`: what was run before, read from the run folders."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from squall.cli.state import State

__all__ = ["show_run", "show_runs"]


def show_runs(state: State, root: Path) -> None:
    """A line for each run below a folder, the newest first."""
    from squall.reports.figures import count, duration
    from squall.store.index import list_runs

    found = list_runs(root)
    if not found:
        state.say(f"no runs in {root}")
    for run in sorted(found, key=lambda each: each.started_wall_ns, reverse=True):
        started = datetime.fromtimestamp(run.started_wall_ns / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")
        outcome = run.outcome or "no verdict"
        length = duration(None if run.duration_ns is None else run.duration_ns / 1e9)
        state.say(
            f"{started}  {outcome:<10}  {length:>12}  {count(run.connections_peak):>9} connections  {run.path}"
        )


def show_run(state: State, root: Path, text: str, *, as_json: bool) -> None:
    """The summary of one run, computed again from its record.

    Raises:
        StoreError: there is no such run, or it cannot be read.
    """
    from squall.metrics.summary import summarise
    from squall.metrics.totals import Totals
    from squall.reports.json_report import summary_json
    from squall.reports.terminal_report import terminal_report
    from squall.store.index import find_run
    from squall.store.reader import open_run

    record = open_run(find_run(root, text))
    totals = Totals(record.header.populations, record.header.types)
    for phase in record.phases:
        totals.note(phase)
    for interval in record.intervals:
        totals.add(interval)
    summary = summarise(record.header, record.phases, totals, record.verdict)
    if as_json:
        state.say(summary_json(summary).decode().rstrip("\n"))
    else:
        state.say(terminal_report(record, summary).plain.rstrip("\n"))
