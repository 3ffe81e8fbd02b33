"""Exact quotas: how often each type occurs among a session's messages, and in which shuffled order.

The rule: the type of a message is a pure function of (seed, stream, its number), so a receiver, an auditor or
another process knows the type that a sequence number must have without having seen the message, and a
worker keeps no state for it. To make that hold although some intended messages are never sent:

- *sent* messages take positions from the front: sequence 0, 1, 2, … are positions 0, 1, 2, …, without a gap;
- *not-sent* ones take no sequence number and have the positions from the back: the n-th not-sent message,
  from 0, is position M − 1 − n.

Therefore, whatever is sent or not, all M positions are used once when all M messages have had their turn, and
every session has intended each type exactly as often as its quota says. Numbers count from 0. Draws by
weight, where a session has no message count, are `squall.profiles.mix`'s.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Final

import cython

from squall.seeds import derive

if cython.compiled:
    from cython.cimports.squall.seeds import word_draw
else:
    from squall.seeds import word_draw

__all__ = ["QuotaPlan", "exact_quotas", "exact_shares"]

_ROUNDS: Final = 6  # of the Feistel network; four suffice for large domains, the smallest ones mix slower


@cython.cclass
class QuotaPlan:
    """Exact quotas of each type among a session's M messages, in an order of its own for every stream.

    The order is a permutation of the M positions, worked out for a single position at a time: a Feistel
    network over the smallest power of two that holds M, keyed by the seed and the stream, and walked until
    it lands below M (Black, Rogaway: Ciphers with Arbitrary Finite Domains, CT-RSA 2002).

    Raises:
        ValueError: there are no messages, a weight is not above zero, or there is none.
    """

    def __init__(self, weights: Sequence[float], messages_per_session: int, seed: int) -> None:
        if messages_per_session < 1:
            raise ValueError(f"no quotas for {messages_per_session} messages per session")
        self.messages_per_session = messages_per_session
        self.quotas = exact_quotas(weights, messages_per_session)
        """How often each type occurs in a session; they add up to the messages."""
        self.until = array("q", accumulate(self.quotas))
        bits = max(2, (messages_per_session - 1).bit_length())
        self.low_bits, self.high_bits = bits // 2, bits - bits // 2
        self.round_seeds = array("Q", (derive(seed, f"quotas.round{number}") for number in range(_ROUNDS)))

    @cython.ccall
    def type_of(self, stream: cython.ulonglong, sequence: cython.longlong) -> cython.Py_ssize_t:
        """The type of the sent message with that sequence number.

        Raises:
            ValueError: a session has no such message.
        """
        return self._type_at(stream, sequence)

    @cython.ccall
    def type_of_not_sent(self, stream: cython.ulonglong, number: cython.longlong) -> cython.Py_ssize_t:
        """The type of the stream's not-sent message number 0, 1, 2, …: that of position M − 1 − number.

        Raises:
            ValueError: a session has no such message.
        """
        return self._type_at(stream, self.messages_per_session - 1 - number)

    @cython.cfunc
    def _type_at(self, stream: cython.ulonglong, position: cython.longlong) -> cython.Py_ssize_t:
        if position < 0 or position >= self.messages_per_session:
            raise ValueError(f"position {position} of {self.messages_per_session} messages does not exist")
        place: cython.longlong = self._permuted(stream, position)
        while place >= self.messages_per_session:
            place = self._permuted(stream, place)
        kind: cython.Py_ssize_t = 0
        while place >= self.until[kind]:
            kind += 1
        return kind

    @cython.cfunc
    @cython.exceptval(check=False)
    def _permuted(self, stream: cython.ulonglong, place: cython.longlong) -> cython.longlong:
        """A bijection of the power of two: each half in turn is changed by a hash of the other one."""
        one: cython.longlong = 1
        low: cython.longlong = place & ((one << self.low_bits) - 1)
        high: cython.longlong = place >> self.low_bits
        number: cython.Py_ssize_t
        for number in range(6):
            if number & 1:
                low ^= word_draw(self.round_seeds[number], stream, high) >> (64 - self.low_bits)
            else:
                high ^= word_draw(self.round_seeds[number], stream, low) >> (64 - self.high_bits)
        return (high << self.low_bits) | low


def exact_quotas(weights: Sequence[float], total: int) -> tuple[int, ...]:
    """`total` divided by weight into whole numbers that add up: the method of largest remainders (Hamilton).

    Each is its exact share rounded down or up; of equal remainders the earlier one is rounded up.

    Raises:
        ValueError: a weight is not above zero, or there is none.
    """
    exact = [share * total for share in exact_shares(weights)]
    quotas = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: quotas[index] - exact[index])
    for index in by_remainder[: total - sum(quotas)]:
        quotas[index] += 1
    return tuple(quotas)


def exact_shares(weights: Sequence[float]) -> list[Fraction]:
    """The weights as exact fractions of their sum, read as the decimals that were written: 0.1 is a tenth.

    Raises:
        ValueError: a weight is not above zero, or there is none.
    """
    try:
        exact = [Fraction(str(weight)) for weight in weights]
    except ValueError:
        exact = []
    if not exact or min(exact) <= 0:
        raise ValueError(f"weights are finite numbers above zero, not {list(weights)}")
    total = sum(exact)
    return [part / total for part in exact]
