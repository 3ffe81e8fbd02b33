"""The flags that stand for settings of a scenario: one table, taken by every command that makes a run or plans one.

The rule: a flag only says which setting it means; what its value may be is the scenario's to judge, so that a
mistake is reported like one in a file. What is no setting (a scenario's file, a URL) is not here.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer

from squall.errors import ScenarioError
from squall.scenario.exchanges import EXCHANGES
from squall.scenario.faults import fault_settings

__all__ = ["FLAGS", "Flag", "flag_values", "with_flags", "with_values"]

Reader = Callable[["Flag", list[str]], Any]


def _one(flag: Flag, values: list[str]) -> str:
    if len(values) > 1:
        raise typer.BadParameter(f"is given {len(values)} times, and takes one value", param_hint=flag.name)
    return values[0]


def _all(_: Flag, values: list[str]) -> list[str]:
    return values


def _headers(flag: Flag, values: list[str]) -> dict[str, str]:
    """Headers by name. No message quotes one: their values are secret."""
    found: dict[str, str] = {}
    for text in values:
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise typer.BadParameter("a header is written 'Name: value'", param_hint=flag.name)
        if name.strip() in found:
            raise typer.BadParameter(f"{name.strip()} is given twice", param_hint=flag.name)
        found[name.strip()] = value.strip()
    return found


def _types(_: Flag, values: list[str]) -> list[dict[str, str]]:
    pairs = [text.partition(":") for text in values]
    return [{"name": name.strip(), "weight": weight.strip() or "1"} for name, _, weight in pairs]


def _watched(kind: str) -> Reader:
    """Sources of one kind; those of the other flags stand beside them."""

    def read(_: Flag, values: list[str]) -> list[dict[str, str]]:
        return [{kind: text} for text in values]

    return read


def _faults(flag: Flag, values: list[str]) -> list[dict[str, Any]]:
    """Faults in their short form; what their settings may be is the scenario's to judge."""
    try:
        return [fault_settings(text) for text in values]
    except ScenarioError as error:
        raise typer.BadParameter(f"{error.message} ({error.hint})", param_hint=flag.name) from None


_ADDRESS: Final = re.compile(r"(?:[\w.-]*:|\[[0-9A-Fa-f:.]+\]:)?\d{1,5}")
"""What follows a flag with an address is one only if it looks like one; else it is the next argument."""

_BOUND: Final = re.compile(r"\s*([^\s{}:]+(?:\{[^{}]*\})?)\s*:\s*(\S.*)")


def _thresholds(flag: Flag, values: list[str]) -> list[dict[str, str]]:
    found = []
    for text in values:
        match = _BOUND.fullmatch(text)
        if match is None:
            raise typer.BadParameter(
                f"{text!r}: a threshold is written 'metric: bound', as in 'ws_response_time: p(95)<200'",
                param_hint=flag.name,
            )
        found.append({"metric": match[1], "threshold": match[2].strip()})
    return found


@dataclass(frozen=True)
class Flag:
    """A flag and the setting that it means.

    `on` is what the flag stands for where it takes no value; `names` after a slash turn it off again. `bare` is
    the value that it has where none follows it; such a value is an address.
    """

    names: tuple[str, ...]
    setting: str
    about: str
    panel: str
    metavar: str = ""
    read: Reader = _one
    on: bool | None = None
    bare: str = ""

    @property
    def name(self) -> str:
        """Its first name."""
        return self.names[0].partition("/")[0]

    @property
    def key(self) -> str:
        """What it is called as a parameter."""
        return self.name.lstrip("-").replace("-", "_")

    @property
    def repeats(self) -> bool:
        """Whether it may be given several times."""
        return self.on is None and self.read is not _one

    @property
    def source(self) -> str:
        """What a plan calls it."""
        return f"flag {self.name}"


def _exchanges_in_words() -> str:
    """The exchanges by name; those with settings that have no default last, as a flag cannot say them."""
    needy = [
        kind
        for kind, model in EXCHANGES.items()
        if any(field.is_required() for field in model.model_fields.values())
    ]
    others = [kind for kind in EXCHANGES if kind not in needy]
    need = "needs" if len(needy) == 1 else "need"
    return f"{', '.join(others[:-1])} or {others[-1]}; {' and '.join(needy)} {need} a file"


_TARGET, _LOAD, _TRAFFIC = "The target", "The load", "The traffic"
_FAULTS, _WATCHED = "The faults", "What is watched"
_JUDGED, _ENGINE, _RESULTS = "What is judged", "The load generator", "Results"

FLAGS: Final = (
    Flag(("--target", "-t"), "target.url", "entry point; several for several", _TARGET, "URL", _all),
    Flag(("--policy",), "target.policy", "first, round_robin, random or fail_over", _TARGET, "NAME"),
    Flag(("--header", "-H"), "target.headers", "sent with each upgrade", _TARGET, "'NAME: VALUE'", _headers),
    Flag(("--subprotocol",), "target.subprotocols", "offered with each upgrade", _TARGET, "NAME", _all),
    Flag(("--ca-file",), "target.tls.ca_file", "certificates to trust", _TARGET, "FILE"),
    Flag(("--cert-file",), "target.tls.cert_file", "our certificate", _TARGET, "FILE"),
    Flag(("--key-file",), "target.tls.key_file", "its key", _TARGET, "FILE"),
    Flag(("--server-name",), "target.tls.server_name", "the name to ask for and to check", _TARGET, "NAME"),
    Flag(("--insecure",), "target.tls.verify", "accept any certificate", _TARGET, on=False),
    Flag(
        ("--connect-timeout",),
        "target.connect_timeout",
        "for look-up, TCP and TLS, each",
        _TARGET,
        "DURATION",
    ),
    Flag(("--handshake-timeout",), "target.handshake_timeout", "for the upgrade", _TARGET, "DURATION"),
    Flag(("--source-address",), "target.source_addresses", "connect from it", _TARGET, "IP", _all),
    Flag(("--connections", "-c"), "load.connections", "held at once, as in 10k", _LOAD, "COUNT"),
    Flag(
        ("--ramp",), "load.ramp_up.kind", "constant, linear, exponential, stepped or adaptive", _LOAD, "SHAPE"
    ),
    Flag(("--ramp-start",), "load.ramp_up.start", "connections at the beginning of the ramp", _LOAD, "COUNT"),
    Flag(("--ramp-up",), "load.ramp_up.duration", "how long the ramp up takes", _LOAD, "DURATION"),
    Flag(("--hold", "-d", "--duration"), "load.hold", "how long the full level is held", _LOAD, "DURATION"),
    Flag(("--ramp-down",), "load.ramp_down.duration", "how long the ramp down takes", _LOAD, "DURATION"),
    Flag(("--connect-rate",), "load.connect_rate_max", "caps every shape, as in 500/s", _LOAD, "RATE"),
    Flag(("--arrivals",), "load.arrivals", "new sessions per second, as in 50/s", _LOAD, "RATE"),
    Flag(("--session-length",), "sessions.length.mean", "how long a session stays", _LOAD, "DURATION"),
    Flag(("--think-time",), "sessions.think_time.mean", "how long until it comes again", _LOAD, "DURATION"),
    Flag(
        ("--reconnect/--no-reconnect",),
        "load.reconnect.after_drop",
        "connect again after a drop",
        _LOAD,
        on=True,
    ),
    Flag(("--reconnect-rate",), "load.reconnect.rate_max", "caps that, as in 100/s", _LOAD, "RATE"),
    Flag(
        ("--exchange",),
        "exchange.kind",
        _exchanges_in_words(),
        _TRAFFIC,
        "NAME",
    ),
    Flag(("--rate",), "traffic.rate", "messages per connection, as in 1/s", _TRAFFIC, "RATE"),
    Flag(("--arrival",), "traffic.arrival", "uniform or poisson", _TRAFFIC, "NAME"),
    Flag(("--payload",), "traffic.payload", "message sizes, as in 100,1KiB", _TRAFFIC, "SIZES"),
    Flag(("--format",), "traffic.format", "binary or text", _TRAFFIC, "NAME"),
    Flag(("--type",), "traffic.types", "a message type and its weight", _TRAFFIC, "NAME:WEIGHT", _types),
    Flag(("--messages",), "traffic.messages_per_session", "in all, per session", _TRAFFIC, "COUNT"),
    Flag(("--ping-interval",), "traffic.ping_interval", "ping round trips", _TRAFFIC, "DURATION"),
    Flag(("--fault",), "faults", "done to the connections, as in drop:0.01", _FAULTS, "FAULT", _faults),
    Flag(("--threshold",), "thresholds", "instead of the file's", _JUDGED, "'METRIC: BOUND'", _thresholds),
    Flag(("--thresholds",), "threshold_sets", "a named set: readiness or delivery", _JUDGED, "SET", _all),
    Flag(("--promise",), "delivery.promise", "at-most-once, at-least-once or exactly-once", _JUDGED, "NAME"),
    Flag(("--drain-timeout",), "delivery.drain_timeout", "wait before anything is lost", _JUDGED, "DURATION"),
    Flag(("--watch-pid",), "watch.target", "a process", _WATCHED, "PID", _watched("pid")),
    Flag(
        ("--watch-port",),
        "watch.target",
        "who listens here on a port",
        _WATCHED,
        "PORT",
        _watched("port"),
    ),
    Flag(
        ("--watch-prometheus",),
        "watch.target",
        "a page of figures",
        _WATCHED,
        "URL",
        _watched("prometheus"),
    ),
    Flag(
        ("--watch-command",),
        "watch.target",
        "a command that prints JSON lines",
        _WATCHED,
        "COMMAND",
        _watched("command"),
    ),
    Flag(("--watch-interval",), "watch.interval", "from one look to the next", _WATCHED, "DURATION"),
    Flag(("--workers",), "engine.workers", "processes that carry the load", _ENGINE, "COUNT"),
    Flag(("--pacing-window",), "engine.pacing_window", "the pacer wakes once in it", _ENGINE, "DURATION"),
    Flag(
        ("--keep-awake/--no-keep-awake",),
        "engine.keep_awake",
        "keep the processors from sleeping, where we may",
        _ENGINE,
        on=True,
    ),
    Flag(("--seed",), "seed", "fixes every random choice", _ENGINE, "NUMBER"),
    Flag(("--name",), "name", "what the run is called", _RESULTS, "NAME"),
    Flag(("--environment",), "test_environment", "a label kept in the record", _RESULTS, "LABEL"),
    Flag(("--out",), "outputs.out", "folder of this one run", _RESULTS, "DIR"),
    Flag(("--junit",), "outputs.junit", "write the verdict as JUnit XML, too", _RESULTS, "FILE"),
    Flag(("--progress",), "outputs.progress", "auto, live, plain, json or none", _RESULTS, "KIND"),
    Flag(
        ("--web",),
        "outputs.web",
        "serve the live page there; without a value on a free port",
        _RESULTS,
        "[HOST:]PORT",
        bare="0",
    ),
    Flag(("--prometheus",), "outputs.prometheus", "serve /metrics of the run there", _RESULTS, "[HOST:]PORT"),
    Flag(("--linger",), "outputs.linger", "serve that this long after the run, too", _RESULTS, "DURATION"),
    Flag(("--csv/--no-csv",), "outputs.csv", "write the time series", _RESULTS, on=True),
    Flag(("--markdown/--no-markdown",), "outputs.markdown", "write the summary", _RESULTS, on=True),
    Flag(("--html/--no-html",), "outputs.html", "write the report", _RESULTS, on=True),
)
"""In the order in which `--help` shows them."""


def with_values(arguments: Sequence[str]) -> list[str]:
    """The arguments, each flag that may stand alone with its value: the parser knows no flag with and without one."""
    bare = {name: flag.bare for flag in FLAGS if flag.bare for name in flag.names}
    found: list[str] = []
    for place, argument in enumerate(arguments):
        follows = arguments[place + 1] if place + 1 < len(arguments) else ""
        stands_alone = argument in bare and not _ADDRESS.fullmatch(follows)
        found.append(f"{argument}={bare[argument]}" if stands_alone else argument)
    return found


def flag_values(given: Mapping[str, Any]) -> list[tuple[Flag, Any]]:
    """The flags that were given, each with the value that it sets.

    Raises:
        typer.BadParameter: a value is not written as its flag wants it.
    """
    found = []
    for flag in FLAGS:
        value = given.get(flag.key)
        if value is None or value == []:
            continue
        if flag.on is None:
            found.append((flag, flag.read(flag, value)))
        else:
            found.append((flag, flag.on if value else not flag.on))
    return found


def with_flags(command: Callable[..., None]) -> Callable[..., None]:
    """The command with a parameter for each flag; it gets them as `**flags`."""
    signature = inspect.signature(command, eval_str=True)
    own = [each for each in signature.parameters.values() if each.kind is not each.VAR_KEYWORD]
    taken = [_parameter(flag) for flag in FLAGS]

    def with_all(*positional: Any, **keywords: Any) -> None:
        command(*positional, **keywords)

    with_all.__doc__ = command.__doc__
    with_all.__name__ = command.__name__
    with_all.__signature__ = signature.replace(parameters=[*own, *taken])  # type: ignore[attr-defined] # PEP 362
    with_all.__annotations__ = {each.name: each.annotation for each in (*own, *taken)}
    return with_all


def _parameter(flag: Flag) -> inspect.Parameter:
    """A flag with a value collects all that it was given, so that none is lost silently."""
    switch = flag.on is not None
    option = typer.Option(
        *flag.names,
        help=f"{flag.about} [dim]({flag.setting})[/dim]",
        metavar=None if switch else flag.metavar,
        rich_help_panel=flag.panel,
        show_default=False,
    )
    kind: Any = bool | None if switch else list[str] | None
    return inspect.Parameter(
        flag.key, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option]
    )
