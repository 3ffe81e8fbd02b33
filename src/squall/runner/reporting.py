"""Writes the reports of a run into its folder: summary.json always, the others where they are wanted."""

from __future__ import annotations

import io
from pathlib import Path

from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.csv_report import write_time_series, write_types
from squall.reports.json_report import summary_json
from squall.reports.markdown_report import markdown_report
from squall.store.folder import write_whole

__all__ = ["MARKDOWN_FILE", "SUMMARY_FILE", "TIME_SERIES_FILE", "TYPES_FILE", "write_all"]

SUMMARY_FILE = "summary.json"
MARKDOWN_FILE = "summary.md"
TIME_SERIES_FILE = "timeseries.csv"
TYPES_FILE = "types.csv"


def write_all(
    record: RunRecord, summary: Summary, folder: Path, *, csv: bool = True, markdown: bool = True
) -> None:
    """Write them, the summary first: it is what matters where the disk is full.

    Raises:
        StoreError: one could not be written.
    """
    write_whole(folder / SUMMARY_FILE, summary_json(summary))
    if markdown:
        write_whole(folder / MARKDOWN_FILE, markdown_report(record, summary).encode())
    if csv:
        rows = io.StringIO()
        write_time_series(record, rows)
        write_whole(folder / TIME_SERIES_FILE, rows.getvalue().encode())
        rows = io.StringIO()
        write_types(summary, rows)
        write_whole(folder / TYPES_FILE, rows.getvalue().encode())
