"""How fast the delivery test can send on a machine that carries its service, too: the highest rate that is still valid."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from benchmarks.lab import Lab
from benchmarks.rows import CouldNotRun, Part, Row, judged
from benchmarks.squall_runs import USABLE_EXIT_CODES, trouble_of
from squall.metrics.totals import Totals
from squall.runner.rereading import totals_of
from squall.store.reader import open_run

__all__ = ["highest_valid"]

CONNECTIONS: Final = 10_000
LEAST_HZ: Final = 15_000
RATES_HZ: Final = (25_000, 22_500, 20_000, 17_500, 15_000, 12_500, 10_000)
RUN_MAX_S: Final = 180.0


def highest_valid(lab: Lab) -> Part:
    """10,000 connections, four types, all tracking, the bundled service: from a rate that is too high, downwards."""
    hold_s = lab.seconds(60, 20)
    refused: list[str] = []
    for rate_hz in RATES_HZ:
        command = _command(rate_hz, hold_s)
        totals, trouble = _carried_out(lab, command)
        if trouble:
            refused.append(f"- {rate_hz:,} msg/s: {trouble}")
            lab.say(refused[-1])
            continue
        messages = totals.messages()
        lab.say(f"{rate_hz:,} msg/s: valid, {messages.delivered:,} of {messages.sent:,} delivered")
        row = Row(
            what=f"highest rate of a valid delivery test, {CONNECTIONS:,} connections, the service on the same cores",
            measured=f"{rate_hz:,} msg/s ({messages.delivered:,} of {messages.sent:,} delivered)",
            bound=f"≥ {LEAST_HZ:,} msg/s",
            verdict=judged(rate_hz, LEAST_HZ, at_most=False),
        )
        notes = ["\n".join(["Rates at which it was not valid:", "", *refused])] if refused else []
        return Part(rows=[row], notes=notes, commands=[f"squall {' '.join(command)}"])
    raise CouldNotRun(f"no rate down to {RATES_HZ[-1]:,} msg/s at which it was valid; {refused[-1]}")


def _command(rate_hz: int, hold_s: float) -> list[str]:
    messages = round(rate_hz * hold_s / CONNECTIONS)
    return ["delivery", "-c", str(CONNECTIONS), "--messages", str(messages), "--duration", f"{hold_s:g}s"]


def _carried_out(lab: Lab, command: list[str]) -> tuple[Totals, str]:
    """What a run counted, and why it does not count; "" where it does."""
    folder = lab.fresh("delivery")
    whole = [sys.executable, "-m", "squall", *command, "--out", str(folder), "--progress", "none"]
    whole += ["--no-csv", "--no-markdown", "--no-html"]
    try:
        done = subprocess.run(whole, capture_output=True, text=True, check=False, timeout=RUN_MAX_S)
    except subprocess.TimeoutExpired:
        raise CouldNotRun(f"squall did not end within {RUN_MAX_S:.0f} s") from None
    if done.returncode not in USABLE_EXIT_CODES:
        raise CouldNotRun(f"squall ended with {done.returncode}: {done.stderr.strip()[-200:]}")
    record = open_run(folder)
    return totals_of(record), trouble_of(record.verdict)
