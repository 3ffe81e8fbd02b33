"""Lines for machines: one JSON object for each interval, event, phase, sample and check, and for the verdict.

The rule: standard output holds these lines and nothing else, each whole. A reader that is too slow for them
loses the oldest of those that wait, at most `LINES_WAITING_MAX`, and sees by their numbers that it has.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from squall.live.base import LiveView
from squall.live.line_document import (
    CheckLine,
    EventLine,
    IntervalLine,
    Line,
    LineConnections,
    LineDelivery,
    LineErrors,
    LineLatency,
    LineRates,
    LineTimes,
    PhaseLine,
    ResourcesLine,
    RunLine,
    VerdictLine,
)
from squall.live.outlet import Outlet, stream_apart
from squall.live.picture import Picture, Scene, Times
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict

__all__ = ["LINES_WAITING_MAX", "JsonView", "interval_line"]

LINES_WAITING_MAX: Final = 1_000


class JsonView(LiveView):
    """Writes the lines to a stream, in a thread of its own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, let_go = stream_apart(stream)
        self._outlet: Outlet[Line] = Outlet(self._write, let_go, limit=LINES_WAITING_MAX)
        self._scene = Scene()
        self._folder = ""
        self._lines = 0

    def begin_run(self, header: RunHeader, folder: Path, totals: Totals) -> None:  # noqa: ARG002 - the view's form
        """The first line."""
        self._folder = str(folder)
        self._outlet.offer(
            RunLine(
                line=self._number(),
                format_version=header.format_version,
                run_id=header.run_id,
                name=header.name,
                target=_entry_points(header.scenario),
                squall_version=header.squall_version,
                seed=header.seed,
                started_wall_ns=header.started_wall_ns,
                folder=self._folder,
                plan=header.plan,
            )
        )

    def begin_phase(self, phase: Phase, duration_s: float | None = None) -> None:
        """A line, and the lines of intervals name the phase from its start on."""
        self._scene.begin_phase(phase, duration_s)
        self._outlet.offer(
            PhaseLine(
                line=self._number(),
                at_s=phase.start_ns / 1e9,
                phase=phase.name,
                phase_kind=phase.kind,
                duration_s=duration_s,
                level_start=phase.level_start,
                level_end=phase.level_end,
                words=phase.words,
            )
        )

    def accept(self, interval: Interval) -> None:
        """A line, and one for each event that came with it."""
        self._scene.accept(interval)
        for each in interval.events:
            self._event(each)
        self._outlet.offer(interval_line(self._scene.picture(), self._number()))

    def happened(self, event: Event) -> None:
        """A line."""
        self._event(event)

    def sampled(self, sample: ResourceSample) -> None:
        """A line."""
        self._outlet.offer(ResourcesLine(line=self._number(), at_s=sample.at_ns / 1e9, sample=sample))

    def checked(self, check: StabilityCheck) -> None:
        """A line."""
        self._outlet.offer(CheckLine(line=self._number(), passed=check.passed, check=check))

    def concluded(self, verdict: Verdict) -> None:
        """The last line."""
        self._outlet.offer(
            VerdictLine(
                line=self._number(),
                outcome=verdict.outcome,
                valid=verdict.validity.valid,
                exit_code=verdict.exit_code,
                reasons=list(verdict.reasons),
                stopped_by=verdict.stopped_by,
                judgements=list(verdict.judgements),
                folder=self._folder,
            )
        )

    def finish(self) -> None:
        """Write what waits, if that is read."""
        self._outlet.close()

    def _event(self, event: Event) -> None:
        self._outlet.offer(
            EventLine(
                line=self._number(),
                at_s=event.at_ns / 1e9,
                event=event.kind,
                text=event.text,
                name=event.name,
                figure=event.figure,
                bound=event.bound,
            )
        )

    def _number(self) -> int:
        self._lines += 1
        return self._lines

    def _write(self, line: Line) -> None:
        # Encoded here, beside the loop that carries the run.
        self._stream.write(f"{msgspec.json.encode(line).decode()}\n")
        self._stream.flush()


def interval_line(picture: Picture, number: int) -> IntervalLine:
    """A picture as the line with this number."""
    delivery = picture.delivery
    return IntervalLine(
        line=number,
        at_s=picture.at_ns / 1e9,
        phase=picture.phase,
        connections=LineConnections(
            held=picture.held,
            planned=picture.planned,
            pending=picture.pending,
            attempted=picture.attempted,
            established=picture.established,
            failed=picture.connects_failed,
            closed=picture.closed,
            dropped=picture.dropped,
        ),
        rates=LineRates(
            connects=picture.connects_hz,
            sent=picture.sent_hz,
            delivered=picture.delivered_hz,
            pushed=picture.pushed_hz,
        ),
        latency_ms=LineLatency(
            response=_times(picture.response),
            service=_times(picture.service),
            lag=_times(picture.lag),
            ping=_times(picture.ping),
        ),
        delivery=LineDelivery(**{name: getattr(delivery, name) for name in LineDelivery.__struct_fields__}),
        errors=[
            LineErrors(step=found.step, kind=found.kind, blame=found.blame, count=count)
            for found, count in picture.troubles
        ],
        errors_total=picture.errors,
        blocked=picture.blocked,
        loop_lag_max_ms=picture.loop_lag_max_ms,
    )


def _times(times: Times) -> LineTimes:
    return LineTimes(p50=times.p50_ms, p95=times.p95_ms, p99=times.p99_ms, max=times.max_ms)


def _entry_points(scenario: dict[str, Any]) -> list[str]:
    """The target's URLs, as the record has them: redacted."""
    return [str(url) for url in scenario.get("target", {}).get("url", ())]
