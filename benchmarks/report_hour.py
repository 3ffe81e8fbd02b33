"""An hour recorded through the real recorder, and its report rendered: each in a process of its own, to be weighed.

`python -m benchmarks.report_hour FOLDER record|render` prints seconds and megabytes at the highest.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import msgspec
import numpy as np

from squall.metrics.buckets import BUCKETS, bucket_of, pack
from squall.metrics.summary import summarise
from squall.record.resources import ResourceSample
from squall.record.run import FORMAT_VERSION, Phase, RunHeader
from squall.record.snapshots import (
    ConnectionCell,
    Interval,
    MessageCell,
    Place,
    SparseHistogram,
    WorkerSample,
)
from squall.record.verdicts import Validity, Verdict
from squall.reports.json_report import summary_json
from squall.runner.reporting import write_html
from squall.runner.rereading import summary_of, totals_of
from squall.store.folder import write_whole
from squall.store.reader import open_run
from squall.store.writer import RunWriter

__all__ = ["main"]

SECONDS, MADE = 3600, 60
TYPES, PLACES, MESSAGES = 4, 2, 10_000
S = 1_000_000_000


def main() -> None:
    """Do what the arguments say, and print what it took."""
    folder, what = Path(sys.argv[1]), sys.argv[2]
    begun = time.perf_counter()
    if what == "record":
        record(folder)
    else:
        run = open_run(folder)
        write_html(run, summary_of(run, folder), folder / "report.html")
    took = {"s": time.perf_counter() - begun, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}
    print(json.dumps(took))


def record(folder: Path) -> None:
    """Record the hour, and write its summary as a run does."""
    header = RunHeader(
        format_version=FORMAT_VERSION,
        run_id="an-hour",
        name="an hour",
        squall_version="bench",
        started_wall_ns=1_769_869_530 * S,
        seed=1,
        run_number=1,
        scenario={},
        populations=["main"],
        types=[[f"type {number}" for number in range(TYPES)]],
        plan=["an hour"],
        environment={},
    )
    phase = Phase(
        id=0, name="hold", kind="sustained", start_ns=0, end_ns=None, level_start=MESSAGES, level_end=MESSAGES,
        words="held",
    )  # fmt: skip
    made = [second(index) for index in range(MADE)]
    with RunWriter(folder, header) as writer:
        writer.begin_phase(phase)
        for index in range(SECONDS):
            places = [Place("ws://lb/", f"node {place}") for place in range(PLACES)] if not index else []
            at_ns = (index + 1) * S
            writer.accept(
                msgspec.structs.replace(made[index % MADE], index=index, at_ns=at_ns, places=places)
            )
            if index % 5 == 4:
                for role in ("target", "host"):
                    writer.sampled(sample(at_ns, role))
        writer.end_phase(0, SECONDS * S)
        writer.finish(
            Verdict(outcome="passed", validity=Validity(valid=True), exit_code=0, reasons=(), judgements=())
        )
    run = open_run(folder)
    summary = summarise(run.header, run.phases, totals_of(run), run.verdict)
    write_whole(folder / "summary.json", summary_json(summary))


def second(index: int) -> Interval:
    """A second under load: log-normal service times around 1.5 ms, lags of some 400 µs."""
    rng = np.random.default_rng(index)
    each = MESSAGES // (TYPES * PLACES)
    messages = []
    for kind in range(TYPES):
        for place in range(PLACES):
            lag = rng.lognormal(np.log(4e5), 0.6, each)
            service = rng.lognormal(np.log(1.5e6), 0.7, each)
            messages.append(
                MessageCell(
                    population=0, phase=0, type=kind, place=place, intended=each, delivered=each,
                    response=histogram(service + lag), service=histogram(service), lag=histogram(lag),
                )
            )  # fmt: skip
    traffic = {
        "messages_sent": MESSAGES // 2,
        "messages_received": MESSAGES // 2,
        "bytes_sent": 64 * MESSAGES,
    }
    return Interval(
        index=index,
        at_ns=0,
        held=MESSAGES - index % 7,
        planned=MESSAGES,
        workers=[
            WorkerSample(
                worker=0, held=MESSAGES, cpu_ns=index * S, rss_bytes=150_000_000, silence_ns=9_000_000
            )
        ],
        messages=messages,
        connections=[
            ConnectionCell(population=0, phase=0, place=place, **traffic) for place in range(PLACES)
        ],
    )


def histogram(values_ns: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> SparseHistogram:
    """The histogram of measured values."""
    whole = values_ns.astype(np.int64)
    counts = np.zeros(BUCKETS, dtype=np.int64)
    np.add.at(counts, [bucket_of(int(value)) for value in whole], 1)
    return SparseHistogram(len(whole), int(whole.sum()), int(whole.min()), int(whole.max()), pack(counts))


def sample(at_ns: int, role: str) -> ResourceSample:
    """A look at a machine that is busy now and then."""
    return ResourceSample(
        at_ns=at_ns, source=role, role=role,  # type: ignore[arg-type]  # one of two roles
        cpu_share=0.5 + at_ns // S % 9 / 20, cpu_cores=1.0, memory_bytes=200_000_000 + at_ns // S * 1000,
        descriptors=10_000, threads=4, received_bytes_hz=1.3e6, sent_bytes_hz=1.3e6,
        tcp_states={"established": 10_000, "time_wait": 3},
    )  # fmt: skip


if __name__ == "__main__":
    main()
