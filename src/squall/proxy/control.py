"""The proxy's control over HTTP: look at the faults, change them while it runs, read its log.

    GET    /faults          the list, and how each is
    PUT    /faults          this list and no other
    POST   /faults          one more
    DELETE /faults/NAME     without this one
    GET    /log?after=N     entries behind number N, as lines of JSON
    GET    /healthz         how the proxy is

What is refused changes nothing, and is answered 400 with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote

from squall.errors import ScenarioError
from squall.http_server import Answer, Request
from squall.scenario.faults import read_fault, read_faults

if TYPE_CHECKING:
    from squall.proxy.server import Proxy
    from squall.proxy.table import FaultTable

__all__ = ["LOG_ENTRIES_MAX", "Control"]

LOG_ENTRIES_MAX: Final = 10_000
"""Entries in one answer."""

_JSON: Final = "application/json"
_LINES: Final = "application/x-ndjson"
_FAULTS: Final = "/faults"


class Control:
    """Answers requests about a proxy."""

    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    def answer(self, request: Request) -> Answer:
        """To one request."""
        try:
            return self._answer(request)
        except ScenarioError as error:
            problem = {"error": error.message, "hint": error.hint}
            return _as_json(problem, HTTPStatus.BAD_REQUEST)

    def _answer(self, request: Request) -> Answer:
        looks = request.method in ("GET", "HEAD")
        if request.path == _FAULTS:
            return self._faults(request)
        if request.path.startswith(f"{_FAULTS}/"):
            if request.method != "DELETE":
                return _not_allowed("DELETE")
            name = unquote(request.path.removeprefix(f"{_FAULTS}/"))
            return self._changed(lambda table, now_ns: table.remove(name, now_ns))
        if request.path == "/log":
            return self._log(request) if looks else _not_allowed("GET, HEAD")
        if request.path == "/healthz":
            return _as_json(self._health()) if looks else _not_allowed("GET, HEAD")
        here = {"error": "not found", "hint": "here are /faults, /faults/NAME, /log and /healthz"}
        return _as_json(here, HTTPStatus.NOT_FOUND)

    def _faults(self, request: Request) -> Answer:
        if request.method == "PUT":
            faults = read_faults(_read(request.body))
            return self._changed(lambda table, now_ns: table.replace(faults, now_ns))
        if request.method == "POST":
            fault = read_fault(_read(request.body))
            return self._changed(lambda table, now_ns: table.add(fault, now_ns))
        if request.method in ("GET", "HEAD"):
            return _as_json(self._list())
        return _not_allowed("GET, HEAD, PUT, POST")

    def _changed(self, how: Callable[[FaultTable, int], None]) -> Answer:
        self._proxy.change(how)
        return _as_json(self._list())

    def _list(self) -> dict[str, Any]:
        placed = self._proxy.hub.table.placed
        return {
            "faults": [each.fault.model_dump(mode="json", by_alias=True) for each in placed],
            "state": {each.name: {"is_on": each.is_on, "struck": each.struck} for each in placed},
        }

    def _log(self, request: Request) -> Answer:
        after = parse_qs(request.query).get("after", ["0"])[-1]
        if not after.isdecimal():
            raise ScenarioError("after is the number of an entry", hint="as in /log?after=100")
        first, lines = self._proxy.hub.log.after(int(after), LOG_ENTRIES_MAX)
        headers = {"X-Squall-First": str(first), "X-Squall-Last": str(first + len(lines) - 1)}
        return Answer(b"".join(lines), _LINES, headers=headers)

    def _health(self) -> dict[str, Any]:
        proxy = self._proxy
        hub = proxy.hub
        return {
            "status": "degraded" if hub.log.unwritten or proxy.bugs else "ok",
            "connections": len(proxy.connections),
            "connections_max": proxy.connections_max,
            "taken": proxy.taken,
            "refused": proxy.refused,
            "bugs": proxy.bugs,
            "held_bytes": hub.room.used,
            "log_entries": hub.log.count,
            "log_unwritten": hub.log.unwritten,
            "log_problem": hub.log.problem,
            "faults_on": [each.name for each in hub.table.placed if each.is_on],
        }


def _read(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        raise ScenarioError(
            "the body is no JSON", hint='as in {"kind": "drop", "probability": 0.01}'
        ) from None


def _not_allowed(allowed: str) -> Answer:
    return Answer(b"method not allowed\n", status=HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": allowed})


def _as_json(content: object, status: HTTPStatus = HTTPStatus.OK) -> Answer:
    return Answer(json.dumps(content).encode() + b"\n", _JSON, status)
