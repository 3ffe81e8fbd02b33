"""The watched machines in words and rows: target first, then squall itself, then the host.

Figures are those of the sustained phases, or of the whole run where there was none. A target that nobody was
asked to watch is *not measured*, and said so.
"""

from __future__ import annotations

from collections.abc import Iterator

from squall.metrics.summary_document import ResourceFigure, SourceSummary, Summary
from squall.reports.figures import NOT_MEASURED, count, megabytes, percent, plain, rate, significant
from squall.reports.wording import printable

__all__ = ["machine_lines", "machine_rows"]

_ORDER = ("target", "generator", "host")


def machine_lines(summary: Summary) -> list[str]:
    """A line or two for each source."""
    lines = [f"target: {NOT_MEASURED}; nothing was configured to watch it"] if _unwatched(summary) else []
    for name, source in _sources(summary):
        figures = source.sustained or source.run
        said = _said(figures)
        lines.append(f"{name}: {'; '.join(said) if said else NOT_MEASURED}")
        if source.problems:
            lines.append(
                f"{name}: {count(source.problems)} of {count(source.looks)} looks failed, the last: "
                f"{printable(source.last_problem or '')}"
            )
    return lines


def machine_rows(summary: Summary) -> list[tuple[str, str, str, str, str]]:
    """Source, figure, average, peak, looks: everything that was measured."""
    rows = [("target", "–", NOT_MEASURED, NOT_MEASURED, "0")] if _unwatched(summary) else []
    for name, source in _sources(summary):
        figures = source.sustained or source.run
        if not figures:
            rows.append((name, "–", NOT_MEASURED, NOT_MEASURED, "0"))
        for figure, found in figures.items():
            rows.append(
                (
                    name,
                    figure.removesuffix("_hz").replace("_", " "),
                    _shown(figure, found.average),
                    _shown(figure, found.peak),
                    count(found.looks),
                )
            )
    return rows


def _unwatched(summary: Summary) -> bool:
    return not any(source.role == "target" for source in summary.resources.values())


def _sources(summary: Summary) -> Iterator[tuple[str, SourceSummary]]:
    found = sorted(summary.resources.items(), key=lambda item: _ORDER.index(item[1].role))
    return ((printable(name), source) for name, source in found)


def _said(figures: dict[str, ResourceFigure]) -> list[str]:
    said = []
    if (cpu := figures.get("cpu_share")) is not None:
        said.append(f"processor {percent(cpu.average)} on average, {percent(cpu.peak)} at most")
    if (thread := figures.get("cpu_thread_max_cores")) is not None:
        said.append(f"busiest thread {_shown('cpu_thread_max_cores', thread.peak)} at most")
    if (throttled := figures.get("cpu_throttled_share")) is not None and throttled.peak:
        said.append(f"held back in {percent(throttled.average)} of its quota's periods")
    if (memory := figures.get("memory_share")) is not None:
        used = figures.get("memory_bytes")
        size = f", {megabytes(used.peak)}" if used is not None else ""
        said.append(f"memory {percent(memory.average)} on average, {percent(memory.peak)} at most{size}")
    if (overflows := figures.get("accept_overflows")) is not None and overflows.peak:
        said.append("accept queue overflowed")
    return said


def _shown(figure: str, value: float | None) -> str:
    if value is None:
        return NOT_MEASURED
    if figure.endswith("_share"):
        return percent(value)
    if figure.endswith("_cores"):
        return f"{significant(value)} cores"
    if figure.endswith("_bytes_hz"):
        return f"{megabytes(value)}/s"
    if figure.endswith("_bytes"):
        return megabytes(value)
    return rate(value) if figure.endswith("_hz") else plain(value)
