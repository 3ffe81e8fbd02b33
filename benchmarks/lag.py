"""Send lag (from when a message was due to when it was handed to the transport) and its price, by pacing window."""

from __future__ import annotations

from benchmarks.cost import MANY
from benchmarks.lab import Lab
from benchmarks.parties import c_echo_server, floor
from benchmarks.rows import Part, Row
from benchmarks.squall_runs import Load, run_squall

__all__ = ["by_window"]

WINDOWS_MS = (1.0, 0.5, 0.1)


def by_window(lab: Lab) -> Part:
    """10,000 connections × 1 message a second, at each window."""
    loads = [Load(connections=MANY, rate_hz=1, hold_s=lab.seconds(8, 4), window_ms=ms) for ms in WINDOWS_MS]
    return Part(
        rows=[_row(lab, load) for load in loads],
        notes=[
            "Send lag holds the wait for the window, half of it on average. The floor prints no greatest lag. "
            "One run each: the greatest lag is that of one worst moment, and differs from run to run."
        ],
        commands=[load.command() for load in loads],
    )


def _row(lab: Lab, load: Load) -> Row:
    with c_echo_server() as url:
        bare = floor(url, connections=MANY, rate_hz=MANY, hold_s=load.hold_s, window_ms=load.window_ms)
    with c_echo_server() as url:
        run = run_squall(lab, load, url)
    p50, p99, most = (_ms(ns) for ns in run.messages.lag.quantiles_ns(0.5, 0.99, 1.0))
    row = Row(
        what=f"send lag p50 / p99 / max, window {load.window_ms:g} ms",
        measured=f"{p50} / {p99} / {most} ms; {run.worker_cpu_us:.1f} µs CPU",
        floor=f"{bare['lag_p50_us'] / 1e3:.2f} / {bare['lag_p99_us'] / 1e3:.2f} ms; "
        f"{bare['cpu_us_per_round_trip']:.1f} µs CPU",
        ratio=f"{run.worker_cpu_us / bare['cpu_us_per_round_trip']:.2f} CPU",
        verdict="stated" + (f" ({run.trouble})" if run.trouble else ""),
    )
    lab.say(f"{row.what}: {row.measured}")
    return row


def _ms(duration_ns: int | None) -> str:
    return "not measured" if duration_ns is None else f"{duration_ns / 1e6:.2f}"
