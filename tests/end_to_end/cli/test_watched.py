"""A run that is watched from outside while it lasts: by a browser, by a machine that reads lines, by a scraper."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from browser import Page, a_page, needs_chromium
from end_to_end.cli.calling import TIMEOUT_S, started
from exposition_reader import read_exposition

QUICK = ("--ramp-up", "500ms", "--ramp-down", "500ms")


def told(process: subprocess.Popen[str], what: str) -> str:
    """The URL that standard error tells of."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.match(rf"{what}: (\S+)", line):
            return found[1]
    pytest.fail(f"it ended without saying where the {what} is")


def until(page: Page, condition: str) -> None:
    """Wait for a page to be as a script says."""
    deadline = time.monotonic() + TIMEOUT_S
    while not page.run(condition):
        assert time.monotonic() < deadline, f"never: {condition}"
        select.select([], [], [], 0.05)


@needs_chromium
def test_the_live_page_follows_a_run_to_its_end(service_url: str, tmp_path: Path) -> None:
    arguments = ("echo", service_url, "--web", "-c", "20", *QUICK, "-d", "4s", "--linger", "5m")
    process = started(*arguments, "--out", "run", cwd=tmp_path)
    url = told(process, "live page")
    with a_page(tmp_path) as page:
        page.open(url)
        until(page, "document.querySelector('.tiles')?.textContent.includes('20 of 20')")
        until(page, "document.querySelectorAll('#s-connections figure.plot').length > 0")
        assert page.run("document.querySelector('.live').textContent") == "Live"
        assert "RUNNING" in page.run("document.querySelector('.verdict').textContent")
        stays_where_it_was(page)
        until(page, "document.querySelector('.live').textContent.includes('over')")
        verdict = page.run("document.querySelector('.verdict').textContent")
        assert re.match("PASSED|WARNING", verdict)
        assert page.run("document.querySelector('#s-now').textContent") == ""
        assert page.problems == []
        assert set(page.requests) == {url, f"{url}events"}
        page.open(url)
        assert page.run("document.querySelector('.verdict').textContent") == verdict
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode in (0, 110), out + err
    assert "run folder: " in out


def stays_where_it_was(page: Page) -> None:
    """The zoom, the focus and an open list live through the frames that replace what they are on."""
    page.run("squall.zoom(0.25, 0.75)")
    page.run("document.querySelector('#s-connections svg.chart').focus()")
    page.run("(window.first = document.querySelector('#s-connections figure'), null)")
    until(page, "!document.contains(window.first)")
    assert page.run("[squall.state.from, squall.state.to]") == [0.25, 0.75]
    assert page.run("document.activeElement.matches('#s-connections svg.chart')")


def test_lines_and_metrics_of_one_run_agree(service_url: str, tmp_path: Path) -> None:
    watching = ("--progress", "json", "--prometheus", "0", "--linger", "5m")
    arguments = ("echo", service_url, "-c", "20", *QUICK, "-d", "2s", *watching, "--out", "run")
    process = started(*arguments, cwd=tmp_path)
    url = told(process, "metrics")
    assert process.stdout is not None
    lines: list[dict[str, Any]] = []
    for text in process.stdout:
        lines.append(json.loads(text))
        if lines[-1]["kind"] == "verdict":
            break
    with urllib.request.urlopen(url) as answer:
        found = read_exposition(answer.read().decode())
    process.send_signal(signal.SIGTERM)
    rest, _ = process.communicate(timeout=TIMEOUT_S)
    summary = json.loads((tmp_path / "run" / "summary.json").read_bytes())
    assert rest == ""
    assert process.returncode == summary["verdict"]["exit_code"] == lines[-1]["exit_code"]
    assert [line["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert lines[0]["kind"] == "run"
    last = [line for line in lines if line["kind"] == "interval"][-1]
    for figure in ("sent", "delivered", "lost", "unknown"):
        counted = found[f"squall_ws_msgs_{figure}_total"].total()
        assert counted == last["delivery"][figure] == summary["delivery"][figure], figure
    assert last["connections"]["established"] == found["squall_ws_sessions_total"].total() == 20
    assert {line["phase"] for line in lines if line["kind"] == "phase"} == {"ramp_up", "hold", "ramp_down"}


def test_a_port_that_is_taken_ends_the_call_before_anything_begins(service_url: str, tmp_path: Path) -> None:
    port = service_url.rsplit(":", 1)[1].rstrip("/")
    process = started("echo", service_url, "--web", port, "--out", "run", cwd=tmp_path)
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 111
    assert f"the live page cannot listen on 127.0.0.1:{port}: " in err
    assert "hint: " in err
    assert out == ""
    assert not (tmp_path / "run").exists()
