"""When new sessions arrive, where the plan fixes how many arrive per second and not how many are there.

The rate of arrivals follows the shape of the load: where the shape says n connections, n / S sessions arrive per
second, S being how long one stays on average. By Little's law (n = rate · S) that is the rate at which n are there
in the long run. A(t), the arrivals up to an offset, is its integral; **session g arrives when A reaches g + 1**,
so that exactly floor(A(t)) have arrived, evenly spaced at every rate. Whoever knows the shape knows who comes when.

After its duration a shape goes on at its last level, until the next phase takes over and goes on counting.
"""

from __future__ import annotations

import numpy as np

from squall.profiles.base import Levels

__all__ = ["Influx"]

_ROUNDING = 1e-9  # of one session: a whole number that was reached but for the last bits counts


class Influx:
    """The arrivals of one phase.

    Args:
        levels: the shape.
        stay_s: how long a session stays on average; above zero.
        before: A at the phase's start.
    """

    def __init__(self, levels: Levels, stay_s: float, before: float = 0.0) -> None:
        self._offsets_s = levels.offset_s
        self._rates_hz = levels.level / stay_s
        steps = np.diff(self._offsets_s) * self._rates_hz[:-1]
        self._counts = before + np.concatenate(([0.0], np.cumsum(steps)))

    def arrived(self, offset_s: float) -> float:
        """A at an offset from the phase's start."""
        step = max(0, int(np.searchsorted(self._offsets_s, offset_s, side="right")) - 1)
        return float(self._counts[step] + self._rates_hz[step] * (offset_s - self._offsets_s[step]))

    def offset_s(self, session: int) -> float | None:
        """When a session arrives; None where the phase, however long it lasts, does not bring it.

        One that had arrived before the phase is there at its start.
        """
        wanted = session + 1 - _ROUNDING
        if wanted <= self._counts[0]:
            return 0.0
        step = max(0, int(np.searchsorted(self._counts, wanted, side="left")) - 1)
        if step == len(self._counts) - 1 and not self._rates_hz[step]:
            return None
        return float(self._offsets_s[step] + max(0.0, wanted - self._counts[step]) / self._rates_hz[step])
