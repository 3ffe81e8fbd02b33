"""The run as CSV: `timeseries.csv`, a row a second, `types.csv`, a row a message type, `resources.csv`, a row a look.

Every figure of a row of the time series is the change in that second, except the levels (`planned`, `held`,
`blocked`, `generator_rss_mb`). An empty cell was not measured: a latency in a second without a response, a
processor time without the reading before. `response` counts from the intended send, `service` from the actual
one, `lag` is what lies between. `t_s` is the end of the second, since the start of the run.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TextIO

from squall.metrics.distribution import Distribution
from squall.metrics.phases import phase_at
from squall.metrics.resources import FIGURES_MAX
from squall.metrics.summary_document import Summary
from squall.record.resources import FIGURES, figures_of
from squall.record.run import RunRecord
from squall.record.snapshots import Interval, SparseHistogram, WorkerSample

__all__ = [
    "COLUMNS",
    "RESOURCE_COLUMNS",
    "TYPE_COLUMNS",
    "write_resources",
    "write_time_series",
    "write_types",
]

COLUMNS: Final = (
    "t_s",
    "wall_time",
    "phase",
    "complete",
    "planned",
    "held",
    "connects_attempted",
    "connected",
    "connects_failed",
    "dropped",
    "closed",
    "intended",
    "sent",
    "not_sent",
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "late",
    "recovered",
    "corrupted_body",
    "corrupted_header",
    "unexpected",
    "bytes_sent",
    "bytes_received",
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "response_max_ms",
    "service_p99_ms",
    "lag_p99_ms",
    "lag_max_ms",
    "errors",
    "blocked",
    "generator_cpu_cores",
    "generator_rss_mb",
    "loop_lag_max_ms",
    "silence_max_ms",
    "silence_start_s",
)

TYPE_COLUMNS: Final = (
    "type",
    "intended",
    "sent",
    "not_sent",
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "late",
    "recovered",
    "corrupted_body",
    "response_p50_ms",
    "response_p95_ms",
    "response_p99_ms",
    "response_max_ms",
)

RESOURCE_COLUMNS: Final = ("t_s", "wall_time", "source", "role", *FIGURES)
"""Those that every run has; sockets by state and figures of the user's own follow, by name."""

_NS: Final = 1_000_000_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MESSAGE_SUMS: Final = (
    "intended",
    "sent",
    "delivered",
    "lost",
    "unknown",
    "duplicated",
    "reordered",
    "late",
    "recovered",
    "corrupted_body",
)
_CONNECTION_SUMS: Final = {
    "connects_attempted": "attempted",
    "connected": "established",
    "connects_failed": "failed",
    "dropped": "dropped",
    "closed": "closed",
    "corrupted_header": "corrupted_header",
    "unexpected": "unexpected",
    "bytes_sent": "bytes_sent",
    "bytes_received": "bytes_received",
}

Cell = str | int | float | None


def write_time_series(record: RunRecord, file: TextIO) -> None:
    """Write one row for each interval of the record, as it is read."""
    rows = csv.DictWriter(file, COLUMNS, lineterminator="\n")
    rows.writeheader()
    before: Interval | None = None
    for interval in record.intervals:
        phase = phase_at(record.phases, interval.at_ns)
        row: dict[str, Cell] = {
            "t_s": _rounded(interval.at_ns / _NS),
            "wall_time": _wall_time(record.header.started_wall_ns + interval.at_ns),
            "phase": phase.name if phase is not None else "",
            "complete": int(interval.complete),
            "planned": interval.planned,
            "held": interval.held,
        }
        rows.writerow(row | _messages(interval) | _connections(interval) | _generator(interval, before))
        before = interval


def write_types(summary: Summary, file: TextIO) -> None:
    """Write one row for each message type, by name."""
    rows = csv.DictWriter(file, TYPE_COLUMNS, lineterminator="\n")
    rows.writeheader()
    for name, delivery in summary.delivery_by_type.items():
        response = summary.latency_by_type[name].response
        row: dict[str, Cell] = {column: getattr(delivery, column) for column in TYPE_COLUMNS[1:12]}
        quantiles = {"p50": response.p50, "p95": response.p95, "p99": response.p99, "max": response.max}
        rows.writerow(
            {"type": name} | row | {f"response_{key}_ms": value for key, value in quantiles.items()}
        )


def write_resources(record: RunRecord, file: TextIO) -> None:
    """Write one row for each look at a watched machine; what it could not measure is empty, and why is last."""
    names = dict.fromkeys(name for sample in record.resources for name in figures_of(sample))
    own = sorted(names.keys() - {*RESOURCE_COLUMNS, "problem"})[:FIGURES_MAX]
    columns = (*RESOURCE_COLUMNS, *own, "problem")
    rows = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
    rows.writeheader()
    for sample in record.resources:
        figures: dict[str, Cell] = {name: _rounded(value) for name, value in figures_of(sample).items()}
        row: dict[str, Cell] = {
            "t_s": _rounded(sample.at_ns / _NS),
            "wall_time": _wall_time(record.header.started_wall_ns + sample.at_ns),
            "source": sample.source,
            "role": sample.role,
            "problem": sample.problem,
        }
        rows.writerow(figures | row)


def _messages(interval: Interval) -> dict[str, Cell]:
    cells = interval.messages
    response = _merged(cell.response for cell in cells)
    service = _merged(cell.service for cell in cells)
    lag = _merged(cell.lag for cell in cells)
    sums: dict[str, Cell] = {name: sum(getattr(cell, name) for cell in cells) for name in _MESSAGE_SUMS}
    return sums | {
        "not_sent": sum(cell.intended - cell.sent for cell in cells),
        "response_p50_ms": _quantile_ms(response, 0.5),
        "response_p95_ms": _quantile_ms(response, 0.95),
        "response_p99_ms": _quantile_ms(response, 0.99),
        "response_max_ms": _quantile_ms(response, 1),
        "service_p99_ms": _quantile_ms(service, 0.99),
        "lag_p99_ms": _quantile_ms(lag, 0.99),
        "lag_max_ms": _quantile_ms(lag, 1),
    }


def _connections(interval: Interval) -> dict[str, Cell]:
    cells = interval.connections
    sums: dict[str, Cell] = {
        column: sum(getattr(cell, name) for cell in cells) for column, name in _CONNECTION_SUMS.items()
    }
    return sums | {"errors": sum(times for cell in cells for _, times in cell.troubles)}


def _generator(interval: Interval, before: Interval | None) -> dict[str, Cell]:
    workers = interval.workers
    if not workers:
        return {}
    longest = max(workers, key=lambda worker: worker.silence_ns)
    return {
        "blocked": sum(worker.blocked for worker in workers),
        "generator_cpu_cores": _cores(interval, before),
        "generator_rss_mb": _rounded(sum(worker.rss_bytes for worker in workers) / 1e6),
        "loop_lag_max_ms": _rounded(max(worker.loop_lag_max_ns for worker in workers) / 1e6),
        "silence_max_ms": _rounded(longest.silence_ns / 1e6),
        "silence_start_s": _rounded(longest.silence_start_ns / _NS),
    }


def _cores(interval: Interval, before: Interval | None) -> float | None:
    """Processor seconds a second of the workers that were read at both ends; None without such a worker."""
    if before is None or interval.at_ns <= before.at_ns:
        return None
    at_first = _by_worker(before.workers)
    both = [(at_first[each.worker], each) for each in interval.workers if each.worker in at_first]
    if not both:
        return None
    used_ns = sum(last.cpu_ns - first.cpu_ns for first, last in both)
    return _rounded(used_ns / (interval.at_ns - before.at_ns))


def _wall_time(wall_ns: int) -> str:
    return (_EPOCH + timedelta(microseconds=wall_ns // 1000)).isoformat(timespec="milliseconds")


def _by_worker(workers: Sequence[WorkerSample]) -> dict[int, WorkerSample]:
    return {each.worker: each for each in workers}


def _merged(histograms: Iterable[SparseHistogram | None]) -> Distribution:
    merged = Distribution()
    for histogram in histograms:
        if histogram is not None:
            merged.add(histogram)
    return merged


def _quantile_ms(distribution: Distribution, share: float) -> float | None:
    value_ns = distribution.quantile_ns(share)
    return None if value_ns is None else _rounded(value_ns / 1e6)


def _rounded(value: float) -> float:
    """To a millionth: a nanosecond of a millisecond."""
    return round(value, 6)
