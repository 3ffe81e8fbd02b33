"""report.html: one file that opens anywhere, offline: the verdict first, every figure, all charts on one time axis.

The rule: it asks for nothing from elsewhere (its own policy forbids it), reads and prints without scripts, and
whatever a service or a user wrote stands in it as text alone. Its one script is named by its hash, so no other
can run. The live page has the same head, sections and script.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from importlib.resources import files

from squall.charts.figure import FIGURE_CSS
from squall.metrics.history import History
from squall.metrics.summary_document import Summary
from squall.record.run import RunRecord
from squall.reports.markup import text
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
    script = asset("report.js")
    scripts = [each for each in (script, more_script) if each]
    allowed = " ".join(f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in scripts)
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; connect-src {connect};"
        " base-uri 'none'; form-action 'none'"
    )
    links = "".join(
        f'<li><a href="#s-{ident}">{text(name)}</a></li>'
        for ident, (name, _) in SECTIONS.items()
        if parts[ident]
    )
    body = "".join(f'<div class="part" id="s-{ident}">{parts[ident]}</div>' for ident in SECTIONS)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="squall"><title>{text(title)} – squall</title>'
        f"<style>{FIGURE_CSS}{asset('report.css')}{more_style}</style></head><body>"
        '<a class="skip" href="#main">To the report</a>'
        f'<header><h1>{text(title)}</h1><div class="part" id="s-verdict">{parts["verdict"]}</div>'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header><main id="main">{body}</main>'
        f'<script type="application/json" id="data">{parts["data"]}</script>'
        f"{''.join(f'<script>{each}</script>' for each in scripts)}</body></html>\n"
    )


@cache
def asset(name: str) -> str:
    """A file that lies beside this module, without what only its reader needs."""
    return files("squall.reports").joinpath("assets", name).read_text("utf-8").strip()
