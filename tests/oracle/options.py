"""What the oracle's echo server is asked to do wrong, and its command line.

Every rate is a chance for each message, 0 to 1.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

__all__ = ["Options", "from_arguments"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """The server's whole order. By default it is honest: each message once, at once, unchanged, in order."""

    log: Path
    seed: int = 1
    host: str = "127.0.0.1"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    """With it a client must show a certificate of this authority."""
    subprotocol: str | None = None

    lose: float = 0.0
    """Not echoed at all."""
    duplicate: float = 0.0
    """Echoed twice, the second copy at once or up to three messages later."""
    swap: float = 0.0
    """Held back until one to three later frames of the connection went out."""
    flip: float = 0.0
    """One bit of a copy turned over, anywhere in it."""
    flip_keeps_utf8: bool = False
    """In text, only bits whose turning leaves valid UTF-8."""
    truncate: float = 0.0
    """The end of a copy cut off."""
    extend: float = 0.0
    """One to eight bytes added to a copy."""
    retype: float = 0.0
    """Text sent as binary, binary as text."""
    inject: float = 0.0
    """Besides the echo a frame of 10 to 200 bytes of garbage that nobody asked for."""
    cross: float = 0.0
    """Besides the echo the latest message of another open connection."""
    fragment: float = 0.0
    """A frame sent in two to four fragments."""

    hold_ms: float = 200.0
    """The longest time that a frame is held back."""
    delay_ms: float = 0.0
    """Every frame leaves this much later, in unchanged order."""
    slow_from: int = 0
    """With more open connections than these the server gets slow ..."""
    slow_ms: float = 0.0
    """... by so much a frame for each of them beyond."""
    stall_at: float = 0.0
    """Seconds after the first message at which the whole server freezes."""
    stall_for: float = 0.0
    """Seconds for which it reads and sends nothing at all."""

    close_after: int = 0
    """After so many messages on a connection it is closed by handshake; 0 is never."""
    close_rate: float = 0.0
    close_code: int = 1001
    reset_after: int = 0
    reset_rate: float = 0.0


def from_arguments(arguments: Sequence[str]) -> Options:
    """Read the command line: each option under its name with dashes; exits with usage on a mistake."""
    parser = argparse.ArgumentParser(description=__doc__)
    for option in fields(Options):
        flag = "--" + option.name.replace("_", "-")
        if option.type == "bool":
            parser.add_argument(flag, action="store_true")
        elif option.name == "log":
            parser.add_argument(flag, type=Path, required=True)
        else:
            parser.add_argument(flag, type=READERS[str(option.type)], default=option.default)
    return Options(**vars(parser.parse_args(arguments)))


READERS = {"int": int, "float": float, "str": str, "str | None": str, "Path | None": Path}
