"""The service's wire log as the oracle reads it: every message in and every frame out, in the service's order.

One file a node, `node-<index>.jsonl`, one JSON object a line; its format stands in docs/reference/wire-log.md. A line that
a killed service left torn, at the end, is left out. What the payloads mean is not known here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Record", "read_wire_log"]


@dataclass(frozen=True, slots=True)
class Record:
    """One line. `conn` counts the connections of its node; `path` stands with "open" only, `code` with "closed"."""

    n: int
    at_ns: int
    node: int
    conn: int
    what: str
    op: str
    payload: bytes
    path: str = ""
    code: int | None = None

    @property
    def connection(self) -> tuple[int, int]:
        """The connection among those of all nodes."""
        return self.node, self.conn


def read_wire_log(folder: Path) -> list[Record]:
    """The records of all nodes, in the order of their times; those of one node keep their own order."""
    files = sorted(folder.glob("node-*.jsonl"))
    if not files:
        raise ValueError(f"{folder} holds no wire log")
    records = [record for file in files for record in _read_file(file)]
    return sorted(records, key=lambda each: (each.at_ns, each.node, each.n))


def _read_file(file: Path) -> list[Record]:
    node = int(file.stem.removeprefix("node-"))
    lines = file.read_bytes().split(b"\n")
    whole = lines[:-1]  # behind the last newline there is nothing, or a torn line
    return [_record(node, json.loads(line)) for line in whole]


def _record(node: int, found: dict[str, object]) -> Record:
    code = found.get("code")
    return Record(
        n=int(str(found["n"])),
        at_ns=int(str(found["at_ns"])),
        node=node,
        conn=int(str(found["conn"])),
        what=str(found["what"]),
        op=str(found.get("op", "")),
        payload=bytes.fromhex(str(found.get("hex", ""))),
        path=str(found.get("path", "")),
        code=None if code is None else int(str(code)),
    )
