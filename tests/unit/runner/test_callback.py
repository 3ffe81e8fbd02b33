"""A monitoring callback: sync or async, slow, wrong, or raising."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from squall.errors import ExitCode, UserCodeError
from squall.metrics.ramp_statistics import RampStatistics
from squall.runner.callback import MonitoringCallback, RampDecision, call

STATISTICS = RampStatistics(
    at_s=5.0,
    interval_s=5.0,
    active_connections=10,
    connections_per_second=2.0,
    average_latency=1.5,
    average_latency_of="connect_time",
    error_count=0,
    error_rate=0.0,
    connection_success_rate=1.0,
    server_memory_usage=None,
    server_cpu_usage=None,
)
STOP = RampDecision(continue_ramp_up=False)


def decided(callback: MonitoringCallback) -> RampDecision:
    return asyncio.run(asyncio.wait_for(call(callback, STATISTICS), 10))


def test_a_coroutine_function_and_a_plain_one_are_given_the_statistics() -> None:
    seen: list[RampStatistics] = []

    async def waits(statistics: RampStatistics) -> RampDecision:
        seen.append(statistics)
        return STOP

    class Object:
        async def __call__(self, statistics: RampStatistics) -> RampDecision:
            return await waits(statistics)

    def blocks(statistics: RampStatistics) -> RampDecision:
        seen.append(statistics)
        assert threading.current_thread() is not threading.main_thread()
        return STOP

    assert decided(waits) == decided(blocks) == decided(Object()) == STOP
    assert seen == [STATISTICS] * 3


def test_to_return_nothing_is_to_go_on() -> None:
    assert decided(lambda _: None) == RampDecision(continue_ramp_up=True, adjust_ramp_rate=False)


@pytest.mark.parametrize("answer", [True, {"continue_ramp_up": False}, "stop"])
def test_what_is_no_decision_is_refused(answer: Any) -> None:
    with pytest.raises(UserCodeError, match=f"returned {type(answer).__name__}"):
        decided(lambda _: answer)


def test_what_it_raises_is_the_cause() -> None:
    async def fails(_statistics: RampStatistics) -> RampDecision:
        raise ValueError("too slow")

    def asserts(statistics: RampStatistics) -> RampDecision:
        assert statistics.average_latency is None
        return STOP

    async def gives_up(_statistics: RampStatistics) -> RampDecision:
        pytest.fail("as pytest does it, which is no Exception")

    cases = ((fails, ValueError), (asserts, AssertionError), (gives_up, pytest.fail.Exception))
    for callback, kind in cases:
        with pytest.raises(UserCodeError, match="raised") as caught:
            decided(callback)
        assert isinstance(caught.value.__cause__, kind)
        assert caught.value.exit_code == ExitCode.USER_CODE


def test_one_that_blocks_for_ever_keeps_neither_loop_nor_process() -> None:
    for_ever = threading.Event()

    async def gives_up() -> bool:
        try:
            async with asyncio.timeout(0.05):
                await call(lambda _: for_ever.wait() and None, STATISTICS)
        except TimeoutError:
            return True
        return False

    assert asyncio.run(gives_up())
    for_ever.set()  # answered after its loop is closed: nobody is told, and nothing is raised
    for thread in [each for each in threading.enumerate() if each.name == "squall monitoring callback"]:
        assert thread.daemon
        thread.join(5)
        assert not thread.is_alive()
