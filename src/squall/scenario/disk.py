"""The files that a scenario names: that they are there, can be read, and hold what it wants of them.

Looks at a scenario as plain data, before the models do, so that what is wrong with a file stands in the same
message as everything else. No message quotes a file's content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from squall.errors import ScenarioError
from squall.scenario.data import DataRows, columns, read_rows
from squall.scenario.exchanges import EXCHANGES
from squall.scenario.mistakes import Mistake, did_you_mean
from squall.scenario.mistakes import Path as SettingPath
from squall.scenario.templates import GENERATED, TEMPLATED, WRITTEN_OUT, columns_of, generated_in

__all__ = ["mistakes_on_disk", "rebased"]

_TLS_FILES = ("ca_file", "cert_file", "key_file")
_ROWS_SHOWN = 3


def rebased(tree: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The tree with each file that it names relative to a folder made absolute."""
    for holder, key, _ in _named_files(tree):
        holder[key] = str((folder / Path(holder[key]).expanduser()).absolute())
    return tree


def mistakes_on_disk(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """What is wrong with the files that a scenario names."""
    for holder, key, path in _named_files(tree):
        if key in _TLS_FILES:
            if (reason := _unreadable(holder[key])) is not None:
                yield Mistake(path, f"{holder[key]}: {reason}")
            continue
        if key == "check":
            file = holder[key].rpartition(":")[0]
            if (reason := _unreadable(file)) is not None:
                yield Mistake(path, f"{file}: {reason}")
            continue
        try:
            rows = read_rows(holder[key])
        except ScenarioError as error:
            yield Mistake(path, error.message.removeprefix("data file "))
        else:
            yield from _misfits(tree, path, rows)


def _misfits(tree: Mapping[str, Any], path: SettingPath, rows: DataRows) -> Iterator[Mistake]:
    """What the texts of a population want of its data, and do not get."""
    target = _mapping(tree.get("target"))
    population = tree["populations"][path[1]]
    in_headers = _in_values(target.get("headers")) | _in_values(population.get("headers"))
    urls = target.get("url")
    in_urls = {
        name for url in (urls if isinstance(urls, (list, tuple)) else ()) for name in _columns_of_query(url)
    }
    fills = _filled_by_exchange(population)
    for name in sorted(fills & set(rows.names)):
        yield Mistake(
            path, f"{name} is filled in by the exchange, and a column of the data, too; rename the column"
        )
    for name in sorted((in_headers | in_urls) - set(rows.names) - fills):
        close = did_you_mean(name, rows.names)
        yield Mistake(path, f"no column called {name}; its first line names {len(rows.names)} columns{close}")
    for place, names, generated in _templates(population, path[:2]):
        for name in sorted(names - set(rows.names) - fills):
            close = did_you_mean(name, (*rows.names, *GENERATED))
            yield Mistake(place, f"{{{name}}} is neither a column of the data nor made by squall{close}")
        for name in sorted(generated & set(rows.names)):
            yield Mistake(
                place, f"{{{name}}} is made by squall, and a column of the data, too; rename the column"
            )
    for misfit in rows.unfit_for_headers(in_headers)[:_ROWS_SHOWN]:
        yield Mistake(path, misfit)


def _templates(population: Any, path: SettingPath) -> Iterator[tuple[SettingPath, set[str], set[str]]]:
    """Where messages are written out, the columns named there, and the values that squall makes."""
    exchange, opening = _mapping(population.get("exchange")), population.get("opening")
    holders: list[tuple[SettingPath, dict[str, Any]]] = [((*path, "exchange"), exchange)]
    for place, step in enumerate(opening if isinstance(opening, (list, tuple)) else ()):
        holders.append(((*path, "opening", place), _mapping(step)))
    for at, holder in holders:
        for key in TEMPLATED:
            found: Any = holder.get(key)
            if key not in WRITTEN_OUT:
                found = [_mapping(each).get("equals") for each in found] if isinstance(found, list) else None
            yield (*at, key), columns_of(found), generated_in(found)


def _filled_by_exchange(population: Any) -> frozenset[str]:
    """The places that the exchange of a population fills in itself."""
    kind = _mapping(population.get("exchange")).get("kind")
    return EXCHANGES[kind].fills if kind in EXCHANGES else frozenset()


def _named_files(tree: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str, SettingPath]]:
    """The mapping and key that each file's name is at, and its path."""
    tls = _mapping(_mapping(tree.get("target")).get("tls"))
    for key in _TLS_FILES:
        if _is_name(tls.get(key)):
            yield tls, key, ("target", "tls", key)
    populations = tree.get("populations")
    for place, population in enumerate(populations if isinstance(populations, (list, tuple)) else ()):
        data = _mapping(_mapping(population).get("data"))
        if _is_name(data.get("file")):
            yield data, "file", ("populations", place, "data", "file")
        exchange = _mapping(_mapping(population).get("exchange"))
        if _is_file_with_function(exchange.get("check")):
            yield exchange, "check", ("populations", place, "exchange", "check")


def _unreadable(name: str) -> str | None:
    try:
        with Path(name).open("rb") as stream:
            stream.read(1)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value


def _is_file_with_function(value: Any) -> bool:
    """`checks.py:is_right`, rather than a module that Python finds."""
    return _is_name(value) and str(value).rpartition(":")[0].endswith(".py")


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _in_values(headers: Any) -> set[str]:
    return {name for value in _mapping(headers).values() if isinstance(value, str) for name in columns(value)}


def _columns_of_query(url: Any) -> set[str]:
    return columns(url.partition("?")[2]) if isinstance(url, str) else set()
