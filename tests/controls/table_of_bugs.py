"""Writes docs/reference/what-each-bug-does.md: what the oracle counts for each bug, in simulation.

    SQUALL_PURE=1 PYTHONPATH=tests python -m controls.table_of_bugs

With names of exchanges it prints their sections only: a test compares.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import fields
from pathlib import Path

from controls.cases import ALONE, EXCHANGES, Case
from controls.matrix_of_bugs import check, run
from controls.oracle import Counts

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "what-each-bug-does.md"
SEED = 1

HEAD = """\
# What each bug does to every counter

<!-- Written by `SQUALL_PURE=1 PYTHONPATH=tests python -m controls.table_of_bugs`; a test compares. -->

One fault shows in more than one figure: a delayed answer is late, and what is sent after it overtakes it, so it is
reordered too. These tables say which figures a fault of the service moves, and by how much. Each column is a run of some
seconds against the bundled service with one of its bugs (`squall serve --bug`), simulated, so that every time is exact.
What stands in it was counted by an oracle that shares no code with squall, from the service's log of every frame; squall's
own counts are the same, number by number.

The counters are those of [the definitions](definitions.md), under the names that they have in the record. A dot is zero.
How often a bug strikes is a share of the deliveries (`cut`: of the messages in; `refuse`: of the upgrades), and behind it
stand the seconds that one takes which lasts. Times, in the counters with `ns`, are given in milliseconds.
"""


def page() -> str:
    """The page, made anew."""
    return "\n".join([HEAD, *(section(name) for name in EXCHANGES)])


def section(exchange: str) -> str:
    """The table of one exchange: a column for the clean run and each bug, a row for each counter."""
    cases = [Case(exchange), *(case for case in ALONE if case.exchange == exchange)]
    columns = {" ".join(case.names) or "none": counted(case) for case in cases}
    often = [" ".join(case.bugs).partition(":")[2] for case in cases]
    names = [each.name for each in fields(Counts)] + ["failed", "dropped"]
    moved = [name for name in names if any(column[name] for column in columns.values())]
    unseen = EXCHANGES[exchange].unseen
    still = [name for name in names if name not in {*moved, *unseen}]
    lines = [
        f"## {EXCHANGES[exchange].title}",
        "",
        row("", list(columns)),
        "|---|" + "---:|" * len(columns),
        row("how often", often),
        *(row(f"`{name}`", [shown(name, column[name]) for column in columns.values()]) for name in moved),
        "",
        "Zero in all of them: " + ", ".join(f"`{name}`" for name in still) + ".",
        "",
    ]
    if unseen:
        words = "Not measured, since nobody sees what the service delivers: "
        lines += [words + ", ".join(f"`{name}`" for name in unseen) + ".", ""]
    return "\n".join(lines)


def row(head: str, cells: list[str]) -> str:
    return f"| {head} | " + " | ".join(cells) + " |"


def counted(case: Case) -> dict[str, int]:
    """What the oracle counts; that squall counts the same is checked on the way."""
    with tempfile.TemporaryDirectory() as folder:
        done, truth = run(case, Path(folder), seed=SEED)
        check(case, done, truth)
    held = done.run.summary.connections
    return {**vars(truth.total), "failed": held.failed or 0, "dropped": held.dropped or 0}


def shown(name: str, value: int) -> str:
    if not value:
        return "·"
    return f"{value / 1e6:,.1f}" if "_ns_" in name else f"{value:,}"


if __name__ == "__main__":
    if asked := sys.argv[1:]:
        sys.stdout.write("\n".join(section(name) for name in asked))
    else:
        PAGE.write_text(page())
