"""Per-connection data: the rows of a CSV file, and the `{column}` places in headers and URL that they fill.

The rule: session `g` of a population takes row `g`, whichever worker holds it, so rows are partitioned
exactly; with `cycle` they start again after the last. A row's values are secrets (tokens, names): no message
and no `repr` shows one. `{{name}}` stands for a literal `{name}`; braces around anything else are literal.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from squall.errors import ScenarioError

__all__ = ["DataRows", "columns", "fill", "fill_url", "parse_rows", "pieces", "read_rows"]

_NAME = r"[A-Za-z_][A-Za-z0-9_.-]*"
_PLACE = re.compile(rf"\{{\{{(?P<literal>{_NAME})\}}\}}|\{{(?P<column>{_NAME})\}}")
_BAD_ROWS_SHOWN = 5


class DataRows:
    """The rows of one data file, in order."""

    def __init__(self, names: tuple[str, ...], rows: list[tuple[str, ...]], *, cycle: bool = False) -> None:
        self.names = names
        self.cycle = cycle
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __repr__(self) -> str:
        return f"<DataRows: {len(self._rows)} rows of {len(self.names)} columns>"

    def row_for(self, session_index: int) -> dict[str, str]:
        """The row of the session with this number (from 0) within its population, by column name.

        Raises:
            ScenarioError: there is no such row, and rows are not used in a cycle.
        """
        if not self.enough_for(session_index + 1):
            raise ScenarioError(
                f"session {session_index} has no row: the data file has {len(self)}",
                hint="add rows, or set data.cycle: true to use them again",
            )
        return dict(zip(self.names, self._rows[session_index % len(self)], strict=True))

    def enough_for(self, sessions: int) -> bool:
        """Whether each of so many sessions has a row: one of its own, or any at all with `cycle`."""
        return sessions <= len(self) or (self.cycle and len(self) > 0)

    def unfit_for_headers(self, names: set[str]) -> list[str]:
        """Where values of these columns cannot stand in a header: data row and column, never the value."""
        places = [(place, name) for place, name in enumerate(self.names) if name in names]
        return [
            f"row {number}, column {name}: a header takes printable ASCII only"
            for number, row in enumerate(self._rows, start=1)
            for place, name in places
            if not (row[place].isascii() and row[place].isprintable())
        ]


def columns(template: str) -> set[str]:
    """The names in the `{column}` places of a text."""
    return {match["column"] for match in _PLACE.finditer(template) if match["column"] is not None}


def pieces(template: str) -> list[tuple[str, str]]:
    """A text cut at its `{column}` places: what stands before each, and its name; last what is left, and "".

    Each `{{name}}` is the `{name}` that it stands for.
    """
    found: list[tuple[str, str]] = []
    before, at = "", 0
    for match in _PLACE.finditer(template):
        before += template[at : match.start()]
        at = match.end()
        if match["literal"] is not None:
            before += f"{{{match['literal']}}}"
        else:
            found.append((before, match["column"]))
            before = ""
    return [*found, (before + template[at:], "")]


def fill(template: str, row: Mapping[str, str]) -> str:
    """The text with each `{column}` replaced by the row's value, and each `{{name}}` by `{name}`.

    Where there is no data the row is empty.

    Raises:
        ScenarioError: the row has no such column.
    """
    return _PLACE.sub(lambda match: _value(match, row), template)


def fill_url(url: str, row: Mapping[str, str]) -> str:
    """A URL with the places in its query filled, each value percent-encoded whole.

    Raises:
        ScenarioError: the row has no such column.
    """
    address, mark, query = url.partition("?")
    filled = _PLACE.sub(lambda match: quote(_value(match, row), safe=""), query)
    return f"{address}{mark}{filled}"


def read_rows(file: str | Path, *, cycle: bool = False) -> DataRows:
    """The rows of a CSV file (UTF-8, comma-separated, its first line names the columns).

    Raises:
        ScenarioError: the file cannot be read, or is no such file; the message names lines, never values.
    """
    try:
        text = Path(file).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScenarioError(f"data file {file}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ScenarioError(f"data file {file}: byte {error.start} is not UTF-8") from None
    return parse_rows(text, shown_as=str(file), cycle=cycle)


def parse_rows(text: str, *, shown_as: str, cycle: bool = False) -> DataRows:
    """The rows of a CSV text; see `read_rows`. Lines that hold nothing are skipped.

    Raises:
        ScenarioError: as for `read_rows`; `shown_as` is what its message calls the file.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[tuple[str, ...]] = []
    uneven: list[int] = []
    names: tuple[str, ...] = ()
    try:
        for cells in reader:
            if not cells:
                continue
            if not names:
                names = tuple(cell.strip() for cell in cells)
            elif len(cells) == len(names):
                rows.append(tuple(cells))
            else:
                uneven.append(reader.line_num)
    except csv.Error as error:
        # The csv module's messages name characters and limits, never a cell's text.
        raise ScenarioError(f"data file {shown_as}: line {reader.line_num}: {error}") from None
    if mistake := _shape_mistake(names, rows, uneven):
        raise ScenarioError(f"data file {shown_as}: {mistake}")
    return DataRows(names, rows, cycle=cycle)


def _shape_mistake(names: tuple[str, ...], rows: list[tuple[str, ...]], uneven: list[int]) -> str | None:
    if not names:
        return "empty; its first line must name the columns"
    if twice := [place for place, name in enumerate(names, start=1) if Counter(names)[name] > 1]:
        # The first line may be data where a header was forgotten: its text is not shown.
        return (
            f"columns {', '.join(map(str, twice))} have the same name; the first line must name the columns"
        )
    if "" in names:
        return f"column {names.index('') + 1} has no name; the first line must name the columns"
    if uneven:
        lines = ", ".join(map(str, uneven[:_BAD_ROWS_SHOWN])) + (
            " …" if len(uneven) > _BAD_ROWS_SHOWN else ""
        )
        return f"not {len(names)} columns as in the first line: line {lines}"
    return None if rows else "no rows below its first line"


def _value(match: re.Match[str], row: Mapping[str, str]) -> str:
    if match["literal"] is not None:
        return f"{{{match['literal']}}}"
    try:
        return row[match["column"]]
    except KeyError:
        raise ScenarioError(f"{{{match['column']}}} names no column of this population's data") from None
