"""What the kernel below these tests can do."""

from __future__ import annotations

import socket

__all__ = ["holds_to_parts"]

_IP_LOCAL_PORT_RANGE = 51


def holds_to_parts() -> bool:
    """Whether a socket can be held to a part of the local ports (Linux 6.3)."""
    with socket.socket() as sock:
        try:
            sock.getsockopt(socket.IPPROTO_IP, _IP_LOCAL_PORT_RANGE)
        except OSError:
            return False
    return True
