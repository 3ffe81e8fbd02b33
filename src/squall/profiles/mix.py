"""Which type and which size a message has: drawn by weight from the seed, as a pure function of its number.

The rule: nothing is remembered. The type of (stream, sequence) can be told at any time and anywhere, also for
a message that was lost. A message that is not sent gets no sequence number; its type comes from draws of its
own, so that the shares hold over what was intended. With a message count per session the types are exact
quotas in an order shuffled by the seed: what is sent takes them from the front, what is not sent from the
back (see `squall.profiles.quotas`). Sizes are drawn by weight in either case, independent of the types.

Knows types and sizes by their indices only. Numbers count from 0.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

import cython

from squall.profiles.quotas import exact_shares
from squall.seeds import derive

if cython.compiled:
    from cython.cimports.squall.profiles.quotas import QuotaPlan
    from cython.cimports.squall.seeds import word_draw
else:
    from squall.profiles.quotas import QuotaPlan
    from squall.seeds import word_draw

__all__ = ["MessageMix", "Shares"]


@cython.cclass
class Shares:
    """A choice among weighted alternatives, one 64-bit word a draw.

    `bounds` says where, among the 64-bit words, each alternative but the last one ends.

    Raises:
        ValueError: a weight is not above zero, or there is none.
    """

    def __init__(self, weights: Sequence[float], seed: int) -> None:
        shares = exact_shares(weights)
        self.count = len(shares)
        self.seed = seed
        self.bounds = array("Q", [int(part * (1 << 64)) for part in accumulate(shares[:-1])])

    @cython.ccall
    def choose(self, stream: cython.ulonglong, number: cython.ulonglong) -> cython.Py_ssize_t:
        """The alternative for message `number` of a stream."""
        if self.count == 1:
            return 0
        word: cython.ulonglong = word_draw(self.seed, stream, number)
        index: cython.Py_ssize_t
        for index in range(self.count - 1):
            if word < cython.cast(cython.ulonglong, self.bounds[index]):
                return index
        return self.count - 1


@cython.cclass
class MessageMix:
    """Types and sizes of the messages of one population.

    Args:
        type_weights: one weight a type.
        size_weights: one weight a size.
        messages_per_session: the exact number a session intends, 0 for no end.
        seed: the population's seed.

    Raises:
        ValueError: a weight is not above zero, or there is none.
    """

    def __init__(
        self,
        type_weights: Sequence[float],
        size_weights: Sequence[float],
        messages_per_session: int,
        seed: int,
    ) -> None:
        self.types = len(type_weights)
        self.messages_per_session = messages_per_session
        self.sent_types = Shares(type_weights, derive(seed, "types"))
        self.not_sent_types = Shares(type_weights, derive(seed, "types not sent"))
        self.sizes = Shares(size_weights, derive(seed, "sizes"))
        self.quotas = None
        if messages_per_session and self.types > 1:
            self.quotas = QuotaPlan(type_weights, messages_per_session, derive(seed, "quotas"))

    @cython.ccall
    def type_of(self, stream: cython.ulonglong, sequence: cython.ulonglong) -> cython.Py_ssize_t:
        """The type of the message that was sent, or will be, under this number.

        Raises:
            ValueError: with quotas, a session has no such message.
        """
        if self.quotas is not None:
            return self.quotas.type_of(stream, sequence)
        return self.sent_types.choose(stream, sequence)

    @cython.ccall
    def type_of_not_sent(self, stream: cython.ulonglong, nth: cython.ulonglong) -> cython.Py_ssize_t:
        """The type of the nth message of a stream that was intended and not sent, from 0.

        Raises:
            ValueError: with quotas, a session has no such message.
        """
        if self.quotas is not None:
            return self.quotas.type_of_not_sent(stream, nth)
        return self.not_sent_types.choose(stream, nth)

    @cython.ccall
    def size_index_of(self, stream: cython.ulonglong, sequence: cython.ulonglong) -> cython.Py_ssize_t:
        """Which of the sizes the message under this number has."""
        return self.sizes.choose(stream, sequence)
