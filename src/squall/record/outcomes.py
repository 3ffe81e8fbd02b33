"""What went wrong on the wire, as data: at which step, how, and whose doing it was.

The rule of blame: **target** where the service or what stands before it answered wrongly or ended a connection;
**network** where nothing came that proves anyone's answer (a name that does not resolve, no route, a silence);
**tester** where squall or its machine is the cause (no descriptor, no port, a certificate we were told to show
and cannot read).
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Blame", "Step", "Trouble"]

Step = Literal["resolve", "connect", "tls", "upgrade", "open", "close", "opening"]
"""Where in the life of a connection it went wrong: `opening` is what goes before the traffic of an upgraded one
(a login, a subscription), `open` is everything from then, or from the upgrade, to the close."""

Blame = Literal["target", "network", "tester"]


class Trouble(msgspec.Struct, frozen=True, array_like=True):
    """One way in which connections went wrong. `kind` is a short fixed word ("refused", "status_403")."""

    step: Step
    kind: str
    blame: Blame
