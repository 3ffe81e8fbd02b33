"""What of a run is served to others while it lasts: the addresses that a scenario's outputs ask for.

The rule: it is opened before the run, so that an address that is taken is said before anything has begun, and
it ends with the block, whoever is still connected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from squall.http_server import HttpServer
from squall.live.base import LiveView
from squall.live.prometheus import PrometheusView
from squall.scenario.models import Outputs

__all__ = ["Served", "served"]


@dataclass(frozen=True, slots=True)
class Served:
    """What is served: the views that a run must tell, and where each thing is to be seen."""

    views: tuple[LiveView, ...] = ()
    urls: Mapping[str, str] = field(default_factory=dict)
    """By the setting that asks for it."""


@asynccontextmanager
async def served(name: str, outputs: Outputs) -> AsyncIterator[Served]:
    """Serve what the outputs of a run of this name ask for while the block runs; nothing, where they ask for nothing.

    Raises:
        EnvironmentFailure: an address cannot be listened on.
    """
    async with AsyncExitStack() as stack:
        views: list[LiveView] = []
        urls: dict[str, str] = {}
        if outputs.web is not None or outputs.prometheus is not None:
            metrics = PrometheusView()
            views.append(metrics)
        if outputs.web is not None:
            from squall.live.web import WebView

            page = WebView(name)
            views.append(page)
            routes = {**page.routes, "/metrics": metrics.answer}
            server = HttpServer(outputs.web, routes, what="the live page")
            urls["web"] = (await stack.enter_async_context(server)).url
            stack.callback(page.finish)  # of a run that did not begin, nobody else does
        if outputs.prometheus is not None:
            endpoint = HttpServer(
                outputs.prometheus, {"/metrics": metrics.answer}, what="the Prometheus endpoint"
            )
            urls["prometheus"] = f"{(await stack.enter_async_context(endpoint)).url}metrics"
        yield Served(tuple(views), urls)
