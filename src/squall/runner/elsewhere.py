"""What a run leaves open at a target on another machine: its descriptors by its own metrics, before and after.

Only where a Prometheus endpoint of every node of the target is watched, and tells them. Each count is a look of its
own, beside those of the run, whose rates it must not disturb.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from squall.sampling.lookout import Lookout
from squall.sampling.make import make_target_samplers
from squall.scenario.watch import Watch

__all__ = ["target_descriptors"]


async def target_descriptors(watch: Watch, now: Callable[[], tuple[int, int]]) -> int | None:
    """How many descriptors the target has open, over all its nodes; None where not all of them tell.

    Args:
        watch: what is watched.
        now: the time of the run and that of the clock, in nanoseconds.
    """
    if not watch.target or any(source.prometheus is None for source in watch.target):
        return None
    lookouts = [Lookout(sampler, now) for sampler in make_target_samplers(watch)]
    looks = await asyncio.gather(*(lookout.look(watch.timeout) for lookout in lookouts))
    await asyncio.gather(*(lookout.close() for lookout in lookouts))
    counts = [None if look is None else look.descriptors for look in looks]
    return sum(count for count in counts if count is not None) if None not in counts else None
