"""The live page: what changed since it was drawn, and no more drawing than it may cost."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

import msgspec
import pytest

from made_runs import check
from squall.live import live_page
from squall.live.live_page import FIGURES, LivePage, Order, shell
from squall.live.picture import Scene
from squall.metrics.summary import summarise
from squall.metrics.totals import Totals
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Interval
from squall.record.verdicts import Verdict
from squall.reports.sections import SECTIONS, Story, fragments


class Told:
    """A run as the loop knows it, and its page."""

    def __init__(self, header: RunHeader, phase: Phase, make_interval: Callable[..., Interval]) -> None:
        self.header = header
        self.totals = Totals(["main"], [["message"]])
        self.scene = Scene()
        self.page = LivePage()
        self._make = make_interval
        self._seconds = 0
        self.totals.note(phase)
        self.scene.begin_phase(phase, 60.0)
        self.page.history.begin_phase(phase)

    def second(self) -> None:
        interval = self._make(self._seconds)
        self._seconds += 1
        self.totals.add(interval)
        self.scene.accept(interval)
        self.page.history.accept(interval)

    def drawn(self, verdict: Verdict | None = None) -> dict[str, str]:
        phases = tuple(self.totals.phases.values())
        summary = summarise(self.header, phases, self.totals, verdict)
        return self.page.changed(
            Order(header=self.header, picture=self.scene.picture(), summary=summary, verdict=verdict)
        )


@pytest.fixture
def told(header: RunHeader, make_phase: Callable[..., Phase], make_interval: Callable[..., Interval]) -> Told:
    made = Told(header, make_phase(), make_interval)
    made.second()
    return made


def test_first_everything_is_new_and_then_what_changed(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "CHARTS_SHARE", 1e9)
    first = told.drawn()
    assert set(first) == {"now", "verdict", "data", *SECTIONS}
    assert "RUNNING" in first["verdict"]
    assert "<svg" in first["connections"]
    told.scene.picture()
    told.second()
    later = told.drawn()
    assert {"now", "connections", "messages", "data"} <= set(later)
    assert "environment" not in later


def test_charts_wait_until_they_may_be_drawn_again(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "CHARTS_SHARE", 1e-9)
    told.drawn()
    told.second()
    later = told.drawn()
    assert "now" in later
    assert set(later) <= {"now", *FIGURES}


def test_the_table_of_checks_is_drawn_when_one_came(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page, "CHARTS_SHARE", 1e-9)
    asked: list[bool] = []

    def spied(story: Story, only: Collection[str] | None = None) -> dict[str, str]:
        asked.append(only is None or "stability" in only)
        return fragments(story, only)

    monkeypatch.setattr(live_page, "fragments", spied)
    told.page.history.checked(check())
    parts = [told.drawn()]
    for index in range(4):
        told.second()
        if index == 2:
            told.page.history.checked(check(index=1))
        parts.append(told.drawn())
    assert asked == [True, True, False, True, False]
    assert "1 of 1 checks passed" in parts[0]["stability"]
    assert "2 of 2 checks passed" in parts[3]["stability"]
    assert ["stability" in each for each in parts] == [True, False, False, True, False]


def test_the_end_is_drawn_whole_and_judged(
    told: Told, verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_page, "CHARTS_SHARE", 1e-9)
    told.drawn()
    told.second()
    last = told.drawn(verdict)
    assert last["now"] == ""
    assert "FAILED" in last["verdict"]
    assert "<svg" in last["connections"]
    assert "lost" in last["judged"]


def test_the_shell_has_the_parts_as_they_stand(told: Told) -> None:
    parts = told.drawn()
    page = shell("checkout", parts)
    assert parts["latency"] in page
    assert "<title>checkout – squall</title>" in page
    assert "connect-src 'self'" in page


def test_a_shell_without_parts_says_that_it_waits() -> None:
    page = shell("<b>", {})
    assert "the first second is not over yet" in page
    assert "<title>&lt;b&gt; – squall</title>" in page
    for ident in SECTIONS:
        assert f'<div class="part" id="s-{ident}"></div>' in page


def test_it_asks_for_nothing_from_elsewhere_and_shows_no_secret(told: Told) -> None:
    told.header = msgspec.structs.replace(told.header, command="squall run -H 'Key: ***'")
    page = shell("checkout", told.drawn())
    outside = set(re.findall(r"(?:https?:)?//[\w.-]+", page)) - {"http://www.w3.org", "//host"}
    assert outside == set()
