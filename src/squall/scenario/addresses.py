"""Where squall itself listens, for those who watch a run: `[HOST:]PORT`, on loopback unless a host is named."""

from __future__ import annotations

import re
from typing import Annotated, Final

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

__all__ = ["ANY_PORT", "LOOPBACK", "Address", "host_and_port", "read_address"]

LOOPBACK: Final = "127.0.0.1"
ANY_PORT: Final = f"{LOOPBACK}:0"
"""A free port of loopback, chosen by the system."""

_PORT_MAX: Final = 65_535
_FORM = re.compile(r"(?:(?P<host>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\]):)?(?P<port>[0-9]{1,5})")


def read_address(value: object) -> str:
    """What people write, as HOST:PORT.

    Raises:
        ValueError: it is not [HOST:]PORT.
    """
    text = str(value).strip() if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    found = _FORM.fullmatch(text)
    if found is None or int(found["port"]) > _PORT_MAX:
        raise ValueError('must be [HOST:]PORT, like 9464, "0.0.0.0:9464" or "[::1]:9464"')
    host = found["host"] or LOOPBACK
    return f"{LOOPBACK if host == 'localhost' else host}:{int(found['port'])}"


def host_and_port(address: str) -> tuple[str, int]:
    """The two halves of what `read_address` returned, IPv6 without its brackets."""
    host, _, port = address.rpartition(":")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _read(value: object) -> str:
    try:
        return read_address(value)
    except ValueError as error:
        raise PydanticCustomError("address", "{message}", {"message": str(error)}) from None


Address = Annotated[
    str,
    BeforeValidator(_read),
    WithJsonSchema(
        {"type": ["string", "integer"], "description": "[HOST:]PORT; loopback without a host, 0: a free port"}
    ),
]
"""An address to listen on, as HOST:PORT."""
