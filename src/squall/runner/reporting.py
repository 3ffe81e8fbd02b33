"""Writes the reports of a run: summary.json into its folder always, the others where they are wanted."""

from __future__ import annotations

import io
from pathlib import Path

from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.csv_report import write_time_series, write_types
from squall.reports.json_report import summary_json
from squall.reports.junit_report import junit_xml
from squall.reports.markdown_report import markdown_report
from squall.store.folder import write_whole
from squall.store.log import store_failure

__all__ = ["MARKDOWN_FILE", "SUMMARY_FILE", "TIME_SERIES_FILE", "TYPES_FILE", "write_all"]

SUMMARY_FILE = "summary.json"
MARKDOWN_FILE = "summary.md"
TIME_SERIES_FILE = "timeseries.csv"
TYPES_FILE = "types.csv"


def write_all(
    record: RunRecord,
    summary: Summary,
    folder: Path,
    *,
    csv: bool = True,
    markdown: bool = True,
    junit: str | None = None,
) -> None:
    """Write them, the summary first: it is what matters where the disk is full.

    `junit` is a file of its own, anywhere; a folder that it is to be in is made.

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
    if junit is not None:
        write_whole(_with_its_folder(Path(junit)), junit_xml(record, summary))


def _with_its_folder(file: Path) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_failure(error, file.parent) from None
    return file
