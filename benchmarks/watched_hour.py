"""What it costs the process that coordinates to be watched, an hour into a run of 10,000 msg/s, when charts are long."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from benchmarks.lab import Lab
from benchmarks.rows import CouldNotRun, Part, Row, judged

__all__ = ["an_hour_later"]

CORE_SHARE_MAX: Final = 0.05


def an_hour_later(lab: Lab) -> Part:
    """The record alone, and with the dashboard, the live page and the metrics, each looked at."""
    seconds = round(lab.seconds(40, 12))
    alone, watched = (_share(lab, what, seconds) for what in ("none", "all"))
    lab.say(
        f"an hour into a run: {alone:.2%} of a core for the record, {watched:.2%} with all that watches it"
    )
    row = Row(
        what="record, dashboard, live page with a viewer, scrapes: an hour into 10,000 msg/s",
        measured=f"{watched:.1%} of a core ({alone:.1%} the record alone)",
        bound=f"≤ {CORE_SHARE_MAX:.0%}",
        verdict=judged(watched, CORE_SHARE_MAX),
    )
    note = (
        "An hour of four message types and two nodes goes through the real recorder as fast as it can, then "
        f"{seconds} seconds, one a second. Their share includes the viewer's and the scraper's own reading."
    )
    return Part(
        rows=[row], notes=[note], commands=[f"python -m benchmarks.watching_hour FOLDER all {seconds}"]
    )


def _share(lab: Lab, what: str, seconds: int) -> float:
    folder = lab.fresh(f"hour-{what}")
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.watching_hour", str(folder), what, str(seconds)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    if done.returncode:
        raise CouldNotRun(f"the hour failed: {done.stderr.strip()[-200:]}")
    found = json.loads(done.stdout)
    if what == "all" and not found["frames"]:
        raise CouldNotRun("the live page sent its viewer no frame")
    return float(found["share"])
