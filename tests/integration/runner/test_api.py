"""The Python API: one open run, phase after phase, against the bundled service."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import squall
from squall.api import (
    AlertThresholds,
    LoadTestConfig,
    LoadTester,
    LoadTestResults,
    MessagePattern,
    PerformanceMonitor,
    PerformanceReport,
    RampDownResult,
    RampUpResult,
    RunResult,
    StabilityMonitoring,
    SustainedLoadResult,
    Tolerances,
)
from squall.errors import ExitCode, PlanError, PreflightError, ScenarioError
from squall.fleet.inline import InlineFleet
from squall.runner.saving import read_results
from squall.scenario.models import SteppedRamp
from squall.store.reader import open_run


def using(
    url: str, folder: Path, body: Callable[[LoadTester], Awaitable[None]], **settings: Any
) -> LoadTester:
    """Let `body` use a tester of at most 20 connections; the tester, when all is over."""

    async def both() -> LoadTester:
        given = {"max_connections": 20, "fleet": InlineFleet(), "out": folder / "run"} | settings
        async with LoadTester(url, **given) as tester:
            await body(tester)
        return tester

    return asyncio.run(asyncio.wait_for(both(), 60))


def names(result: RunResult) -> list[str]:
    return [phase.name for phase in result.phases]


def test_the_public_name_is_this_one() -> None:
    assert squall.LoadTester is LoadTester


def test_ramp_up_sustained_load_and_ramp_down_in_one_run(service: str, tmp_path: Path) -> None:
    results: list[Any] = []
    pattern = MessagePattern(
        frequency="10/s", payload_variation=(100, "1KiB"), message_types=("heartbeat", "user_action")
    )

    async def body(tester: LoadTester) -> None:
        results.append(
            await tester.execute_ramp_up(
                start_connections=5, target_connections=20, duration="500ms", strategy="exponential"
            )
        )
        results.append(
            await tester.execute_sustained_load(
                duration=1.5,
                message_pattern=pattern,
                stability_monitoring=StabilityMonitoring(
                    check_interval="1s", spike=5, tolerances=Tolerances(connection_drops=0.1)
                ),
            )
        )
        results.append(
            await tester.execute_ramp_down(
                duration=0.5, strategy="linear", connection_cleanup="graceful_close"
            )
        )
        assert tester.result.exit_code in (ExitCode.PASSED, ExitCode.INVALID)

    tester = using(service, tmp_path, body)
    up, load, down = results
    assert isinstance(up, RampUpResult)
    assert up.final_connection_count == 20
    assert up.overall_success_rate == 1.0
    assert up.average_connection_time_ms is not None
    assert up.average_connection_time_ms < 5000
    assert (up.peak_latency_of, up.average_latency_ms) == ("connect_time", None)
    assert up.time_to_target_s is not None
    assert isinstance(load, SustainedLoadResult)
    assert load.average_active_connections == 20
    assert load.message_delivery_success is not None
    assert load.message_delivery_success > 0.999
    assert load.average_message_latency_ms is not None
    assert load.connection_stability_score == 1.0
    assert 20 * 10 * 1.5 <= load.messages_intended <= 20 * 10 * 1.8
    assert load.messages_under_way == 0
    assert [(each.held, each.drops, each.spiked, each.undelivered) for each in load.stability_checks] == [
        (20, 0, 0, 0)
    ] * 2
    assert load.stability_checks[0].drop_tolerance == 0.1
    assert load.stability_checks_failed == 0
    # Each message of the phase is in one check, but those due in the very end of it.
    assert 0 <= load.messages_intended - sum(each.sent for each in load.stability_checks) <= 20
    assert isinstance(down, RampDownResult)
    assert down.graceful_disconnections == 1.0
    assert (down.connections_forced, down.forced_disconnections) == (0, ())
    assert down.final_active_connections == 0
    assert down.resource_cleanup_success is True
    result = tester.result
    assert names(result) == ["ramp_up", "idle", "hold", "idle", "ramp_down"]
    assert result.header.types == [["heartbeat", "user_action"]]
    delivery = result.summary.delivery
    assert delivery.delivered == delivery.intended
    assert delivery.intended is not None
    assert delivery.intended > load.messages_intended  # the idle phase and the ramp down send, too
    by_type = result.summary.delivery_by_type
    assert sum(each.delivered or 0 for each in by_type.values()) == delivery.delivered
    assert {each.source for each in result.verdict.judgements} == {"integrity", "readiness"}
    record = open_run(result.folder)
    assert (record.header, record.phases) == (result.header, result.phases)


def assert_reported(report: PerformanceReport) -> None:
    """What a monitor says of a run whose latency was above its bound from the first interval to the end."""
    assert [each.kind for each in report.phases] == ["ramp_up", "sustained", "ramp_down"]
    (alert,) = report.alerts
    assert (alert.name, alert.bound, alert.cleared_s) == ("connection_latency", 0.01, None)
    assert report.phases[1].alerts == 1
    assert [each.latency for each in report.recorded] == [1.5]
    assert report.outcome is not None
    assert {"connections", "response-time", "processor", "recorded-latency"} <= report.graphs.keys()
    assert all(graph.startswith("<svg") for graph in report.graphs.values())
    assert report.recommendations is not None  # none, or for squall's own lag: the target was not watched
    assert {each.about for each in report.recommendations} <= {"squall"}


def test_results_are_saved_and_connections_are_seen(service: str, tmp_path: Path) -> None:
    instant = AlertThresholds(connection_latency="10us")
    monitor = PerformanceMonitor(metrics_interval="1s", alert_thresholds=instant)

    async def body(tester: LoadTester) -> None:
        assert tester.connections.held is None
        with pytest.raises(PlanError, match="no run yet"):
            await tester.save_results(results={})
        up = await tester.execute_ramp_up(duration=0.2)
        assert tester.connections.held == 20
        assert tester.connections.age_s is not None
        assert tester.connections.age_s < 2
        (place,) = tester.connections.by_place or ()
        assert (place.entry_point, place.node, place.open) == (service, "reference", 20)
        load = await tester.execute_sustained_load(duration=1.2)
        half_way = await tester.save_results(results={"ramp_up": up}, test_id="half-way", format="json")
        assert read_results(half_way.folder).verdict is None
        down = await tester.execute_ramp_down(duration=0.1)
        assert (tester.connections.held, tester.connections.peak) == (0, 20)
        for wrong in ("../x", str(tmp_path)):
            with pytest.raises(PlanError, match="test_id"):
                await tester.save_results(results={}, test_id=wrong)
        await monitor.record_metrics(timestamp=5.0, active_connections=20, latency=1.5)
        seen = await monitor.generate_report()
        assert_reported(seen)
        assert (seen.phases[1].average_latency_ms, seen.phases_missing) == (
            load.average_message_latency_ms,
            (),
        )
        with pytest.raises(PlanError, match="soak"):
            await monitor.generate_report(test_phases=["soak"])
        results = LoadTestResults(ramp_up=up, sustained_load=load, ramp_down=down, performance_metrics=seen)
        saved = await tester.save_results(results=results)
        assert list(saved.files) == ["json", "csv", "html_report"]
        assert saved.files["html_report"].read_bytes() == (tmp_path / "run" / "report.html").read_bytes()
        assert saved.folder.parent == tmp_path / "run"
        assert re.fullmatch(r"websocket-load-test-\d{13}", saved.test_id)
        document = read_results(saved.files["json"])
        assert document.results == results
        assert document.verdict == tester.result.verdict
        assert document.test_environment == "staging"
        elsewhere = await tester.save_results(results=results, test_id="x", folder=tmp_path / "mine")
        assert elsewhere.folder == tmp_path / "mine" / "x"

    tester = using(service, tmp_path, body, test_environment="staging", monitor=monitor)
    assert tester.scenario.monitoring.interval == 1
    assert open_run(tmp_path / "run").header.scenario["test_environment"] == "staging"
    assert tester.result.summary.test_environment == "staging"


def test_with_a_pattern_from_the_start_the_ramp_sends_and_a_part_may_be_let_go(
    service: str, tmp_path: Path
) -> None:
    ups: list[RampUpResult] = []

    async def body(tester: LoadTester) -> None:
        ups.append(await tester.execute_ramp_up(target_connections=10, duration=0.3))
        ups.append(await tester.execute_ramp_up(duration=0.3, strategy=SteppedRamp(steps=2, duration=0.4)))
        part = await tester.execute_ramp_down(target_connections=5, duration=0.2)
        assert part.connections_closed == 15
        assert part.final_active_connections == 5
        assert part.resource_cleanup_success is None  # the run goes on
        load = await tester.execute_sustained_load(duration=1.2, name="low")
        assert load.average_active_connections == 5

    tester = using(service, tmp_path, body, message_pattern=MessagePattern(frequency=20))
    assert [up.final_connection_count for up in ups] == [10, 20]
    assert [up.peak_latency_of for up in ups] == ["response_time"] * 2
    result = tester.result
    assert names(result)[-3:] == ["low", "idle", "end"]
    assert result.summary.connections.open == 0
    assert result.summary.connections.graceful == 20
    assert result.summary.delivery.delivered == result.summary.delivery.intended


def test_calls_that_cannot_be_are_refused_and_the_run_goes_on(service: str, tmp_path: Path) -> None:
    async def body(tester: LoadTester) -> None:
        with pytest.raises(PlanError, match="not over"):
            _ = tester.result
        await tester.execute_ramp_up(target_connections=10, duration=0.2)
        with pytest.raises(PlanError, match="not to 21"):
            await tester.execute_ramp_up(target_connections=21)
        with pytest.raises(PlanError, match="10 are held"):
            await tester.execute_ramp_up(start_connections=3, target_connections=20)
        with pytest.raises(PlanError, match="cannot lead to 11"):
            await tester.execute_ramp_down(target_connections=11)
        with pytest.raises(PlanError, match="graceful_close"):
            await tester.execute_ramp_down(connection_cleanup="abort")  # type: ignore[arg-type] # a mistake
        with pytest.raises(PlanError, match="another message_pattern"):
            await tester.execute_sustained_load(message_pattern=MessagePattern(frequency=7))
        with pytest.raises(ScenarioError, match="a duration"):
            await tester.execute_sustained_load(duration="soon")
        async with asyncio.TaskGroup() as group:
            group.create_task(tester.execute_sustained_load(duration=0.3))
            await asyncio.sleep(0)
            with pytest.raises(PlanError, match="under way"):
                await tester.execute_ramp_down(duration=0.1)
        await tester.execute_ramp_down(duration=0.1)
        with pytest.raises(PlanError, match="the run is over"):
            await tester.execute_sustained_load(duration=0.1)

    result = using(service, tmp_path, body, message_pattern=MessagePattern(frequency=5)).result
    assert result.summary.delivery.delivered == result.summary.delivery.intended


def test_a_tester_outside_of_its_block_does_nothing(service: str) -> None:
    async def both() -> None:
        with pytest.raises(PlanError, match="async with"):
            await LoadTester(service).execute_ramp_up()

    asyncio.run(both())


def test_an_error_of_the_caller_comes_out_as_it_is_and_the_record_is_finished(
    service: str, tmp_path: Path
) -> None:
    async def body(tester: LoadTester) -> None:
        await tester.execute_ramp_up(duration=0.2)
        raise AssertionError("the caller's own")

    with pytest.raises(AssertionError, match="the caller's own"):
        using(service, tmp_path, body)
    record = open_run(tmp_path / "run")
    assert record.complete
    assert record.verdict is not None
    assert record.verdict.stopped_by == "the caller raised AssertionError"


def test_a_cancelled_caller_leaves_nothing_behind(service: str, tmp_path: Path) -> None:
    async def body(tester: LoadTester) -> None:
        await tester.execute_ramp_up(duration=0.2)
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        using(service, tmp_path, body)
    assert open_run(tmp_path / "run").verdict is not None


def test_a_tester_that_was_never_used_leaves_no_trace(service: str, tmp_path: Path) -> None:
    async def body(_tester: LoadTester) -> None:
        return

    using(service, tmp_path, body)
    assert not (tmp_path / "run").exists()


def test_what_does_not_fit_is_refused_at_the_first_call(tmp_path: Path) -> None:
    async def body(tester: LoadTester) -> None:
        with pytest.raises(PreflightError):
            await tester.execute_ramp_up()

    using("ws://127.0.0.1:1/", tmp_path, body, target={"source_addresses": ["203.0.113.9"]})


def test_a_target_that_refuses_shows_in_the_result(tmp_path: Path) -> None:
    async def body(tester: LoadTester) -> None:
        result = await tester.execute_ramp_up(target_connections=2, duration=0.1, strategy="constant")
        assert result.final_connection_count == 0
        assert result.overall_success_rate == 0.0
        assert result.time_to_target_s is None
        assert result.connections_failed >= 2
        assert result.errors[0].kind == "refused"

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{nobody.getsockname()[1]}/"
        assert using(url, tmp_path, body).result.exit_code == ExitCode.FAILED


def test_a_configuration_gives_the_defaults_and_what_stands_beside_it_is_stronger() -> None:
    tester = LoadTester("ws://a/", config=LoadTestConfig())
    assert tester.scenario.load.connections == 10_000
    assert tester.scenario.load.ramp_up.duration == 300  # type: ignore[union-attr] # exponential
    assert tester.scenario.load.hold == 3600
    assert tester.scenario.load.ramp_down.duration == 180  # type: ignore[union-attr] # linear
    assert tester.scenario.test_environment == "production-like"
    assert tester.scenario.threshold_sets == ("readiness",)
    smaller = LoadTester(
        ["ws://a/", "ws://b/"],
        config=LoadTestConfig(),
        max_connections="1k",
        ramp_up_strategy="linear",
        engine={"workers": 3},
        seed=7,
    )
    assert smaller.scenario.load.connections == 1000
    assert smaller.scenario.load.ramp_up.kind == "linear"
    assert smaller.scenario.load.ramp_up.duration == 300
    assert (smaller.scenario.engine.workers, smaller.scenario.seed) == (3, 7)


def test_a_scenario_can_be_given_and_mistakes_are_named(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("target: ws://a/\nload: {connections: 50, hold: 7s}\ntraffic: {rate: 3}\n")
    tester = LoadTester(scenario=file, max_connections=40)
    assert tester.scenario.load.connections == 40
    assert tester.scenario.load.hold == 7
    assert tester.scenario.threshold_sets == ()
    with pytest.raises(ScenarioError, match="did you mean"):
        LoadTester("ws://a/", engin={"workers": 2})


def test_what_the_outputs_ask_for_is_served_inside_the_block(service: str, tmp_path: Path) -> None:
    urls: dict[str, str] = {}

    async def page(url: str) -> bytes:
        host, _, path = url.removeprefix("http://").partition("/")
        reader, writer = await asyncio.open_connection(*host.rsplit(":", 1))
        writer.write(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        try:
            return await reader.read()
        finally:
            writer.close()

    async def body(tester: LoadTester) -> None:
        urls.update(tester.urls)
        assert b" 503 " in (await page(urls["prometheus"])).splitlines()[0]
        await tester.execute_ramp_up(target_connections=3, duration=0.2)
        assert b"\nsquall_ws_connections 3\n" in await page(urls["prometheus"])
        assert b"squall_ws_connections 3" in await page(f"{urls['web']}metrics")
        assert b"<!doctype html>" in await page(urls["web"])

    tester = using(service, tmp_path, body, outputs={"web": 0, "prometheus": 0})
    assert tester.result.error is None
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(page(urls["web"]))
