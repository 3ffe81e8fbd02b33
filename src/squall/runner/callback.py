"""A monitoring callback of the user's: called beside the run, so that its slowness is its own.

A coroutine function runs in the loop of the coordinator, which has nothing to do with load; a plain function
runs in a thread of its own, so that one that blocks keeps nobody waiting. There is one call at a time.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Awaitable, Callable

import msgspec

from squall.errors import UserCodeError
from squall.metrics.ramp_statistics import RampStatistics

__all__ = ["MonitoringCallback", "RampDecision", "call"]


class RampDecision(msgspec.Struct, frozen=True, kw_only=True):
    """What a monitoring callback wants of the ramp: go on, or stop here; grow slower for now, or as planned."""

    continue_ramp_up: bool = True
    adjust_ramp_rate: bool = False


MonitoringCallback = Callable[[RampStatistics], RampDecision | Awaitable[RampDecision | None] | None]
"""Given the statistics of each interval; to return nothing is to let the ramp go on as planned."""


async def call(callback: MonitoringCallback, statistics: RampStatistics) -> RampDecision:
    """What the callback decides.

    Raises:
        UserCodeError: it raised, which is the cause, or returned something else than a decision.
    """
    try:
        if inspect.iscoroutinefunction(callback):
            answer = await callback(statistics)
        else:
            answer = await _in_thread(callback, statistics)
            if inspect.isawaitable(answer):
                answer = await answer
    except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # pytest.fail and the like are no Exception, and mean the same
        words = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise UserCodeError(f"the monitoring callback raised {words}") from error
    if answer is None:
        return RampDecision()
    if not isinstance(answer, RampDecision):
        raise UserCodeError(
            f"the monitoring callback returned {type(answer).__name__}",
            hint="return a RampDecision, or nothing",
        )
    return answer


async def _in_thread(
    callback: MonitoringCallback, statistics: RampStatistics
) -> RampDecision | Awaitable[RampDecision | None] | None:
    """Call a plain function in a thread that keeps no process alive, whatever the function does."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[RampDecision | Awaitable[RampDecision | None] | None] = loop.create_future()

    def settle(settled: Callable[[], None]) -> None:
        try:
            loop.call_soon_threadsafe(lambda: None if answer.done() else settled())
        except RuntimeError:
            pass  # the run is over and its loop closed: nobody waits any more

    def work() -> None:
        try:
            returned = callback(statistics)
        except BaseException as error:  # noqa: BLE001 - it is the waiting call that raises it
            raised = error
            settle(lambda: answer.set_exception(raised))
        else:
            settle(lambda: answer.set_result(returned))

    threading.Thread(target=work, name="squall monitoring callback", daemon=True).start()
    return await answer
