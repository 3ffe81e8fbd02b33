"""Which type and which size a message has: drawn by weight from the seed, as a pure function of its number.

Nothing is remembered: the type of (stream, sequence) can be told at any time, also for a message that was lost.
A message that is not sent gets no sequence number; its type comes from draws of its own, so that the shares hold
over what was intended. With a message count per session the types are exact quotas in an order shuffled by the
seed: what is sent takes them from the front, what is not sent from the back.
"""

from __future__ import annotations

from array import array
from fractions import Fraction

import cython

from squall.profiles.quotas import QuotaPlan
from squall.seeds import derive

if cython.compiled:
    from cython.cimports.squall.seeds import word_draw
else:
    from squall.seeds import word_draw

__all__ = ["MessageMix", "Shares"]


@cython.cclass
class Shares:
    """A choice among weighted alternatives, one 64-bit word a draw."""

    def __init__(self, weights: tuple[float, ...], seed: int) -> None:
        total = sum(Fraction(weight) for weight in weights)
        bounds, reached = [], Fraction(0)
        for weight in weights[:-1]:
            reached += Fraction(weight)
            bounds.append(int(reached / total * (1 << 64)))
        self.count = len(weights)
        self.seed = seed
        self.bounds = array("Q", bounds)

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
        seed: the run's seed.
    """

    def __init__(
        self,
        type_weights: tuple[float, ...],
        size_weights: tuple[float, ...],
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
        """The type of the message that was sent, or will be, under this number."""
        if self.quotas is not None:
            return self.quotas.type_of(stream, sequence)
        return self.sent_types.choose(stream, sequence)

    @cython.ccall
    def type_of_not_sent(self, stream: cython.ulonglong, nth: cython.ulonglong) -> cython.Py_ssize_t:
        """The type of the nth message of a stream that was intended and not sent, from 0."""
        if self.quotas is not None:
            return self.quotas.type_of(stream, self.messages_per_session - 1 - nth)
        return self.not_sent_types.choose(stream, nth)

    @cython.ccall
    def size_index_of(self, stream: cython.ulonglong, sequence: cython.ulonglong) -> cython.Py_ssize_t:
        """Which of the sizes the message under this number has."""
        return self.sizes.choose(stream, sequence)
