"""report.html: one file that opens anywhere, offline: the verdict first, every figure, all charts on one time axis.

The rule: it asks for nothing from elsewhere (its own policy forbids it), reads and prints without scripts, and
whatever a service or a user wrote stands in it as text alone. The live page has the same head, sections and script.
"""

from __future__ import annotations

from collections.abc import Mapping

from squall.metrics.history import History
from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.html_page import framed
from squall.reports.sections import SECTIONS, Story, fragments

__all__ = ["html_report", "page"]


def html_report(record: RunRecord, summary: Summary, history: History | None = None) -> str:
    """The report of a run as one HTML page; its history is read from the record where it is not at hand."""
    story = Story(record=record, summary=summary, history=History.of(record) if history is None else history)
    return page(record.header.name, fragments(story))


def page(
    title: str,
    parts: Mapping[str, str],
    *,
    more_script: str = "",
    more_style: str = "",
    connect: str = "'none'",
) -> str:
    """A page of these fragments.

    Args:
        title: of the run.
        parts: what `fragments` gave.
        more_script: for the live page: what else is to run.
        more_style: for the live page: how that looks.
        connect: whom the page may ask, as a content security policy says it.
    """
    return framed(
        title,
        parts["verdict"],
        [(ident, name, parts[ident]) for ident, (name, _) in SECTIONS.items()],
        parts["data"],
        more_script=more_script,
        more_style=more_style,
        connect=connect,
    )
