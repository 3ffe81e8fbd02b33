"""What is watched beside the connections: the target's processes or its own figures. Frozen models.

The generator and the host are always watched, and are not asked for here. A source is one of four: a process,
whoever listens on a local port, a Prometheus endpoint, or a command that prints. An endpoint's URL and headers
and a command may hold secrets: they are shown masked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Annotated, Final, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    field_serializer,
    field_validator,
    model_validator,
)

from squall.scenario import checks
from squall.scenario.base import NAME, Model
from squall.scenario.quantities import Duration
from squall.scenario.scraping import parse_expression
from squall.scenario.urls import Url, http_url_mistake, public_url

__all__ = ["DEFAULT_METRICS", "OWN_SOURCES", "TARGET", "Watch", "WatchedSource", "provides", "source_names"]

TARGET: Final = "target"
"""What the target's source is called where it is given no name."""

OWN_SOURCES: Final = ("generator", "host")
"""What squall always watches."""

DEFAULT_METRICS: Final = {
    "cpu_cores": "rate(process_cpu_seconds_total)",
    "memory_bytes": "process_resident_memory_bytes",
    "descriptors": "process_open_fds",
}
"""What is read of an endpoint where no metrics are named: what the client libraries export."""

_KINDS: Final = ("pid", "port", "prometheus", "command")


class WatchedSource(Model):
    """The target, or one of its nodes, and how it is watched: by exactly one of the four ways."""

    name: str | None = Field(None, pattern=NAME, description="what it is called; by default `target`")
    pid: int | None = Field(None, ge=1, description="a process of this machine, its children included")
    port: int | None = Field(
        None, ge=1, le=65535, description="whoever listens on this port of this machine, children included"
    )
    prometheus: Annotated[str, AfterValidator(Url)] | None = Field(
        None, description="a page in Prometheus' text format, by its http:// or https:// URL"
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="sent to the Prometheus endpoint; kept secret"
    )
    metrics: dict[str, str] = Field(
        default_factory=dict,
        description="of the Prometheus endpoint: figure → series, `rate(series)`, `series / 100`",
    )
    command: SecretStr | None = Field(
        None, min_length=1, description="a shell command that prints lines of JSON; kept secret"
    )

    @field_validator("prometheus")
    @classmethod
    def _is_a_page(cls, url: str | None) -> str | None:
        if url is not None and (mistake := http_url_mistake(url)) is not None:
            raise ValueError(mistake)
        return url

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        checks.report(checks.headers({name: value.get_secret_value() for name, value in headers.items()}))
        return headers

    @field_validator("metrics")
    @classmethod
    def _are_understood(cls, metrics: dict[str, str]) -> dict[str, str]:
        checks.report(checks.scraped_metrics(metrics, parse_expression))
        return metrics

    @model_validator(mode="after")
    def _is_one_way(self) -> Self:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            named = " and ".join(given) or "none"
            raise ValueError(f"takes one of pid, port, prometheus and command; {named} is given")
        for key in ("headers", "metrics"):
            if getattr(self, key) and self.prometheus is None:
                raise ValueError(f"{key} are for a Prometheus endpoint, and none is given")
        return self

    @field_serializer("prometheus", when_used="json")
    def _without_secrets(self, url: str | None) -> str | None:
        return None if url is None else public_url(url)


class Watch(Model):
    """Resources while the run goes on. The generator and the host are watched always."""

    interval: Duration = Field(
        5.0,
        ge=0.1,
        le=3600,
        description="one look at each source in it, and one at each phase's end; seconds",
    )
    timeout: Duration = Field(
        2.0, gt=0, le=60, description="longest that one look may take before it counts as failed; seconds"
    )
    target: tuple[WatchedSource, ...] = Field(
        (), max_length=32, description="the sources; several for the nodes of a cluster. None: not measured"
    )

    @field_validator("target")
    @classmethod
    def _have_names_of_their_own(cls, target: tuple[WatchedSource, ...]) -> tuple[WatchedSource, ...]:
        findings: list[checks.Finding] = []
        seen: set[str] = set()
        for place, source in enumerate(target):
            if source.name in OWN_SOURCES:
                findings.append(((place, "name"), f"{source.name} is what squall calls a source of its own"))
            elif source.name is not None and source.name in seen:
                findings.append(((place, "name"), f"two sources are called {source.name}"))
            seen.add(source.name or "")
        checks.report(findings)
        return target


def source_names(watch: Watch) -> tuple[str, ...]:
    """The name of each source: its own, else `target`, `target-2`, …"""
    taken = {source.name for source in watch.target}
    free = (name for name in _default_names() if name not in taken)
    return tuple(source.name or next(free) for source in watch.target)


def provides(watch: Watch, figure: str) -> bool:
    """Whether a figure is asked for: by a process or port always, of an endpoint where it is named."""
    return any(
        source.pid is not None or source.port is not None or figure in source.metrics
        for source in watch.target
    )


def _default_names() -> Iterator[str]:
    yield TARGET
    yield from (f"{TARGET}-{number}" for number in count(2))
