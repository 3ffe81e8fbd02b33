"""The HTML report of a series of runs: written when it is over, and again from its folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from squall.errors import StoreError
from squall.metrics.scaling import ScalingResult
from squall.record.run import RunHeader
from squall.reports.scaling_html import scaling_html
from squall.runner.reporting import HTML_FILE
from squall.store.folder import write_whole
from squall.store.log import store_failure
from squall.store.reader import read_header

__all__ = ["SCALING_FILE", "SCALING_HTML_FILE", "is_series", "report_series", "write_scaling_html"]

SCALING_FILE: Final = "scaling.json"
SCALING_HTML_FILE: Final = "scaling-report.html"
_WITHOUT_A_PAGE: Final = {"ordering.json": "an ordering test", "acks.json": "an acknowledgement test"}


def is_series(folder: Path) -> bool:
    """Whether a folder is that of a series of runs."""
    return any((folder / name).is_file() for name in (SCALING_FILE, *_WITHOUT_A_PAGE))


def report_series(folder: Path, out: Path | None = None) -> Path:
    """Write the report of a series again; by default into its folder. Returns the file.

    Raises:
        StoreError: it is a series that has no such report, its result cannot be read, or the report not be written.
    """
    for name, words in _WITHOUT_A_PAGE.items():
        if (folder / name).is_file():
            raise StoreError(
                f"{folder} is the folder of {words}, which has no page of its own",
                hint=f"{Path(name).with_suffix('.md')} there has its table; each of its runs has a page",
            )
    file = folder / SCALING_FILE
    try:
        result = msgspec.json.decode(file.read_bytes(), type=ScalingResult)
    except OSError as error:
        raise store_failure(error, file) from None
    except msgspec.DecodeError as error:
        raise StoreError(
            f"{file} cannot be read: {error}", hint="another version of squall may have written it"
        ) from None
    return write_scaling_html(result, folder, out)


def write_scaling_html(result: ScalingResult, folder: Path, file: Path | None = None) -> Path:
    """Write the report of a scaling test whose levels are in `folder`; by default beside them. Returns the file.

    Raises:
        StoreError: it could not be written.
    """
    headers = (_header(folder / each.folder) for each in result.levels)
    header = next((each for each in headers if each is not None), None)
    file = folder / SCALING_HTML_FILE if file is None else file
    pages = {each.folder: folder / each.folder / HTML_FILE for each in result.levels}
    there = {name: _towards(page, file) for name, page in pages.items() if page.is_file()}
    write_whole(file, scaling_html(result, header, there).encode())
    return file


def _towards(page: Path, file: Path) -> str:
    """Where a page is, from the place of a file."""
    return Path(os.path.relpath(page.resolve(), file.resolve().parent)).as_posix()


def _header(folder: Path) -> RunHeader | None:
    """What was known of a run before it; None where its folder is gone or cannot be read."""
    try:
        return read_header(folder)
    except StoreError:
        return None
