"""Writes the reports of a run: summary.json into its folder always, the others where they are wanted.

The pictures of the Markdown summary lie beside it, in a folder of their own.
"""

from __future__ import annotations

import io
from pathlib import Path

from squall.charts.svg import svg_file
from squall.metrics.history import History
from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.backdrop import backdrop
from squall.reports.csv_report import write_resources, write_time_series, write_types
from squall.reports.delivery_words import delivery_sentences
from squall.reports.html_report import html_report
from squall.reports.json_report import summary_json
from squall.reports.junit_report import junit_xml
from squall.reports.markdown_report import markdown_report
from squall.reports.pictures import overview
from squall.store.folder import write_whole
from squall.store.log import store_failure

__all__ = [
    "CHARTS_FOLDER",
    "HTML_FILE",
    "MARKDOWN_FILE",
    "RESOURCES_FILE",
    "SUMMARY_FILE",
    "TIME_SERIES_FILE",
    "TYPES_FILE",
    "write_all",
    "write_html",
]

SUMMARY_FILE = "summary.json"
MARKDOWN_FILE = "summary.md"
CHARTS_FOLDER = "charts"
HTML_FILE = "report.html"
TIME_SERIES_FILE = "timeseries.csv"
TYPES_FILE = "types.csv"
RESOURCES_FILE = "resources.csv"


def write_all(
    record: RunRecord,
    summary: Summary,
    folder: Path,
    *,
    csv: bool = True,
    markdown: bool = True,
    html: bool = True,
    junit: str | None = None,
) -> None:
    """Write them, the summary first: it is what matters where the disk is full.

    `junit` is a file of its own, anywhere; a folder that it is to be in is made.

    Raises:
        StoreError: one could not be written.
    """
    write_whole(folder / SUMMARY_FILE, summary_json(summary))
    history = History.of(record) if markdown or html else None
    if history is not None and markdown:
        _write_markdown(record, summary, history, folder)
    if history is not None and html:
        write_html(record, summary, folder / HTML_FILE, history)
    if csv:
        rows = io.StringIO()
        write_time_series(record, rows)
        write_whole(folder / TIME_SERIES_FILE, rows.getvalue().encode())
        rows = io.StringIO()
        write_types(summary, rows)
        write_whole(folder / TYPES_FILE, rows.getvalue().encode())
        rows = io.StringIO()
        write_resources(record, rows)
        write_whole(folder / RESOURCES_FILE, rows.getvalue().encode())
    if junit is not None:
        write_whole(_with_its_folder(Path(junit)), junit_xml(record, summary))


def write_html(record: RunRecord, summary: Summary, file: Path, history: History | None = None) -> None:
    """Write the HTML report; its history is read from the record where it is not at hand.

    Raises:
        StoreError: it could not be written, or the record not be read.
    """
    write_whole(file, html_report(record, summary, history).encode())


def _write_markdown(record: RunRecord, summary: Summary, history: History, folder: Path) -> None:
    charts = overview(history, summary)
    files = {name: f"{CHARTS_FOLDER}/{name}.svg" for name in charts}
    pictures = [(charts[name].title, file) for name, file in files.items()]
    said = delivery_sentences(summary, backdrop(history).faults)
    write_whole(folder / MARKDOWN_FILE, markdown_report(record, summary, pictures, said).encode())
    for name, file in files.items():
        write_whole(_with_its_folder(folder / file), svg_file(charts[name]).encode())


def _with_its_folder(file: Path) -> Path:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise store_failure(error, file.parent) from None
    return file
