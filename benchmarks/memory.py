"""Resident memory that a connection costs squall: all its processes at 10,000 connections, less those at ten.

The most at the end of any second of the hold, with traffic, after a ramp with traffic. What the kernel keeps for
a socket is not resident memory of anybody and is left out.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.cost import MANY
from benchmarks.lab import Lab
from benchmarks.parties import bundled_service, c_echo_server, floor, throwaway_certificate
from benchmarks.rows import CouldNotRun, Part, Row, judged
from benchmarks.squall_runs import Load, run_squall

__all__ = ["over_ten_million", "per_connection"]

FEW = 10
BOUND_KB, GOAL_KB = 18.0, 15.0
TLS_RAMP_S = 30.0
MESSAGES = 10_000_000
FLAT_MB = 1.0
"""What memory may grow by from the first million messages to the tenth: less than a byte a message."""


def per_connection(lab: Lab) -> Part:
    """For 128 bytes, 8 KiB and TLS."""
    small = Load(connections=MANY, rate_hz=1, hold_s=lab.seconds(8, 4))
    large = replace(small, payload="8KiB")
    rows = [_plain_row(lab, small)]
    commands = [small.command(), large.command()]
    with c_echo_server() as url:
        rows.append(_row(lab, large, url, "messages of 8 KiB, ws"))
    try:
        with _secure() as (url, authority):
            secure = replace(small, ca_file=authority, ramp_up_s=TLS_RAMP_S)
            commands.append(secure.command())
            rows.append(_row(lab, secure, url, "messages of 128 B, wss"))
    except CouldNotRun as missing:
        rows.append(Row(what="resident memory a connection, wss", verdict=f"not run: {missing}"))
    return Part(rows=rows, notes=[], commands=commands)


def over_ten_million(lab: Lab) -> Part:
    """Whether the account of messages takes more memory the more there were."""
    resident, clean = _fed(lab, "clean")
    grown_mb = (max(resident) - resident[0]) / 1e6
    flat = Row(
        what=f"memory over {clean['sent']:,} messages, from the first tenth on",
        measured=f"{grown_mb:+.2f} MB ({resident[0] / 1e6:.1f} MB after the first tenth)",
        bound=f"≤ {FLAT_MB:g} MB",
        verdict=judged(grown_mb, FLAT_MB),
    )
    resident, troubled = _fed(lab, "troubled")
    lost = troubled["sent"] - troubled["delivered"]
    held = Row(
        what=f"the same, where {lost:,} of them are lost for good",
        measured=f"{(max(resident) - resident[0]) / 1e6:+.2f} MB",
        verdict="stated",
    )
    note = (
        f"Without sockets: 10,000 streams, four types. Of the troubled {lost:,} were lost, {troubled['duplicated']:,} came"
        f" twice, {troubled['reordered']:,} late. A stream that waits for a message that never comes keeps when the later"
        " ones came, up to 4,096 of them (48 KiB): should it come after all, their wait is measured."
    )
    return Part(
        rows=[flat, held], notes=[note], commands=["python -m benchmarks.ten_million MESSAGES clean|troubled"]
    )


def _fed(lab: Lab, how: str) -> tuple[list[int], dict[str, int]]:
    messages = str(MESSAGES // (10 if lab.quick else 1))
    command = [sys.executable, "-m", "benchmarks.ten_million", messages, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1])
    if done.returncode:
        raise CouldNotRun(f"the messages could not be fed: {done.stderr.strip()[-200:]}")
    resident, counted = json.loads(done.stdout)
    return resident, counted


def _plain_row(lab: Lab, load: Load) -> Row:
    with c_echo_server() as url:
        many, few = (
            floor(url, connections=each, rate_hz=each, hold_s=1)["max_rss_kb"] for each in (MANY, FEW)
        )
        row = _row(lab, load, url, "messages of 128 B, ws", bound_kb=BOUND_KB, goal_kb=GOAL_KB)
    return replace(row, floor=f"{(many - few) * 1.024 / (MANY - FEW):.2f} KB")


def _row(
    lab: Lab, load: Load, url: str, work: str, *, bound_kb: float | None = None, goal_kb: float | None = None
) -> Row:
    base = run_squall(lab, replace(load, connections=FEW, ramp_up_s=1, hold_s=4), url).resident_bytes
    run = run_squall(lab, load, url)
    each_kb = (run.resident_bytes - base) / (MANY - FEW) / 1000
    row = Row(
        what=f"resident memory a connection, {work}",
        measured=f"{each_kb:.1f} KB ({run.resident_bytes / 1e6:.0f} MB, base {base / 1e6:.0f} MB)",
        bound="" if bound_kb is None else f"≤ {bound_kb:g} KB",
        goal="" if goal_kb is None else f"≤ {goal_kb:g} KB",
        verdict="stated" if bound_kb is None else judged(each_kb, bound_kb, goal_kb),
    )
    lab.say(f"{row.what}: {row.measured}" + (f"; {run.trouble}" if run.trouble else ""))
    if run.held_least < MANY:
        raise CouldNotRun(f"only {run.held_least:,} of {MANY:,} connections were held: {run.trouble}")
    return row


@contextmanager
def _secure() -> Iterator[tuple[str, Path]]:
    """The bundled service with TLS: its URL, and the authority to trust."""
    with tempfile.TemporaryDirectory() as folder:
        certificate, authority = throwaway_certificate(Path(folder))
        with bundled_service(certificate=certificate) as service:
            yield service.url, authority
