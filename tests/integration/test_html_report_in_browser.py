"""The HTML report in a browser: with its script and without, by mouse and by keyboard, wide, narrow and dark."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from browser import Page, a_page, needs_chromium
from made_runs import S, connections, messages, phase, second
from squall.metrics.history import History
from squall.metrics.summary import summarise
from squall.metrics.timeline import POINTS_MAX
from squall.metrics.totals import Totals
from squall.record.run import RunRecord
from squall.record.snapshots import Event, Interval
from squall.reports.html_report import html_report
from squall.reports.scaling_html import scaling_html
from unit.reports.reported import HEADER
from unit.reports.test_scaling_report import RESULT

pytestmark = [needs_chromium, pytest.mark.slow]

SECONDS = 300
HOSTILE = "</script><script>document.title = 'hacked'</script>"
PHASES = (
    phase(0, "ramp_up", "ramp_up", 0, 30),
    phase(1, "hold", "sustained", 30, 270),
    phase(2, "ramp_down", "ramp_down", 270, 300),
)
TIMES = 'figure.plot[data-x-unit="s"]'
LATENCY = "#latency-0"


def intervals() -> Iterator[Interval]:
    for index in range(SECONDS):
        response_ms = [800.0] * 20 if index == 150 else [5.0 + index % 7] * 20
        cells = [messages(20, response_ms=response_ms, phase=1), connections(phase=1, bytes_sent=index)]
        held = 0 if index == 100 else 100 if index < 270 else 300 - index
        yield second(index, *cells, held=held, planned=max(held, 100 if index < 270 else 0))


def written(folder: Path, points_max: int = POINTS_MAX) -> Path:
    """The report of the run, with as many points to a series at most."""
    totals = Totals(HEADER.populations, HEADER.types)
    for each in PHASES:
        totals.note(each)
    whole = tuple(intervals())
    for interval in whole:
        totals.add(interval)
    record = RunRecord(
        header=msgspec.structs.replace(HEADER, command=HOSTILE),
        phases=PHASES,
        intervals=whole,
        events=(Event(at_ns=151 * S, kind="alert", text=HOSTILE, name="latency", figure=800, bound=100),),
        verdict=None,
        complete=True,
    )
    file = folder / "report.html"
    summary = summarise(HEADER, PHASES, totals, None)
    file.write_text(html_report(record, summary, History.of(record, points_max)))
    return file


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report"))


@pytest.fixture(scope="module")
def merged_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That of the same run with a point for each eight seconds."""
    return written(tmp_path_factory.mktemp("merged"), 60)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with a_page(tmp_path_factory.mktemp("chromium")) as found:
        yield found


@pytest.fixture
def opened(page: Page, report: Path) -> Page:
    page.open(report.as_uri())
    return page


def value_of(page: Page, series: str, figure: str = LATENCY) -> str:
    """What stands in the legend beside the name of a series."""
    return str(
        page.run(
            f"[...document.querySelectorAll('{figure} .legend li')].find((li) => li.querySelector('label')"
            f".textContent.trim() === {series!r}).querySelector('.value').textContent"
        )
    )


def test_it_opens_without_a_complaint_and_asks_for_nothing(page: Page, report: Path) -> None:
    page.requests.clear()
    page.problems.clear()
    page.open(report.as_uri())
    assert page.run("document.documentElement.classList.contains('scripted')"), "its script is allowed to run"
    assert page.run("document.title") == "checkout – squall"
    assert page.problems == []
    assert page.requests == [report.as_uri()]


def test_one_cursor_stands_over_all_charts_of_time_with_the_figures_there(opened: Page) -> None:
    opened.mouse("mouseMoved", opened.point(f"{LATENCY} svg.chart", 151 / 300))
    assert value_of(opened, "max") == "800 ms"
    shown = opened.run(f"[...document.querySelectorAll('{TIMES} .cursor')].map((e) => e.getAttribute('x1'))")
    assert len(shown) > 3
    assert len(set(shown)) == 1
    assert value_of(opened, "held", "#connections-0") == "100"
    assert "at 2:31" in opened.run("document.querySelector('.bar output').textContent")


def test_a_dip_of_a_second_is_read_in_a_point_that_stands_for_several(
    page: Page, merged_report: Path
) -> None:
    page.open(merged_report.as_uri())
    page.run(f"window.squall.moveTo(document.querySelector('{LATENCY}'), 102)")
    assert value_of(page, "held", "#connections-0") == "87.5 (least 0, most 100)"
    assert value_of(page, "planned", "#connections-0") == "100"
    assert "(" not in value_of(page, "max"), "a percentile is that of all its seconds"
    page.run(f"window.squall.moveTo(document.querySelector('{LATENCY}'), 220)")
    assert value_of(page, "held", "#connections-0") == "100"


def test_the_text_of_a_mark_shows_under_the_pointer_and_the_cursor_does_not_hide_it(opened: Page) -> None:
    at = opened.point(f"{LATENCY} text.alert", 0.5)
    opened.mouse("mouseMoved", at)
    under = f"document.elementFromPoint({at[0]}, {at[1]})"
    assert opened.run(f"{under}.querySelector('title').textContent") == HOSTILE
    at = opened.point(f"{LATENCY} svg.chart", 0.25, 0.3)
    opened.mouse("mouseMoved", at)
    assert opened.run(f"document.elementFromPoint({at[0]}, {at[1]}).classList.contains('cursor')") is False


def test_a_stretch_that_is_drawn_is_zoomed_to_on_every_chart(opened: Page) -> None:
    start, end = opened.point(f"{LATENCY} svg.chart", 0.4), opened.point(f"{LATENCY} svg.chart", 0.6)
    opened.mouse("mouseMoved", start)
    opened.mouse("mousePressed", start, pressed=True)
    opened.mouse("mouseMoved", end, pressed=True)
    opened.mouse("mouseReleased", end)
    boxes = opened.run(
        f"[...document.querySelectorAll('{TIMES} svg.data')].map((e) => e.getAttribute('viewBox'))"
    )
    left, _, width, _ = map(float, boxes[0].split())
    assert (left, width) == (pytest.approx(400, abs=2), pytest.approx(200, abs=2))
    assert len({box.rpartition(" ")[0] for box in boxes}) == 1
    ticks = opened.run(f"[...document.querySelectorAll('{LATENCY} .tick')].map((e) => e.textContent)")
    assert "2:30" in ticks
    assert "0:00" not in ticks
    opened.run("[...document.querySelectorAll('.bar button')].at(-1).click()")
    assert opened.run(f"document.querySelector('{LATENCY} svg.data').getAttribute('viewBox')").startswith(
        "0 0 1000 "
    )


def test_a_series_can_be_hidden_and_shown_again(opened: Page) -> None:
    visible = f"document.querySelector('{LATENCY} g.series[data-line=\"0\"]').getAttribute('visibility')"
    switch = f"document.querySelector('{LATENCY} .legend input').click()"
    opened.run(switch)
    assert opened.run(visible) == "hidden"
    opened.run(switch)
    assert opened.run(visible) == "visible"


def test_the_keyboard_does_what_the_mouse_does_and_it_is_said_aloud(opened: Page) -> None:
    opened.run(f"document.querySelector('{LATENCY} svg.chart').focus()")
    opened.key("Home")
    opened.key("ArrowRight")
    heard = opened.run("document.getElementById('heard').textContent")
    assert heard.startswith("0:03.0: p50")
    assert " ms" in heard
    opened.key("+")
    assert opened.run("window.squall.state.to - window.squall.state.from") == 0.5
    opened.key("Escape")
    assert opened.run("window.squall.state.to - window.squall.state.from") == 1


def test_what_stands_out_leads_to_where_it_was(opened: Page) -> None:
    opened.run("document.querySelector('.moments li[data-from]').click()")
    start, end = opened.run("[window.squall.state.from * 300, window.squall.state.to * 300]")
    assert start < 150.5 < end
    assert end - start < 30


def test_what_stands_out_is_reached_by_keyboard(opened: Page) -> None:
    for key in ("Enter", " "):
        opened.run("window.squall.zoom(0, 1)")
        opened.run("document.querySelector('.moments li[data-from]').focus({preventScroll: true})")
        assert opened.run("document.activeElement.getAttribute('role')") == "button"
        before = opened.run("window.scrollY")
        opened.key(key)
        assert opened.run("window.squall.state.to - window.squall.state.from") < 0.2
        assert opened.run("window.scrollY") == before, "the page is not scrolled by the key"
        assert opened.run("document.getElementById('heard').textContent") != ""


def test_the_accessible_tree_names_every_chart(opened: Page) -> None:
    found = opened.run(
        "[...document.querySelectorAll('svg.chart')].map((e) => [e.getAttribute('role'),"
        " document.getElementById(e.getAttribute('aria-labelledby')).textContent,"
        " document.getElementById(e.getAttribute('aria-describedby')).textContent.length])"
    )
    assert found
    assert all(role == "application" and name and length > 40 for role, name, length in found)


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_is_wider_than_the_page(page: Page, report: Path, width: int, dark: bool) -> None:
    page.open(report.as_uri(), width=width, dark=dark)
    assert page.run("document.documentElement.scrollWidth") == width
    paper = page.run("getComputedStyle(document.body).backgroundColor")
    assert paper == ("rgb(18, 23, 31)" if dark else "rgb(255, 255, 255)")


def test_without_scripts_it_reads_the_same(page: Page, report: Path) -> None:
    page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open(report.as_uri())
        assert page.run("document.querySelectorAll('.bar, .moments [tabindex]').length") == 0
        assert page.run("document.querySelector('svg.chart').getAttribute('role')") == "img"
        words = page.run("document.body.innerText")
        assert "NO VERDICT" in words
        assert "Response time" in words
        assert page.run("document.querySelectorAll('figure.plot path').length") > 20
    finally:
        page.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_page_of_a_scaling_test_reads_its_charts_over_the_level(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "scaling-report.html"
    file.write_text(scaling_html(RESULT, HEADER))
    page.requests.clear()
    page.problems.clear()
    page.open(file.as_uri())
    page.mouse("mouseMoved", page.point(f"{LATENCY} svg.chart", 0.5))
    assert value_of(page, "average, with its 95 % interval") == "24 ms"
    assert value_of(page, "expected at most") == "50 ms"
    assert page.run("getComputedStyle(document.querySelector('.bar')).display") == "none", (
        "nothing to zoom into"
    )
    assert (page.problems, page.requests) == ([], [file.as_uri()])
