"""How a service came through faults: the figures that are of faults alone. Pure.

- **server_delay_handling**: messages that a fault held on their way and that ended acknowledged exactly once, of all such
  messages. Which of them were missing is known; a second acknowledgement is taken for one of theirs as long as there are
  any, so that the figure is never better than it was. Not measured where no message was held, or the run was killed.
- **client_timeout_handling**: sessions that a fault made silent and of which nothing was missing that was in flight then
  or sent since, of all that were and have ended. Not measured where there was none.
"""

from __future__ import annotations

from squall.metrics.cells import ConnectionTotals
from squall.metrics.figures import ratio
from squall.metrics.totals import Totals

__all__ = ["client_timeout_handling", "server_delay_handling"]


def server_delay_handling(totals: Totals) -> float | None:
    """The share of the delayed messages that ended well, at least."""
    found = totals.reconciliation
    if found is None or not found.delayed:
        return None
    messages = totals.messages()
    twice = messages.ack_duplicates + messages.duplicated
    return ratio(max(0, found.delayed - found.delayed_lost - twice), found.delayed)


def client_timeout_handling(connections: ConnectionTotals) -> float | None:
    """The share of the silent sessions that lost nothing."""
    return ratio(connections.silence_handled, connections.silenced)
