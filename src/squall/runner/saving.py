"""`save_results`: the results of the Python API's operations as files, under an identity of their own.

    <run folder>/<test_id>/
        results.json      all of it, and which run it is of; `read_results` gives back what was saved
        results.csv       its figures in three columns: result, figure, value; empty where it was not measured.
                          Pictures, and whatever else takes several lines, stand in results.json alone
        report.html       the report of the run, once that is over

A folder holds one set of results: the same identity twice is refused, and so is one that leads elsewhere.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, get_args

import msgspec

from squall.errors import FormatError, PlanError, StoreError
from squall.record.run import FORMAT_VERSION, RunHeader
from squall.record.verdicts import Verdict
from squall.runner.performance_report import PerformanceReport
from squall.runner.phase_results import RampDownResult, RampUpResult, SustainedLoadResult
from squall.runner.reporting import HTML_FILE, write_html
from squall.runner.rereading import summary_of
from squall.store.folder import write_whole
from squall.store.log import store_failure
from squall.store.reader import open_run

__all__ = [
    "LoadTestResults",
    "ResultFormat",
    "SavedDocument",
    "SavedResults",
    "checked_formats",
    "checked_results",
    "checked_test_id",
    "default_test_id",
    "read_results",
    "save",
]

ResultFormat = Literal["json", "csv", "html_report"]

RESULTS_FILE: Final = "results.json"
TABLE_FILE: Final = "results.csv"
_FORMATS: Final[tuple[ResultFormat, ...]] = get_args(ResultFormat)
_TEST_ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")


class LoadTestResults(msgspec.Struct, frozen=True, kw_only=True):
    """What a load test came to, operation by operation; None was not carried out."""

    ramp_up: RampUpResult | None = None
    sustained_load: SustainedLoadResult | None = None
    ramp_down: RampDownResult | None = None
    performance_metrics: PerformanceReport | None = None


class SavedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """results.json: the results, and which run they are of. The verdict is null where the run was not over."""

    format_version: int
    test_id: str
    saved_wall_ns: int
    """Since the Unix epoch."""
    run_id: str
    name: str
    squall_version: str
    seed: int
    test_environment: str
    verdict: Verdict | None
    results: LoadTestResults


class SavedResults(msgspec.Struct, frozen=True, kw_only=True):
    """Where results were saved."""

    test_id: str
    folder: Path
    files: dict[ResultFormat, Path]
    """By format, in the order in which they were asked for."""


def default_test_id(wall_ns: int) -> str:
    """`websocket-load-test-<ms since the epoch>`."""
    return f"websocket-load-test-{wall_ns // 1_000_000}"


def checked_test_id(text: str) -> str:
    """The identity as it is, where it can be the name of a folder and of nothing else.

    Raises:
        PlanError: it cannot.
    """
    if not _TEST_ID.fullmatch(text):
        raise PlanError(
            f"test_id {text!r} cannot name a folder",
            hint="1 to 100 letters, digits, dashes, underscores and dots, no dot or dash first",
        )
    return text


def checked_formats(formats: Sequence[str]) -> tuple[ResultFormat, ...]:
    """The formats, each once.

    Raises:
        PlanError: one is not known, or there is none.
    """
    chosen = (formats,) if isinstance(formats, str) else tuple(formats)
    unknown = [each for each in chosen if each not in _FORMATS]
    if unknown or not chosen:
        asked = f"no format {unknown[0]!r}" if unknown else "no format is given"
        raise PlanError(asked, hint=f"there are {', '.join(_FORMATS)}")
    return tuple(each for each in _FORMATS if each in chosen)


def checked_results(results: LoadTestResults | Mapping[str, Any]) -> LoadTestResults:
    """The results as their type; a mapping has its fields as keys.

    Raises:
        PlanError: it has others, or something else as their values.
    """
    if isinstance(results, LoadTestResults):
        return results
    known = {field.name: field.type for field in msgspec.structs.fields(LoadTestResults)}
    for name, value in results.items():
        if name not in known:
            raise PlanError(f"results has no {name!r}", hint=f"there are {', '.join(known)}")
        if not isinstance(value, known[name]):
            raise PlanError(
                f"results[{name!r}] is a {type(value).__name__}, not what that operation returned"
            )
    return LoadTestResults(**results)


def save(
    results: LoadTestResults,
    formats: Sequence[ResultFormat],
    folder: Path,
    *,
    test_id: str,
    header: RunHeader,
    verdict: Verdict | None,
    wall_ns: int,
    run_folder: Path,
) -> SavedResults:
    """Write the files into `folder`/`test_id`, which is made.

    Raises:
        PlanError: the report is asked for, and the run in `run_folder` is not over.
        StoreError: results of that identity are there already, or cannot be written.
    """
    if "html_report" in formats and verdict is None:
        raise PlanError("html_report is the report of a run that is over", hint="a ramp down to 0 ends it")
    document = SavedDocument(
        format_version=FORMAT_VERSION,
        test_id=test_id,
        saved_wall_ns=wall_ns,
        run_id=header.run_id,
        name=header.name,
        squall_version=header.squall_version,
        seed=header.seed,
        test_environment=str(header.scenario.get("test_environment", "")),
        verdict=verdict,
        results=results,
    )
    place = _new_folder(folder / test_id)
    files: dict[ResultFormat, Path] = {}
    for each in formats:
        if each == "json":
            files[each] = place / RESULTS_FILE
            write_whole(files[each], msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
        elif each == "csv":
            files[each] = place / TABLE_FILE
            write_whole(files[each], _table(results).encode())
        else:
            files[each] = place / HTML_FILE
            record = open_run(run_folder)
            write_html(record, summary_of(record, run_folder), files[each])
    return SavedResults(test_id=test_id, folder=place, files=files)


def read_results(path: Path | str) -> SavedDocument:
    """What `save_results` wrote: the file, or its folder.

    Raises:
        StoreError: there is none, or it cannot be read.
        FormatError: another version of squall wrote it.
    """
    given = Path(path)
    file = given / RESULTS_FILE if given.is_dir() else given
    try:
        content = file.read_bytes()
    except OSError as error:
        raise store_failure(error, file) from None
    try:
        return msgspec.json.decode(content, type=SavedDocument)
    except msgspec.DecodeError as error:
        raise FormatError(f"{file} holds no results that this squall knows: {error}") from None


def _new_folder(folder: Path) -> Path:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        raise StoreError(f"{folder} is there already", hint="give another test_id") from None
    except OSError as error:
        raise store_failure(error, folder) from None
    return folder


def _table(results: LoadTestResults) -> str:
    file = io.StringIO()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(("result", "figure", "value"))
    for name, found in msgspec.to_builtins(results).items():
        if found is not None:
            rows.writerows((name, ".".join(path), value) for path, value in _leaves(found, ()))
    return file.getvalue()


def _leaves(found: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every figure with the way to it; places of a list are counted from 0. A text of several lines is none."""
    if isinstance(found, dict):
        for name, each in found.items():
            yield from _leaves(each, (*path, str(name)))
    elif isinstance(found, list | tuple):
        for number, each in enumerate(found):
            yield from _leaves(each, (*path, str(number)))
    elif not (isinstance(found, str) and "\n" in found):
        yield path, found
