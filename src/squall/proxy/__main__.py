"""The command line of the proxy: `python -m squall.proxy ...`; `squall proxy` becomes this process.

Light on purpose (argparse). Exit codes are squall's: 0 after an orderly end, 104 for wrong arguments, 111 where
it could not be set up.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import uvloop

from squall.errors import ExitCode, ScenarioError, SquallError
from squall.proxy.server import ProxySettings, serve
from squall.proxy.upstream import UpstreamSettings
from squall.scenario.addresses import read_address
from squall.scenario.faults import parse_fault, read_faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    try:
        settings = _settings(_parser().parse_args(arguments))
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except SquallError as error:
        hint = f"\n  hint: {error.hint}" if error.hint else ""
        sys.stderr.write(f"squall proxy: {error.message}{hint}\n")
        return int(error.exit_code)
    return int(ExitCode.PASSED)


class _Parser(argparse.ArgumentParser):
    """argparse, with squall's exit code for wrong usage."""

    def error(self, message: str) -> NoReturn:
        said = f"squall proxy: {message}\n  hint: `squall proxy --help` lists what there is\n"
        self.exit(ExitCode.SCENARIO, said)


def _settings(given: argparse.Namespace) -> ProxySettings:
    return ProxySettings(
        listen=_address(given.listen, "--listen"),
        upstream=UpstreamSettings(url=given.upstream, ca_file=given.ca_file, verify=not given.insecure),
        control=_address(given.control, "--control"),
        faults=read_faults([parse_fault(text) for text in given.fault]),
        log=given.log,
        seed=given.seed,
        stdin_lifeline=given.stdin_lifeline,
    )


def _address(text: str, option: str) -> str:
    try:
        return read_address(text)
    except ValueError as error:
        raise ScenarioError(f"{option} {error}") from None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m squall.proxy", description="The fault proxy.", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--listen", required=True, metavar="[HOST:]PORT", help="address to listen on; port 0 takes a free one"
    )
    add("--upstream", required=True, metavar="URL", help="the service: ws[s]://HOST[:PORT]")
    add("--control", default="0", metavar="[HOST:]PORT", help="address of its control over HTTP")
    add("--fault", action="append", default=[], metavar="FAULT", help="as in drop:0.01:direction=up")
    add("--log", type=Path, metavar="FILE", help="what it did, as lines of JSON")
    add("--seed", type=_seed, default=1, metavar="N", help="fixes every random choice")
    add("--ca-file", metavar="FILE", help="certificates to trust (PEM) for wss://")
    add("--insecure", action="store_true", help="accept any certificate")
    add("--stdin-lifeline", action="store_true", help="end when standard input reaches its end")
    return parser


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 2^63 - 1")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
