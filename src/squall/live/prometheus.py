"""The Prometheus endpoint of the running test: `GET /metrics`.

The rule: an answer is made when one is asked for, at most once for each second of the run; a scraper that asks
more often gets the same one again. Without a scraper it costs nothing.
"""

from __future__ import annotations

from collections import Counter
from http import HTTPStatus
from pathlib import Path
from typing import Final

from squall.http_server import Answer
from squall.live.base import LiveView
from squall.live.exposition import CONTENT_TYPE, Exposed, exposition
from squall.metrics.alerts import CLEARED, RAISED
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample, Role
from squall.record.run import RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.verdicts import Verdict

__all__ = ["PrometheusView"]

SOURCES_MAX: Final = 100
"""Watched machines, and names of alerts, that are told of."""


class PrometheusView(LiveView):
    """Keeps what the totals do not have, and answers."""

    def __init__(self) -> None:
        self._header: RunHeader | None = None
        self._totals: Totals | None = None
        self._resources: dict[str, ResourceSample] = {}
        self._overflows: Counter[tuple[Role, str]] = Counter()
        self._alerts: dict[str, bool] = {}
        self._verdict: Verdict | None = None
        self._answer: Answer | None = None

    def answer(self) -> Answer:
        """What a scrape gets."""
        if self._header is None or self._totals is None:
            return Answer(b"the run has not begun\n", status=HTTPStatus.SERVICE_UNAVAILABLE)
        if self._answer is None:
            exposed = Exposed(
                header=self._header,
                resources=self._resources,
                overflows=self._overflows,
                alerts=self._alerts,
                verdict=self._verdict,
            )
            self._answer = Answer(exposition(self._totals, exposed).encode(), CONTENT_TYPE)
        return self._answer

    def begin_run(self, header: RunHeader, folder: Path, totals: Totals) -> None:  # noqa: ARG002 - the view's form
        """From now on there is an answer."""
        self._header, self._totals, self._answer = header, totals, None

    def accept(self, interval: Interval) -> None:
        """The next answer has this second."""
        self._answer = None
        for event in interval.events:
            self._note(event)

    def happened(self, event: Event) -> None:
        """Of events only alerts have a metric of their own."""
        self._note(event)

    def sampled(self, sample: ResourceSample) -> None:
        """The next answer has this sample."""
        if sample.source not in self._resources and len(self._resources) >= SOURCES_MAX:
            return
        self._resources[sample.source] = sample
        if sample.accept_overflows is not None:
            self._overflows[sample.role, sample.source] += sample.accept_overflows
        self._answer = None

    def concluded(self, verdict: Verdict) -> None:
        """The last answer has how it ended."""
        self._verdict, self._answer = verdict, None

    def _note(self, event: Event) -> None:
        known = event.name in self._alerts or len(self._alerts) < SOURCES_MAX
        if event.kind in (RAISED, CLEARED) and known:
            self._alerts[event.name] = event.kind == RAISED
            self._answer = None
