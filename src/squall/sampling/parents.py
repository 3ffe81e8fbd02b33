"""Which process descends from which, remembered from look to look: to ask each one anew costs more than all else.

The rule: a process has the parent that it had as long as both are there; where its parent ended it is asked again,
as one that is new. Processes are told apart by the number of their folder in /proc, since their own are used again.
Elsewhere than on Linux each is asked each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import psutil

from squall.sampling.processes import ON_LINUX, Process, parent_of, read_process

__all__ = ["Parents"]


class _Known(NamedTuple):
    """`folder` and `parent_folder` name the process and its parent; None where the parent cannot be seen."""

    folder: int
    parent: int
    parent_folder: int | None

    def holds(self, folder: int, folders: Mapping[int, int]) -> bool:
        """Whether it is true still."""
        parent_folder = folders.get(self.parent)
        seen = parent_folder is not None or not self.parent  # one without a parent never gets any
        return seen and (folder, parent_folder) == (self.folder, self.parent_folder)


class Parents:
    """Remembers the parent of each process."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}

    def descendants(self, roots: Iterable[int]) -> list[Process]:
        """The processes of these numbers, and then all that descend from one of them by living parents."""
        children: dict[int, list[int]] = {}
        for pid, parent in self._now():
            children.setdefault(parent, []).append(pid)
        found: dict[int, Process] = {}
        waiting = list(roots)
        for pid in waiting:  # grows while it is gone through
            if pid in found:
                continue
            process = read_process(pid)
            if process is not None:
                found[pid] = process
                waiting += children.get(pid, ())
                continue
            # It has ended and is there only until its own parent hears of it: its children have another one.
            for child in children.pop(pid, ()):
                its_parent = self._ask(child)
                if its_parent is None:
                    continue
                children.setdefault(its_parent, []).append(child)
                if its_parent in found:
                    waiting.append(child)
        return list(found.values())

    def _ask(self, pid: int) -> int | None:
        """Its parent now, for this once."""
        self._known.pop(pid, None)
        return parent_of(pid)

    def _now(self) -> list[tuple[int, int]]:
        """Every process with its parent."""
        folders = _folders()
        known: dict[int, _Known] = {}
        for pid, folder in folders.items():
            before = self._known.get(pid)
            if before is not None and before.holds(folder, folders):
                known[pid] = before
            elif (parent := parent_of(pid)) is not None:
                known[pid] = _Known(folder, parent, folders.get(parent))
        self._known = known if ON_LINUX else {}
        return [(pid, each.parent) for pid, each in known.items()]


def _folders() -> dict[int, int]:
    """Every process with the number of its folder; elsewhere than on Linux they have none."""
    if not ON_LINUX:
        return dict.fromkeys(psutil.pids(), 0)
    with os.scandir("/proc") as entries:
        return {int(entry.name): entry.inode() for entry in entries if entry.name.isdecimal()}
