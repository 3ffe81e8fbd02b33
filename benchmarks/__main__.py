"""What squall costs and carries, measured: `python -m benchmarks [names…] [--quick]`; `make bench` runs all.

One table at the end, printed and, of a whole and full bench, written to `docs/results/bench.md`. What cannot be
measured here says why. No bench starts that would not end within the time allowed. Everything that was started
is stopped, by Ctrl-C too; then the table has what was measured until then, and is only printed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import (
    acks,
    capacity,
    cost,
    delivery_rate,
    lag,
    machine,
    memory,
    micro,
    profiling,
    proxied,
    report,
    tools,
    tracking,
    watched_hour,
    watching,
)
from benchmarks.lab import Lab
from benchmarks.rows import CouldNotRun, Part, Row, table_markdown, table_text
from squall.engine.awake import KeptAwake
from squall.errors import SquallError

__all__ = ["main"]

RESULTS: Final = Path(__file__).parents[1] / "docs" / "results" / "bench.md"
ALLOWED_S: Final = 60 * 60
INTERRUPTED: Final = 105


@dataclass(frozen=True)
class Bench:
    """One bench: what it does, and how long that takes at most if nothing goes wrong."""

    run: Callable[[Lab], Part]
    takes_s: float


BENCHES: Final = {
    "cpu-many": Bench(cost.at_ten_thousand_connections, 200),
    "cpu-fast": Bench(cost.at_the_highest_rate, 400),
    "profile": Bench(profiling.distance, 80),
    "lag": Bench(lag.by_window, 100),
    "memory": Bench(memory.per_connection, 130),
    "ten-million": Bench(memory.over_ten_million, 90),
    "connect": Bench(capacity.connections_per_second, 50),
    "60k": Bench(capacity.sixty_thousand, 100),
    "tools": Bench(tools.others, 5),
    "steps": Bench(micro.hot_steps, 5),
    "proxy": Bench(proxied.at_five_thousand_connections, 300),
    "recording": Bench(micro.recording, 45),
    "acks": Bench(acks.over_plain_echo, 320),
    "tracking": Bench(tracking.cost_of_all, 420),
    "delivery-rate": Bench(delivery_rate.highest_valid, 400),
    "watching": Bench(watching.at_ten_thousand_connections, 60),
    "watched-hour": Bench(watched_hour.an_hour_later, 120),
    "report": Bench(report.of_an_hour, 60),
}


@dataclass
class Found:
    """What one bench came to."""

    name: str
    part: Part
    others_share: float
    """Of all cores, in use by others meanwhile."""
    took_s: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benches that are asked for; 0, or 105 after Ctrl-C."""
    parser = _parser()
    given = parser.parse_args(arguments)
    names = given.names or list(BENCHES)
    if unknown := [name for name in names if name not in BENCHES]:
        parser.error(f"there is no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    found: list[Found] = []
    interrupted = False
    # The floor must not meet sleepier processors than squall, which keeps them awake in its own runs.
    with KeptAwake() as awake, tempfile.TemporaryDirectory(prefix="squall-bench-") as folder:
        processors = awake.words
        _say(f"processors: {processors}")
        lab = Lab(folder=Path(folder), quick=given.quick, say=_say, ends_s=time.monotonic() + ALLOWED_S)
        try:
            _run_all(lab, names, found)
        except KeyboardInterrupt:
            interrupted = True
            _say("interrupted: everything that was started is stopped")
    rows = [row for each in found for row in each.part.rows]
    if rows:
        print(f"\n{table_text(rows)}\n")
    if interrupted:
        return INTERRUPTED
    if given.quick or given.names:
        _say(f"{RESULTS.name} is left as it is: it takes a whole and full bench")
    else:
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(_document(found, datetime.now(UTC), processors), encoding="utf-8")
        _say(f"written to {RESULTS.relative_to(RESULTS.parents[2])}")
    return 0


def _run_all(lab: Lab, names: Sequence[str], found: list[Found]) -> None:
    for name in names:
        bench = BENCHES[name]
        left_s = lab.ends_s - time.monotonic()
        _say(f"== {name}")
        others, bench_begun_s = machine.OthersMeter(), time.monotonic()
        if bench.takes_s > left_s:
            part = _not_run(
                name, f"{left_s:.0f} s of {ALLOWED_S} s are left, and it takes {bench.takes_s:.0f} s"
            )
        else:
            part = _part_of(lab, name, bench)
        found.append(Found(name, part, others.share(), time.monotonic() - bench_begun_s))
        _say(f"   {found[-1].took_s:.0f} s; others used {found[-1].others_share:.0%} of the cores")


def _part_of(lab: Lab, name: str, bench: Bench) -> Part:
    try:
        return bench.run(lab)
    except (CouldNotRun, SquallError, OSError) as reason:
        return _not_run(name, str(reason))


def _not_run(name: str, reason: str) -> Part:
    _say(f"{name}: not run: {reason}")
    return Part(rows=[Row(what=name, verdict=f"not run: {reason}")])


def _document(found: Sequence[Found], now: datetime, processors: str) -> str:
    """`docs/results/bench.md`."""
    rows = [row for each in found for row in each.part.rows]
    took_s = sum(each.took_s for each in found)
    busiest = max(each.others_share for each in found)
    lines = [
        "# What squall costs and carries",
        "",
        f"Written by `make bench` on {now:%Y-%m-%d %H:%M} UTC, in {took_s / 60:.0f} minutes. Others used "
        f"at most {busiest:.0%} of the cores during any bench. Figures of another machine, or of a busy one, differ; the "
        "ratios to the floor less than the rest.",
        "",
        *(f"- {fact}" for fact in machine.facts()),
        f"- processors: {processors}",
        "",
        "The *floor* is a bare C epoll client that sends on the same schedule and checks nothing "
        "(`benchmarks/floor/client.c`); both talk to the same C echo server. Figures with a spread are medians, the "
        "ratio that of the interleaved pairs; 128 bytes, binary, `ws://`, pacing window 1 ms where nothing else is "
        "said. KB and MB are powers of ten.",
        "",
        table_markdown(rows),
    ]
    for each in found:
        lines += [
            "",
            f"## {each.name}",
            "",
            f"{each.took_s:.0f} s; others used {each.others_share:.0%} before.",
        ]
        for note in each.part.notes:
            lines += ["", note]
        if each.part.commands:
            lines += ["", "```", *dict.fromkeys(each.part.commands), "```"]
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure what squall costs and carries."
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"only these: {', '.join(BENCHES)}")
    parser.add_argument("--quick", action="store_true", help="shorter and fewer runs, not to be quoted")
    return parser


def _say(line: str) -> None:
    print(line, flush=True)


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
