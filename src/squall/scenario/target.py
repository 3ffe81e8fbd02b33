"""The target of a scenario: entry points, headers, TLS and time-outs.

Frozen models that know no connecting.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from squall.scenario import checks
from squall.scenario.base import Model
from squall.scenario.quantities import Duration
from squall.scenario.urls import Url, public_url

__all__ = ["Target", "Tls"]


class Tls(Model):
    """How `wss://` targets are trusted, and how we show who we are."""

    ca_file: str | None = Field(None, description="certificates to trust (PEM), instead of the system's")
    cert_file: str | None = Field(None, description="our certificate (PEM), where the service asks for one")
    key_file: str | None = Field(None, description="its key (PEM), where it is not in cert_file")
    server_name: str | None = Field(
        None, min_length=1, description="the name to ask for and to check, instead of the URL's"
    )
    verify: bool = Field(True, description="false accepts any certificate; squall says so in every report")

    @model_validator(mode="after")
    def _key_needs_certificate(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file without cert_file")
        return self


class Target(Model):
    """The service under test: one or more entry points, and how to reach them."""

    url: tuple[Annotated[str, AfterValidator(Url)], ...] = Field(
        min_length=1, description="ws:// or wss:// entry points; a single one may be given as text"
    )
    policy: Literal["first", "round_robin", "random", "fail_over"] = Field(
        "round_robin",
        description="which entry point a connection takes; fail_over: the next one after a failure",
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="sent with each upgrade; kept secret"
    )
    subprotocols: tuple[str, ...] = Field((), description="offered with each upgrade, in order of preference")
    tls: Tls = Field(Tls(), description="how `wss://` targets are trusted, and how we show who we are")
    connect_timeout: Duration = Field(
        10.0,
        gt=0,
        description="for the look-up of the name, the TCP connect (to each of its addresses) and the TLS"
        " handshake, each; seconds",
    )
    handshake_timeout: Duration = Field(
        10.0, gt=0, description="for the answer to the upgrade request; seconds"
    )
    close_timeout: Duration = Field(
        5.0, gt=0, description="for the peer's answer to our close frame; seconds"
    )
    source_addresses: tuple[str, ...] = Field((), description="local IP addresses to connect from, in turn")
    node_header: str | None = Field(
        "x-squall-node",
        description="header of the upgrade's answer that names the node behind the entry point",
    )

    @field_validator("url")
    @classmethod
    def _are_entry_points(cls, url: tuple[str, ...]) -> tuple[str, ...]:
        checks.report(checks.entry_points(url))
        return url

    @field_validator("headers")
    @classmethod
    def _can_be_sent(cls, headers: dict[str, SecretStr]) -> dict[str, SecretStr]:
        checks.report(checks.headers({name: value.get_secret_value() for name, value in headers.items()}))
        return headers

    @field_validator("subprotocols")
    @classmethod
    def _can_be_offered(cls, subprotocols: tuple[str, ...]) -> tuple[str, ...]:
        checks.report(checks.subprotocols(subprotocols))
        return subprotocols

    @field_validator("tls")
    @classmethod
    def _is_of_use(cls, tls: Tls, info: ValidationInfo) -> Tls:
        urls = info.data.get("url", ())
        if urls and not any(url.lower().startswith("wss://") for url in urls):
            named = [
                name for name in ("ca_file", "cert_file", "server_name") if getattr(tls, name) is not None
            ]
            checks.report(((name,), "is for wss:// targets, and none is given") for name in named)
        return tls

    @field_validator("source_addresses")
    @classmethod
    def _are_addresses(cls, addresses: tuple[str, ...]) -> tuple[str, ...]:
        checks.report(checks.source_addresses(addresses))
        return addresses

    @field_validator("node_header")
    @classmethod
    def _is_a_header(cls, name: str | None) -> str | None:
        if name is not None and not checks.is_token(name):
            raise ValueError("is no header name")
        return name

    @field_serializer("url", when_used="json")
    def _without_secrets(self, url: tuple[str, ...]) -> list[str]:
        return [public_url(entry) for entry in url]
