"""Delivery success as an interval, which compares with a bound the way it is judged. Pure."""

from __future__ import annotations

import msgspec

__all__ = ["DeliverySuccess"]


class DeliverySuccess(msgspec.Struct, frozen=True):
    """The interval in which delivery success lies. It is above a bound if all of it is."""

    lower: float
    upper: float

    def __gt__(self, bound: float) -> bool:
        return self.lower > bound

    def __ge__(self, bound: float) -> bool:
        return self.lower >= bound

    def __lt__(self, bound: float) -> bool:
        return self.upper < bound

    def __le__(self, bound: float) -> bool:
        return self.upper <= bound
