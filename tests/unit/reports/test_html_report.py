from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from squall.metrics.history import History
from squall.reports.html_page import asset
from squall.reports.html_report import html_report, page
from squall.reports.sections import SECTIONS
from unit.reports import reported
from unit.reports.reported import Run
from unit.reports.test_sections import every_run

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Balanced(HTMLParser):
    """Fails where an element is not closed; keeps ids, and what would ask for something from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.points_to: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        if "id" in found:
            self.ids.append(found["id"] or "")
        for name in ("src", "href", "data", "action", "xlink:href"):
            if name in found:
                self.points_to.append(found[name] or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.open.remove(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, tag
        assert self.open.pop() == tag


@every_run
def test_the_page_is_well_formed_and_stands_alone(make: Callable[[], Run]) -> None:
    text = html_report(*make())
    found = Balanced(text)
    assert len(found.ids) == len(set(found.ids))
    assert all(aim.startswith("#") and aim[1:] in found.ids for aim in found.points_to)
    name_of_svg = "http://www.w3.org/2000/svg"
    assert not re.search(r"https?://|url\(|@import", text.replace(name_of_svg, ""))


def test_its_policy_allows_its_own_script_alone() -> None:
    text = html_report(*reported.passed())
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    assert policy.startswith("default-src 'none';")
    assert [f"'sha256-{each}'" for each in hashes] == re.findall(r"'sha256-[^']*'", policy)
    assert "connect-src 'none'" in policy
    parts = dict.fromkeys(("verdict", *SECTIONS, "data"), "")
    live = page("x", parts, more_script="1", connect="'self'")
    assert live.count("'sha256-") == 2
    assert "connect-src 'self'" in live


def test_the_data_of_the_page_is_what_was_recorded() -> None:
    record, summary = reported.troubled()
    text = html_report(record, summary)
    (encoded,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    data = json.loads(encoded)
    intervals = list(record.intervals)
    held, sent = data["series"]["held"], data["series"]["sent"]
    assert data["axes"][held["x"]] == [interval.at_ns / 1e9 for interval in intervals]
    assert held["y"] == [interval.held for interval in intervals]
    assert sent["y"] == [sum(cell.sent for cell in interval.messages) for interval in intervals]
    greatest = data["series"]["response.max"]["y"]
    assert greatest == [
        max((cell.response.max_ns / 1e6 for cell in interval.messages if cell.response), default=None)
        for interval in intervals
    ]
    curve = data["series"]["curve:response"]["y"]
    assert curve[-1] == summary.latency.response.max


def test_a_history_at_hand_is_taken_as_it_is() -> None:
    record, summary = reported.passed()
    assert html_report(record, summary, History.of(record)) == html_report(record, summary)


@pytest.mark.parametrize("name", ["report.css", "report.js"])
def test_what_lies_beside_is_part_of_the_package(name: str) -> None:
    assert asset(name)
    assert "</script" not in asset(name)
