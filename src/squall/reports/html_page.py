"""The frame of an HTML page of squall: one file that opens anywhere, offline, with its style and its script in it.

The rule: it asks for nothing from elsewhere, and its own policy forbids it. Its scripts are named by their hashes, so
no other can run. What stands in the page is its sections' to write and to escape; this knows none of them.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from importlib.resources import files

from squall.charts.figure import FIGURE_CSS
from squall.reports.markup import text

__all__ = ["asset", "framed"]


def framed(
    title: str,
    verdict: str,
    sections: Iterable[tuple[str, str, str]],
    data: str,
    *,
    more_script: str = "",
    more_style: str = "",
    connect: str = "'none'",
) -> str:
    """A page.

    Args:
        title: what it is about, as plain text.
        verdict: the fragment at its top.
        sections: id, title and fragment of each, in their order; an empty one has no entry among the links.
        data: the series of its charts, for the script (`squall.reports.markup.series_data`).
        more_script: what else is to run.
        more_style: how that looks.
        connect: whom the page may ask, as a content security policy says it.
    """
    script = asset("report.js")
    scripts = [each for each in (script, more_script) if each]
    allowed = " ".join(f"'sha256-{b64encode(sha256(each.encode()).digest()).decode()}'" for each in scripts)
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {allowed}; connect-src {connect};"
        " base-uri 'none'; form-action 'none'"
    )
    parts = list(sections)
    links = "".join(
        f'<li><a href="#s-{ident}">{text(name)}</a></li>' for ident, name, fragment in parts if fragment
    )
    body = "".join(f'<div class="part" id="s-{ident}">{fragment}</div>' for ident, _, fragment in parts)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="squall"><title>{text(title)} – squall</title>'
        f"<style>{FIGURE_CSS}{asset('report.css')}{more_style}</style></head><body>"
        '<a class="skip" href="#main">To the report</a>'
        f'<header><h1>{text(title)}</h1><div class="part" id="s-verdict">{verdict}</div>'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav></header><main id="main">{body}</main>'
        f'<script type="application/json" id="data">{data}</script>'
        f"{''.join(f'<script>{each}</script>' for each in scripts)}</body></html>\n"
    )


@cache
def asset(name: str) -> str:
    """A file that lies beside this module, without what only its reader needs."""
    return files("squall.reports").joinpath("assets", name).read_text("utf-8").strip()
