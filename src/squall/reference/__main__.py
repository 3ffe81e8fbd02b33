"""The command line of the bundled service: `python -m squall.reference serve ...`.

Light on purpose (argparse): `squall serve` starts this very process with the same arguments. Exit codes are
squall's: 0 after an orderly end, 104 for wrong arguments, 111 where the service could not be set up or kept
up.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from squall.errors import ExitCode, SquallError
from squall.reference.bugs import Bug, parse_bug
from squall.reference.service import ServiceSettings, serve

__all__ = ["main"]

_PORT_MAX: Final = 65535
_PROCESSES_MAX: Final = 256
_SEED_MAX: Final = 2**64 - 1
_NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is returned."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.tls_key is not None and given.tls_cert is None:
        parser.error("--tls-key needs --tls-cert")
    settings = ServiceSettings(
        host=given.host,
        port=given.port,
        health_port=given.health_port,
        processes=given.processes,
        name=given.name,
        tls_cert=given.tls_cert,
        tls_key=given.tls_key,
        stdin_lifeline=given.stdin_lifeline,
        bugs=tuple(given.bug),
        bug_seed=given.bug_seed,
        wire_log=given.wire_log,
    )
    try:
        serve(settings)
    except SquallError as error:
        sys.stderr.write(f"squall serve: {error.message}\n")
        return int(error.exit_code)
    return int(ExitCode.PASSED)


class _Parser(argparse.ArgumentParser):
    """argparse, with squall's exit code for wrong usage."""

    def error(self, message: str) -> NoReturn:
        said = f"squall serve: {message}\n  hint: `squall serve --help` lists what there is\n"
        self.exit(ExitCode.SCENARIO, said)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m squall.reference", description="The bundled WebSocket service.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)
    command = commands.add_parser(
        "serve",
        help="echo, acknowledge, push and hand on messages, by path, until SIGTERM or Ctrl-C",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = command.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=_port, default=0, help="port of the service; 0 takes a free one")
    add("--health-port", type=_port, default=0, help="port of its health alone; 0 takes a free one")
    add("--processes", type=_processes, default=1, help="processes that share the port")
    add("--name", type=_name, default="reference", help="what the nodes are called in X-Squall-Node")
    add("--tls-cert", metavar="FILE", help="certificate chain (PEM): serve wss")
    add("--tls-key", metavar="FILE", help="its key, where it is not in the same file")
    add(
        "--bug",
        type=_bug,
        action="append",
        default=[],
        metavar="NAME:EVERY",
        help="misbehave at each so many messages, or at a RATE below 1 (squall.reference.bugs); several for several",
    )
    add("--bug-seed", type=_seed, default=0, metavar="NUMBER", help="draws what a bug with a rate strikes")
    add("--wire-log", type=Path, metavar="DIR", help="log each message in and frame out there, a file a node")
    add("--stdin-lifeline", action="store_true", help="end when standard input reaches its end")
    return parser


def _port(text: str) -> int:
    return _whole_number(text, least=0, most=_PORT_MAX)


def _processes(text: str) -> int:
    return _whole_number(text, least=1, most=_PROCESSES_MAX)


def _seed(text: str) -> int:
    return _whole_number(text, least=0, most=_SEED_MAX)


def _bug(text: str) -> Bug:
    try:
        return parse_bug(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _whole_number(text: str, *, least: int, most: int) -> int:
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} to {most}")
    return int(text)


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not 1 to 64 letters, digits, dots, dashes and underscores"
        )
    return text


if __name__ == "__main__":
    sys.exit(main())
