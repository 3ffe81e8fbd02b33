"""A run to make assertions about: its record and its summary, read from its folder."""

from __future__ import annotations

from pathlib import Path

import msgspec

from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.wording import notes, verdict_sentence
from squall.runner.rereading import summary_of
from squall.store.reader import open_run

__all__ = ["Run", "read_run"]


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run, also one that was killed: then the record has no verdict, and ends where it was."""

    folder: Path
    record: RunRecord
    summary: Summary

    @property
    def sentences(self) -> list[str]:
        """The verdict in a sentence, and what must be known to read the figures right."""
        return [verdict_sentence(self.record, self.summary), *notes(self.record, self.summary)]


def read_run(folder: Path | str) -> Run:
    """Read a run folder.

    Raises:
        StoreError: there is none, it is none, or it may not be read.
        FormatError: it is of a format version that this squall does not know.
    """
    path = Path(folder)
    record = open_run(path)
    return Run(folder=path, record=record, summary=summary_of(record, path))
