"""What of a run is served to others while it lasts: the addresses that a scenario's outputs ask for.

The rule: it is opened before the run, so that an address that is taken is said before anything has begun, and
it ends with the block, whoever is still connected.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from squall.live.base import LiveView
from squall.live.http_server import HttpServer
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
async def served(outputs: Outputs) -> AsyncIterator[Served]:
    """Serve what the outputs ask for while the block runs; nothing, where they ask for nothing.

    Raises:
        EnvironmentFailure: an address cannot be listened on.
    """
    async with AsyncExitStack() as stack:
        if outputs.prometheus is None:
            yield Served()
            return
        metrics = PrometheusView()
        server = HttpServer(outputs.prometheus, {"/metrics": metrics.answer}, what="the Prometheus endpoint")
        await stack.enter_async_context(server)
        yield Served((metrics,), {"prometheus": f"{server.url}metrics"})
