"""Talks made as a worker makes them, and frames for them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from squall.protocols.base import Frame, Seat, Surroundings, Talk
from squall.protocols.kinds import talk_of
from squall.scenario.exchanges import Exchange

__all__ = ["SEAT", "frame", "talk"]

SEAT = Seat(session=7, index=3, row={"user": "ada", "token": 'se"cret'})


def talk(settings: Mapping[str, Any], **around: Any) -> Talk:
    """The talk of an exchange for session 7, in run 0xAB."""
    exchange: Exchange = TypeAdapter[Exchange](Exchange).validate_python(settings)
    found = talk_of(exchange, SEAT, Surroundings(run_number=0xAB, **around))
    assert found is not None
    return found


def frame(message: Any, at_ns: int = 0) -> Frame:
    """A message that comes: text as it is, bytes as they are, anything else as JSON."""
    if isinstance(message, bytes):
        return Frame(message, False, at_ns)
    return Frame((message if isinstance(message, str) else json.dumps(message)).encode(), True, at_ns)
