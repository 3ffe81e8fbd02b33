"""The monotonic clock as the hot path reads it: no object, no call into Python when compiled."""

from __future__ import annotations

import time

import cython

if cython.compiled:
    from cython.cimports.posix.time import CLOCK_MONOTONIC, clock_gettime, timespec

__all__ = ["now_ns"]


@cython.ccall
@cython.exceptval(check=False)
def now_ns() -> cython.longlong:
    """Nanoseconds of CLOCK_MONOTONIC."""
    if cython.compiled:
        spec: timespec
        clock_gettime(CLOCK_MONOTONIC, cython.address(spec))  # noqa: F821 - the C variable
        return cython.cast(cython.longlong, spec.tv_sec) * 1000000000 + spec.tv_nsec  # noqa: F821 - the C variable
    return time.monotonic_ns()
