"""Shows the report of a run on standard output: with colours on a terminal, the same text without elsewhere."""

from __future__ import annotations

from rich.console import Console

from squall.cli.state import State
from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.performance_summary import performance_summary
from squall.reports.terminal_report import WIDTH, terminal_report

__all__ = ["show_report"]


def show_report(state: State, record: RunRecord, summary: Summary) -> None:
    """Print the report, no wider than the terminal; below it the specification's table, where that was judged by."""
    state.say(_report(state, record, summary))
    if any(each.source == "readiness" for each in summary.verdict.judgements or ()):
        state.say("\n" + "\n".join(performance_summary(summary)))


def _report(state: State, record: RunRecord, summary: Summary) -> str:
    if not state.has_colour(state.stdout):
        return terminal_report(record, summary, width=WIDTH).plain.rstrip("\n")
    console = Console(file=state.stdout, force_terminal=True, highlight=False)
    with console.capture() as captured:
        console.print(terminal_report(record, summary, width=console.width), soft_wrap=True)
    return captured.get().rstrip("\n")
