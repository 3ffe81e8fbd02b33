"""The top of the live page: the phase, the last second in figures, what is wrong just now. Pure; HTML of a picture."""

from __future__ import annotations

from collections.abc import Iterator

from squall.live.picture import Picture
from squall.live.words import clock, milliseconds, per_second, resource_words
from squall.reports.markup import text
from squall.units import format_count

__all__ = ["now"]


def now(picture: Picture) -> str:
    """A picture as a fragment."""
    tiles = "".join(
        f"<div{' class=bad' if is_bad else ''}><dt>{text(name)}</dt><dd>{text(figure)}"
        f"{f' <small>{text(beside)}</small>' if beside else ''}</dd></div>"
        for name, figure, beside, is_bad in _tiles(picture)
    )
    raised = "".join(f"<li>{text(clock(each.at_ns))} {text(each.text)}</li>" for each in picture.alerts)
    alerts = f'<ul class="raised" aria-label="Alerts that are raised">{raised}</ul>' if raised else ""
    watched = "".join(
        f"<dt>{text(each.source)}</dt><dd>{text(resource_words(each).replace('  ', ' · '))}</dd>"
        for each in picture.resources
    )
    machines = f'<dl class="machines">{watched}</dl>' if watched else ""
    figures = f'<dl class="tiles">{tiles}</dl>'
    return f'<section class="now" aria-label="Now">{_phase(picture)}{alerts}{figures}{machines}</section>'


def _phase(picture: Picture) -> str:
    since_ns = max(0, picture.at_ns - picture.phase_start_ns)
    name = picture.phase.replace("_", " ") or "starting"
    of, bar = clock(since_ns), ""
    if picture.phase_duration_s:
        of += f" of {clock(round(picture.phase_duration_s * 1e9))}"
        value = min(since_ns / 1e9, picture.phase_duration_s)
        bar = f'<progress max="{picture.phase_duration_s:.3f}" value="{value:.3f}" aria-label="of the phase"></progress>'
    return (
        f"<p><strong>{text(name)}</strong> {bar} <span>{text(of)}</span>"
        f" <span>run {text(clock(picture.at_ns))}</span></p>"
    )


def _tiles(picture: Picture) -> Iterator[tuple[str, str, str, bool]]:
    """Name, figure, what stands beside it, and whether it should not be."""
    response, delivery = picture.response, picture.delivery
    yield "connections held", format_count(picture.held), f"of {format_count(picture.planned)}", False
    yield "sent", per_second(picture.sent_hz), "", False
    yield "delivered", per_second(picture.delivered_hz), "", False
    yield "response p50", milliseconds(response.p50_ms), "ms", False
    yield "response p95", milliseconds(response.p95_ms), "ms", False
    yield "response p99", milliseconds(response.p99_ms), "ms", False
    yield "send lag p99", milliseconds(picture.lag.p99_ms), "ms", False
    missing = delivery.lost + delivery.unknown + delivery.not_sent
    yield "lost, unknown, not sent", format_count(missing), "in all", missing > 0
    blames = ", ".join(f"{format_count(count)} {blame}" for blame, count in picture.blames)
    yield "errors", format_count(picture.errors), blames or "in all", picture.errors > 0
    yield "dropped", format_count(picture.dropped), "in all", picture.dropped > 0
