"""Which talk an exchange has. A new kind has its line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from squall.protocols.ack import AckTalk
from squall.protocols.base import Seat, Surroundings, Talk
from squall.protocols.idle import IdleTalk
from squall.protocols.push import PushTalk
from squall.protocols.request import RequestTalk
from squall.scenario.exchanges import Exchange

__all__ = ["talk_of"]

_TALKS: Final[dict[str, Callable[[Any, Seat, Surroundings], Talk]]] = {
    "ack": AckTalk,
    "idle": IdleTalk,
    "push": PushTalk,
    "request": RequestTalk,
}


def talk_of(exchange: Exchange, seat: Seat, around: Surroundings) -> Talk | None:
    """The session's side of an exchange; None where the hot path has it, which carries the envelope."""
    return None if exchange.enveloped else _TALKS[exchange.kind](exchange, seat, around)
