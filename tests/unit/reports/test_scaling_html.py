"""The page of a scaling test: the verdict first, bounds beside figures, links that stay relative, nothing from elsewhere."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import msgspec
import pytest

from squall.metrics.scaling import ScalingResult, concluded
from squall.record.run import RunHeader
from squall.reports.scaling_html import scaling_html
from unit.reports.reported import HEADER
from unit.reports.test_html_report import Balanced
from unit.reports.test_scaling_report import RESULT, level

ASKED = msgspec.structs.replace(
    HEADER,
    command="squall scaling 'wss://host/?token=***'",
    scenario={"target": {"url": ["wss://host/?token=***"]}},
)
PAGES = {each.folder: f"{each.folder}/report.html" for each in RESULT.levels[:2]}


def page(result: ScalingResult = RESULT, header: RunHeader | None = ASKED, **more: Any) -> str:
    return scaling_html(result, header, **more)


def rows_of(text: str, caption: str) -> list[list[str]]:
    """The cells of the table with this caption."""
    (found,) = re.findall(rf"<caption>{caption}</caption>(.*?)</table>", text, re.DOTALL)
    rows = re.findall(r"<tr.*?>(.*?)</tr>", found, re.DOTALL)
    return [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row) for row in rows]


@pytest.mark.parametrize(
    "result",
    [RESULT, concluded([level(1000, 20, watched=False)]), concluded([], left_out=[1000])],
    ids=["failed", "one unwatched level", "no level"],
)
@pytest.mark.parametrize("header", [ASKED, None], ids=["", "without a record"])
def test_the_page_is_well_formed_and_stands_alone(result: ScalingResult, header: RunHeader | None) -> None:
    text = page(result, header)
    found = Balanced(text)
    assert len(found.ids) == len(set(found.ids))
    assert all(aim.startswith("#") and aim[1:] in found.ids for aim in found.points_to)
    assert not re.search(r"https?://|url\(|@import", text.replace("http://www.w3.org/2000/svg", ""))
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    hashes = [b64encode(sha256(script.encode()).digest()).decode() for script in scripts]
    assert policy.startswith("default-src 'none';")
    assert [f"'sha256-{each}'" for each in hashes] == re.findall(r"'sha256-[^']*'", policy)


def test_the_verdict_stands_first_and_what_was_left_out_below_it() -> None:
    text = page()
    assert text.index('<p class="verdict failed"') < text.index("<nav")
    assert "<strong>FAILED</strong>: at 5,000 connections failed: too slow | by far" in text
    assert "1,000, 2,500, 5,000 connections were held, one level after another." in text
    assert "<li>Not carried out: 10,000 connections.</li>" in text


def test_each_level_has_its_figures_beside_its_bounds() -> None:
    head, first, _, last = rows_of(page(), "Each level beside its bounds")
    assert len(head) == len(first) == len(last)
    assert dict(zip(head, first, strict=True)) == {
        "connections": "1,000",
        "held for": "1 min 0 s",
        "average latency": "20 ms ± 0.5 ms",
        "latency at most": "50 ms",
        "throughput": "1,000 msg/s",
        "throughput at least": "800 msg/s",
        "memory": "25 %",
        "memory below": "72 %",
        "CPU": "50 %",
        "CPU below": "53 %",
        "stability": "99.9 %",
        "stability above": "95 %",
        "bounds held": "all",
        "run valid": "yes",
    }
    assert last[-2] == "latency failed"
    assert "<li>At 5,000 connections: failed: too slow | by far</li>" in page()


def test_growth_is_told_with_its_interval_and_verdict() -> None:
    _, first, second = rows_of(page(), "How latency grew from level to level")
    assert (first[0], first[1], first[3], first[4]) == ("1,000 to 2,500", "+20.0%", "+4 ms", "passed")
    assert re.fullmatch(r"\+1\d\.\d% to \+2\d\.\d%", first[2])
    assert second[4] == "failed"


def test_the_runs_are_linked_by_relative_paths() -> None:
    text = page(pages=PAGES)
    assert '<a href="level-1000/report.html">1,000 connections</a>: passed' in text
    assert "5,000 connections: failed; no report of it was written into level-5000" in text
    hostile = msgspec.structs.replace(level(7, 20), folder='javascript:alert(1)"<b>')
    text = page(concluded([hostile]), pages={hostile.folder: hostile.folder})
    assert 'href="javascript%3Aalert%281%29%22%3Cb%3E"' in text
    assert "<b>" not in text


def test_the_script_has_the_points_of_every_chart() -> None:
    (encoded,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page())
    data = json.loads(encoded)
    latency = data["series"]["average, with its 95 % interval"]
    assert (data["axes"][latency["x"]], latency["y"]) == ([1000, 2500, 5000], [20, 24, 60])
    assert "h" not in latency  # not the end of its interval
    assert {"delivered", "expected at least", "memory, peak", "CPU below"} <= data["series"].keys()
    assert {*re.findall(r'data-series="([^"]*)"', page())} == data["series"].keys()


def test_it_says_how_it_was_measured() -> None:
    text = page()
    for words in (
        HEADER.squall_version,
        '<th scope="row">target</th>',
        "token=***",
        "Repeat it",
        "one level after another",
    ):
        assert words.lower() in text.lower()
    assert "Repeat it" not in page(header=None)


def test_a_level_whose_run_is_not_valid_is_named_and_an_unwatched_target_is_said() -> None:
    doubtful = msgspec.structs.replace(
        level(1000, 20, watched=False), valid=False, outcome="warning", exit_code=110
    )
    text = page(concluded([doubtful]))
    assert "At 1,000 connections squall itself may have been too late" in text
    assert "nothing was configured to watch it" in text
    assert rows_of(text, "Each level beside its bounds")[1][-1] == "no"


def test_an_average_without_an_interval_is_drawn_and_told_as_a_point() -> None:
    """So short that it has no two batches: its figure is known, and how sure it is not."""
    short = level(5, 20)
    short = msgspec.structs.replace(
        short, metrics=msgspec.structs.replace(short.metrics, average_latency_error=None)
    )
    text = page(concluded([short]))
    assert rows_of(text, "Each level beside its bounds")[1][2] == "20 ms"
    assert re.search(r"average, with its 95 % interval</th><td>20 ms</td><td>20 ms</td><td>5</td>", text)
    unmeasured = msgspec.structs.replace(
        short, performance=msgspec.structs.replace(short.performance, average_latency=None)
    )
    assert "not measured" in page(concluded([unmeasured]))
