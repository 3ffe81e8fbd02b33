"""The commands: what each is called, what it takes, and where its work is done.

The rule: this module imports nothing heavy. What a command needs is imported inside it, so that `--version`,
`--help` and a mistyped flag answer at once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from squall.cli.flags import with_flags
from squall.cli.state import State

__all__ = ["app"]

app = typer.Typer(
    name="squall",
    help="Load tests for WebSocket services that account for every message.",
    epilog="Exit codes: 0 passed, 99 failed, 104 usage or scenario wrong, 105 interrupted, 110 run invalid, "
    "111 environment, 112 not decided, 113 this machine cannot carry the plan.",
    add_completion=False,
    rich_markup_mode="rich",
)

Root = Annotated[Path, typer.Option("--root", help="the folder that the run folders are in", metavar="DIR")]
Upstream = Annotated[
    str,
    typer.Option(
        help="the service: ws:// or wss://, host and port; path and query are the client's",
        metavar="URL",
        show_default=False,
    ),
]
Faults = Annotated[
    list[str] | None,
    typer.Option(
        help="KIND[:PROBABILITY][:KEY=VALUE]..., as in drop:0.01:direction=up; several for several",
        metavar="FAULT",
        show_default=False,
    ),
]
Url = Annotated[str, typer.Argument(metavar="URL", help="ws:// or wss:// entry point", show_default=False)]
TestUrl = Annotated[
    str | None,
    typer.Argument(
        metavar="URL",
        help="ws:// or wss:// entry point; without one the bundled service is started",
        show_default=False,
    ),
]
TestScale = Annotated[
    str | None,
    typer.Option(help="smoke, standard or full (SQUALL_SCALE); full where neither says", metavar="SCALE"),
]
ScenarioFile = Annotated[
    str | None,
    typer.Argument(
        metavar="SCENARIO",
        help="a .yaml, .toml or .py file; without one the flags say it all",
        show_default=False,
    ),
]


@app.callback(invoke_without_command=True)
def squall(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", help="show the version", is_eager=True, show_default=False)
    ] = False,
) -> None:
    """Load tests for WebSocket services that account for every message."""
    state = _state(ctx)
    if version:
        from importlib.metadata import version as version_of

        state.say(f"squall {version_of('squall')}")
        raise typer.Exit
    # Rich prints the help itself, and leaves nothing to be printed.
    if ctx.invoked_subcommand is None and (words := ctx.get_help()):
        state.say(words)


@app.command(rich_help_panel="Runs")
@with_flags
def run(ctx: typer.Context, scenario: ScenarioFile = None, **flags: Any) -> None:
    """Carry out a run: ramp up, hold, ramp down, judge.

    A setting may stand in the scenario's file, in the environment (SQUALL_LOAD__HOLD=5m) or be a flag; of
    several the last counts. Ctrl-C once ends the run in order and keeps its results, twice ends it at once.
    """
    from squall.cli.running import carry_out

    raise typer.Exit(carry_out(_state(ctx), scenario, flags, fixed={}, instead={}))


@app.command(rich_help_panel="Runs")
@with_flags
def echo(ctx: typer.Context, url: Url, **flags: Any) -> None:
    """A quick look: send to an echo service, and expect everything back.

    In two seconds to all connections, at most 1,000 a second, and in one second down again; the flags are those
    of `run`, and say otherwise.
    """
    from squall.cli.running import carry_out

    raise typer.Exit(
        carry_out(_state(ctx), None, flags, fixed=_in_short("echo", url), instead=_quick("echo"))
    )


@app.command(rich_help_panel="Runs")
@with_flags
def connect(ctx: typer.Context, url: Url, **flags: Any) -> None:
    """A quick look: hold connections and send nothing but pings.

    In two seconds to all connections, at most 1,000 a second, and in one second down again; the flags are those
    of `run`, and say otherwise.
    """
    from squall.cli.running import carry_out

    raise typer.Exit(
        carry_out(_state(ctx), None, flags, fixed=_in_short("connect", url), instead=_quick("connect"))
    )


@app.command(rich_help_panel="Runs")
@with_flags
def scaling(
    ctx: typer.Context,
    url: TestUrl = None,
    scale: TestScale = None,
    level: Annotated[
        list[str] | None,
        typer.Option(
            help="a level instead of the specification's, as in 1000:5m:50ms",
            metavar="CONNECTIONS:DURATION:LATENCY",
        ),
    ] = None,
    settle: Annotated[
        str | None, typer.Option(help="pause between two levels; by its scale", metavar="DURATION")
    ] = None,
    growth_floor: Annotated[
        str, typer.Option(help="latency may grow by this much at any rate", metavar="LATENCY")
    ] = "5ms",
    **flags: Any,
) -> None:
    """A scaling test: one level after another, each with a run of its own, and how latency grows between them.

    The levels are the specification's five, from 1,000 to 10,000 connections with a message a second each; at
    `--scale standard` for a tenth of the time, at `smoke` with a fiftieth of the connections. No bound changes.
    The flags are those of `run`, without those that the levels decide (--connections, --arrivals, --messages,
    --ramp…, --hold, --name) and those that are for one run (--junit, --web, --prometheus, --linger). --out is the
    folder of the series.
    """
    from squall.cli.scaling import carry_out_scaling

    code = carry_out_scaling(
        _state(ctx),
        url,
        flags,
        scale=scale,
        levels=level or (),
        settle=settle,
        growth_floor=growth_floor,
    )
    raise typer.Exit(code)


@app.command(rich_help_panel="Runs")
@with_flags
def delivery(ctx: typer.Context, url: TestUrl = None, scale: TestScale = None, **flags: Any) -> None:
    """A delivery test: four types of messages, each with a guarantee, and whether each was kept.

    The specification's: 10,000 connections send 1,000 messages each in 30 minutes; at `--scale standard` a tenth of
    the messages in a tenth of the time, at `smoke` 500 connections send 100 each in 20 s. No bound changes. The flags
    are those of `run`: --connections, --duration and --messages say otherwise, and the rate follows from them; those
    that contradict that (--rate, --type, --arrivals) are refused.
    """
    from squall.cli.delivery import carry_out_delivery

    raise typer.Exit(carry_out_delivery(_state(ctx), url, flags, scale=scale))


@app.command(rich_help_panel="Runs")
@with_flags
def ordering(
    ctx: typer.Context,
    url: TestUrl = None,
    scale: TestScale = None,
    pattern: Annotated[
        list[str] | None,
        typer.Option(
            help="sequential, burst, mixed_priority, high_frequency or rooms; several for several; by default all",
            metavar="PATTERN",
        ),
    ] = None,
    settle: Annotated[
        str | None, typer.Option(help="pause between two patterns; by its scale", metavar="DURATION")
    ] = None,
    **flags: Any,
) -> None:
    """An ordering test: four patterns of sending, one after another, and in what order the messages come.

    The specification's: 1,000 to 10,000 connections, 100,000 messages a pattern; at `--scale standard` with half the
    connections, at `smoke` with a tenth. No bound changes. Causality is judged in rooms of four, of the bundled service
    unless --pattern rooms asks for them. The flags are those of `run`; --connections and
    --messages are for every pattern. Refused are those that a pattern decides (--ramp…, --hold, --arrivals, --name)
    and those that are for one run (--junit, --web, --prometheus, --linger). --out is the folder of the series.
    """
    from squall.cli.ordering import carry_out_ordering

    code = carry_out_ordering(_state(ctx), url, flags, scale=scale, patterns=pattern or (), settle=settle)
    raise typer.Exit(code)


@app.command(rich_help_panel="Runs")
@with_flags
def acks(
    ctx: typer.Context,
    url: TestUrl = None,
    scale: TestScale = None,
    ack_timeout: Annotated[
        str | None, typer.Option(help="of an attempt; 5s", metavar="DURATION", show_default=False)
    ] = None,
    max_retries: Annotated[
        int | None,
        typer.Option(help="how often a message is sent again; 3", metavar="COUNT", show_default=False),
    ] = None,
    backoff: Annotated[
        str | None, typer.Option(help="exponential or constant", metavar="NAME", show_default=False)
    ] = None,
    drop_rate: Annotated[
        float | None, typer.Option(help="share of messages lost; 0.02", metavar="SHARE", show_default=False)
    ] = None,
    delay_rate: Annotated[
        float | None, typer.Option(help="share of responses held; 0.01", metavar="SHARE", show_default=False)
    ] = None,
    unresponsive_rate: Annotated[
        float | None,
        typer.Option(help="share of clients that fall silent; 0.005", metavar="SHARE", show_default=False),
    ] = None,
    **flags: Any,
) -> None:
    """An acknowledgement test: messages are lost, delayed and left unanswered on purpose, and retries make up for it.

    The specification's: 5,000 connections with a message a second for 15 minutes; at `--scale standard` for a tenth of
    that, at `smoke` 400 connections for 12 s, with time-outs and faults a fifth as long. No bound changes. The bundled
    service has three parts: send, receiver, push; a target of your own the first. The flags are those of `run`;
    --connections and --duration say otherwise. --out is the folder of the series.
    """
    from squall.cli.acks import carry_out_acks

    code = carry_out_acks(
        _state(ctx),
        url,
        flags,
        scale=scale,
        messages={
            "acknowledgment_timeout": ack_timeout,
            "max_retry_attempts": max_retries,
            "retry_backoff_strategy": backoff,
        },
        faults={
            "network_drop_rate": drop_rate,
            "server_delay_simulation": delay_rate,
            "client_unresponsive_rate": unresponsive_rate,
        },
    )
    raise typer.Exit(code)


@app.command(rich_help_panel="Before a run")
@with_flags
def plan(ctx: typer.Context, scenario: ScenarioFile = None, **flags: Any) -> None:
    """What `run` would do with the same arguments, where each setting comes from, and what does not fit."""
    from squall.cli.planning import show_plan

    show_plan(_state(ctx), scenario, flags)


@app.command(rich_help_panel="Before a run")
def doctor(ctx: typer.Context) -> None:
    """What this machine can carry, and what limits it."""
    from squall.cli.doctor import show_doctor

    show_doctor(_state(ctx))


@app.command(rich_help_panel="Before a run")
def schema(
    ctx: typer.Context,
    what: Annotated[
        Literal["scenario", "summary", "progress"],
        typer.Argument(
            metavar="WHAT",
            help="scenario (of a scenario file), summary (of summary.json), or progress (of its JSON lines)",
        ),
    ] = "scenario",
) -> None:
    """Print a JSON Schema."""
    from squall.cli.schemas import show_schema

    show_schema(_state(ctx), what)


@app.command(rich_help_panel="After a run")
def runs(ctx: typer.Context, root: Root = Path("runs")) -> None:
    """List the runs, the newest first."""
    from squall.cli.history import show_runs

    show_runs(_state(ctx), root)


@app.command(rich_help_panel="After a run")
def show(
    ctx: typer.Context,
    run: Annotated[
        str, typer.Argument(metavar="RUN", help="a run folder, the beginning of its name, or last")
    ] = "last",
    root: Root = Path("runs"),
    as_json: Annotated[
        bool, typer.Option("--json", help="print the summary as JSON", show_default=False)
    ] = False,
) -> None:
    """Show the summary of a run, also of one that was killed."""
    from squall.cli.history import show_run

    show_run(_state(ctx), root, run, as_json=as_json)


@app.command(rich_help_panel="After a run")
def report(
    ctx: typer.Context,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="a run folder, the beginning of its name, or last; or the folder of a scaling test",
        ),
    ] = "last",
    root: Root = Path("runs"),
    out: Annotated[
        Path | None,
        typer.Option(
            help="the file; by default report.html in the run folder, scaling-report.html in that of a series",
            metavar="FILE",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the HTML report of a run again, also of one that was killed or is going on; or that of a scaling test."""
    from squall.cli.history import report_run

    report_run(_state(ctx), root, run, out)


@app.command(rich_help_panel="The bundled service")
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option(help="address to listen on", metavar="IP")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port of the service; 0 takes a free one", metavar="PORT")] = 0,
    health_port: Annotated[
        int, typer.Option(help="port of its health alone; 0 takes a free one", metavar="PORT")
    ] = 0,
    processes: Annotated[int, typer.Option(help="processes that share the port", metavar="COUNT")] = 1,
    name: Annotated[
        str, typer.Option(help="what the nodes are called in X-Squall-Node", metavar="NAME")
    ] = "reference",
    tls_cert: Annotated[
        str | None, typer.Option(help="certificate chain (PEM): serve wss", metavar="FILE")
    ] = None,
    tls_key: Annotated[
        str | None, typer.Option(help="its key, where it is not in the same file", metavar="FILE")
    ] = None,
    bug: Annotated[
        list[str] | None,
        typer.Option(
            help="misbehave at each so many messages (lose:10) or at a rate (lose:0.01); several for several",
            metavar="NAME:EVERY",
            show_default=False,
        ),
    ] = None,
    bug_seed: Annotated[int, typer.Option(help="draws what a bug with a rate strikes", metavar="NUMBER")] = 0,
    wire_log: Annotated[
        str | None,
        typer.Option(help="log each message in and frame out there, a file a node", metavar="DIR"),
    ] = None,
    stdin_lifeline: Annotated[
        bool, typer.Option("--stdin-lifeline", help="end when standard input ends", show_default=False)
    ] = False,
) -> None:
    """Serve WebSocket echo, acknowledgements and rooms, /healthz and /metrics until SIGTERM or Ctrl-C.

    Says in one line of JSON where it listens, once it does.
    """
    from squall.cli.serving import become

    given = {
        "--host": host,
        "--port": port,
        "--health-port": health_port,
        "--processes": processes,
        "--name": name,
        "--tls-cert": tls_cert,
        "--tls-key": tls_key,
        "--bug": bug,
        "--bug-seed": bug_seed,
        "--wire-log": wire_log,
        "--stdin-lifeline": stdin_lifeline,
    }
    become(_state(ctx), ("squall.reference", "serve"), given)


@app.command(rich_help_panel="A bad network")
def proxy(
    ctx: typer.Context,
    listen: Annotated[
        str,
        typer.Option(
            help="address to listen on; port 0 takes a free one", metavar="[HOST:]PORT", show_default=False
        ),
    ],
    upstream: Upstream,
    control: Annotated[
        str, typer.Option(help="address of its control over HTTP; 0 takes a free port", metavar="[HOST:]PORT")
    ] = "0",
    fault: Faults = None,
    log: Annotated[
        Path | None,
        typer.Option(help="what it did to which frame, as lines of JSON", metavar="FILE", show_default=False),
    ] = None,
    seed: Annotated[int, typer.Option(help="fixes every random choice", metavar="NUMBER")] = 1,
    ca_file: Annotated[
        str | None,
        typer.Option(
            help="certificates to trust (PEM) of a wss:// service", metavar="FILE", show_default=False
        ),
    ] = None,
    insecure: Annotated[
        bool, typer.Option("--insecure", help="accept any certificate of the service", show_default=False)
    ] = False,
    stdin_lifeline: Annotated[
        bool, typer.Option("--stdin-lifeline", help="end when standard input ends", show_default=False)
    ] = False,
) -> None:
    """Stand between clients and a service, and be a bad network: until SIGTERM or Ctrl-C.

    Says in one line of JSON where it listens and is controlled, once it does.
    """
    from squall.cli.serving import become

    given = {
        "--listen": listen,
        "--upstream": upstream,
        "--control": control,
        "--fault": fault,
        "--log": log,
        "--seed": seed,
        "--ca-file": ca_file,
        "--insecure": insecure,
        "--stdin-lifeline": stdin_lifeline,
    }
    become(_state(ctx), ("squall.proxy",), given)


def _state(ctx: typer.Context) -> State:
    state = ctx.find_root().obj
    if not isinstance(state, State):
        raise TypeError("a command of squall is called through squall.cli.main, which gives it a State")
    return state


def _in_short(command: Literal["echo", "connect"], url: str) -> dict[str, tuple[Any, str]]:
    """The settings that these commands stand for, with what a plan calls their source."""
    return {
        "target.url": ([url], "argument URL"),
        "exchange.kind": ("echo" if command == "echo" else "idle", f"command {command}"),
    }


def _quick(command: Literal["echo", "connect"]) -> dict[str, tuple[Any, str]]:
    """The load that these commands have instead of a scenario's defaults: nobody waits for a long ramp."""
    source = f"command {command}"
    return {
        "load.ramp_up.kind": ("linear", source),
        "load.ramp_up.duration": ("2s", source),
        "load.ramp_down.duration": ("1s", source),
        "load.connect_rate_max": ("1000/s", source),
    }
