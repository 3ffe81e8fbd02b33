"""Delivery confirmations: of what was sent, what its sender was shown to have arrived; and acknowledgements alone. Pure.

A confirmation is the reply where the exchange has one (the message itself counts, where it comes back), or the
acknowledgement, however late it came. Where others get what a session sends, in rooms and pairs, nobody confirms it: not
measured. Neither is it with `delivery.tracking.confirmations` off.
"""

from __future__ import annotations

from dataclasses import replace

from squall.metrics.metric import Share
from squall.metrics.totals import Selection, Totals

__all__ = ["ack_success", "confirmed", "confirmed_count", "retry_success"]


def confirmed(totals: Totals, selection: Selection) -> Share | None:
    """The messages that were confirmed, to those that may have been, of those sent; None where none can be."""
    names = [
        each
        for each in totals.populations
        if selection.population in (None, each) and each not in totals.unconfirmed
    ]
    if not names:
        return None
    done = may_be = sent = 0
    for name in names:
        messages = totals.messages(replace(selection, population=name))
        by_ack = messages.acknowledged + messages.acknowledged_late
        part = by_ack if name in totals.acknowledged else messages.delivered
        done += part
        may_be += min(part + messages.unknown + messages.unsettled, messages.sent)
        sent += messages.sent
    return Share(done, max(done, may_be), sent)


def confirmed_count(totals: Totals, selection: Selection) -> int | None:
    """How many were confirmed; None where none can be."""
    found = confirmed(totals, selection)
    return None if found is None else int(found.least)


def ack_success(totals: Totals, selection: Selection) -> Share | None:
    """Acknowledged within all attempts, of what was sent; where no acknowledgement is waited for there is none."""
    messages = totals.messages(selection)
    if not (messages.acknowledged or messages.retried or messages.gave_up):
        return None
    may_be = messages.acknowledged + messages.unknown + messages.unsettled
    return Share(messages.acknowledged, min(may_be, messages.sent), messages.sent)


def retry_success(totals: Totals, selection: Selection) -> Share:
    """Acknowledged after a retry, of what needed one."""
    messages = totals.messages(selection)
    may_be = max(messages.retry_acknowledged, messages.retried - messages.gave_up)
    return Share(messages.retry_acknowledged, may_be, messages.retried)
