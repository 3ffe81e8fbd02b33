"""What the HTML report of an hour costs: to render, to keep, to open."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.lab import Lab
from benchmarks.rows import CouldNotRun, Part, Row, judged

__all__ = ["of_an_hour"]

RENDER_S, RENDER_MB, PAGE_MB, USABLE_S = 3.0, 300.0, 3.0, 1.0
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--dump-dom",
)
ROUNDS: Final = 3


def of_an_hour(lab: Lab) -> Part:
    """An hour at one-second grain, 10,000 msg/s, four message types, two nodes: through the real recorder."""
    folder = lab.fresh("hour")
    folder.mkdir()
    _hour(folder, "record")
    found = [_hour(folder, "render") for _ in range(ROUNDS)]
    took_s = median(each["s"] for each in found)
    peak_mb = max(each["mb"] for each in found)
    page_mb = (folder / "report.html").stat().st_size / 1e6
    rows = [
        _row("report of an hour: read, rendered, written", took_s, "s", RENDER_S),
        _row("report of an hour: memory of the process", peak_mb, "MB", RENDER_MB),
        _row("report of an hour: the file", page_mb, "MB", PAGE_MB),
        _opening(folder),
    ]
    lab.say("; ".join(f"{row.what} {row.measured}" for row in rows))
    note = (
        "The hour is made of a minute of random seconds, repeated, with four message types at two nodes, and two "
        "watched machines each 5 s. To open is the time that a headless Chromium needs to load the page, run its "
        f"script and print the document, less the same for an empty page; median of {ROUNDS}."
    )
    return Part(rows=rows, notes=[note], commands=["python -m benchmarks.report_hour FOLDER record|render"])


def _row(what: str, value: float, unit: str, bound: float) -> Row:
    return Row(
        what=what, measured=f"{value:.2f} {unit}", bound=f"≤ {bound:g} {unit}", verdict=judged(value, bound)
    )


def _hour(folder: Path, what: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.report_hour", str(folder), what],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise CouldNotRun(f"the hour could not be made: {done.stderr.strip()[-200:]}")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _opening(folder: Path) -> Row:
    what = "report of an hour: opened in Chromium"
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        return Row(what=what, measured="there is no Chromium here", verdict="not measured")
    empty = folder / "empty.html"
    empty.write_text("<!doctype html><title>empty</title>")
    took_s = [
        _dumped_s(browser, folder / "report.html", folder) - _dumped_s(browser, empty, folder)
        for _ in range(ROUNDS)
    ]
    return _row(what, median(took_s), "s", USABLE_S)


def _dumped_s(browser: str, page: Path, folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(
        [browser, *FLAGS, f"--user-data-dir={folder / 'profile'}", page.as_uri()],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
        timeout=60,
    )
    return time.perf_counter() - begun
