"""Of what came as an envelope, the share that was good: ws_checksum_success. Pure.

    1 − (corrupted_body + corrupted_header) / arrivals that are envelopes

Those are the copies of messages, as many as the receiver got before it dropped any, and the service's acknowledgements,
which are envelopes too. A damaged header belongs to no type. Good envelopes of another run, stream or receiver, and
acknowledgements of what was never sent, are left out: they are counted together with what is no envelope at all. So the
share is never better than it was.
"""

from __future__ import annotations

from dataclasses import replace

from squall.metrics.metric import Share
from squall.metrics.totals import Selection, Totals

__all__ = ["checksum_success"]


def checksum_success(totals: Totals, selection: Selection) -> Share:
    """Good arrivals / arrivals that are envelopes; see the module."""
    bad = totals.messages(selection).corrupted_body
    if selection.type is None:
        bad += totals.connections(selection).corrupted_header
    names = totals.populations if selection.population is None else (selection.population,)
    good = sum(_good(totals, replace(selection, population=name)) for name in names)
    return Share(good, good, good + bad)


def _good(totals: Totals, selection: Selection) -> int:
    """The good envelopes that came for one population."""
    messages = totals.messages(selection)
    copies = messages.delivered + max(messages.duplicated, messages.duplicate_arrivals)
    acknowledgements = messages.ack_duplicates
    # Where nobody sees more than acknowledgements, the first one of a message is its delivery.
    if totals.is_seen(selection) and totals.acknowledged.get(selection.population or "") == "service":
        acknowledgements += messages.acknowledged + messages.acknowledged_late
    return copies + acknowledgements
