"""`squall runs`, `squall show` and `squall report`: what was run before, read from the run folders."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from squall.cli.showing import show_report
from squall.cli.state import State
from squall.reports.figures import count, duration
from squall.reports.json_report import summary_json
from squall.runner.reporting import HTML_FILE, write_html
from squall.runner.rereading import summary_of
from squall.runner.series_report import is_series, report_series
from squall.store.index import RunEntry, find_run, list_runs
from squall.store.reader import open_run

__all__ = ["report_run", "show_run", "show_runs"]

_HEAD = ("started (UTC)", "outcome", "code", "duration", "connections", "folder")


def show_runs(state: State, root: Path) -> None:
    """A line for each run below a folder, the newest first.

    Raises:
        StoreError: the folder cannot be read.
    """
    found = list_runs(state.cwd / root)
    if not found:
        state.say(f"no runs under {root}")
        return
    rows = [_HEAD, *(_row(run, root) for run in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        state.say("  ".join(cells).rstrip())


def show_run(state: State, root: Path, text: str, *, as_json: bool) -> None:
    """The summary of one run, also of one that was killed.

    Raises:
        StoreError: there is no such run, or it cannot be read.
    """
    folder = _folder(state, root, text)
    record = open_run(folder)
    summary = summary_of(record, folder)
    if as_json:
        state.say(summary_json(summary).decode().rstrip("\n"))
    else:
        show_report(state, record, summary)
        state.say(f"\nrun folder: {folder}")


def report_run(state: State, root: Path, text: str, out: Path | None) -> None:
    """Write the HTML report of one run again, also of one that was killed, or that of a series; say where it is.

    Raises:
        StoreError: there is no such run or series, it cannot be read, or the report not be written.
    """
    asked = None if out is None else state.cwd / out
    for series in (state.cwd / text, state.cwd / root / text):
        if text not in ("", "last") and is_series(series):
            state.say(f"report: {report_series(series, asked)}")
            return
    folder = _folder(state, root, text)
    record = open_run(folder)
    file = asked or folder / HTML_FILE
    write_html(record, summary_of(record, folder), file)
    state.say(f"report: {file}")


def _folder(state: State, root: Path, text: str) -> Path:
    """The folder of a run: itself, or by the beginning of its name."""
    here = state.cwd / text
    return here if here.exists() and text != "last" else find_run(state.cwd / root, text)


def _row(run: RunEntry, root: Path) -> tuple[str, ...]:
    folder = str(root / Path(run.path).name)
    if run.problem:
        return "–", "unreadable", "–", "–", "–", f"{folder}: {run.problem}"
    outcome = run.outcome or ("running" if run.running else "no verdict")
    return (
        datetime.fromtimestamp(run.started_wall_ns // 10**9, tz=UTC).strftime("%Y-%m-%d %H:%M:%S"),
        outcome,
        "–" if run.exit_code is None else str(run.exit_code),
        "–" if run.duration_ns is None else duration(run.duration_ns / 1e9),
        "–" if run.connections_peak is None else count(run.connections_peak),
        folder,
    )
