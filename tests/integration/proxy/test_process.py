"""The proxy as a process: started, changed over HTTP, killed; its log is what it did."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from integration.proxy.parties import Client, Service, message, run, until
from squall.errors import EnvironmentFailure, ExitCode, PlanError, ScenarioError
from squall.proxy.process import ProxyProcess
from squall.scenario.faults import Drop, Latency


def port_of(proxy: ProxyProcess) -> int:
    return int(proxy.url.rstrip("/").rpartition(":")[2])


def asked(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, Any, Any]:
    """Status, headers and body of the answer of a control."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_it_is_started_changed_and_asked_and_its_log_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "faults.jsonl"

    async def main() -> None:
        async with Service().listening() as service:
            service.echoes = False
            proxy = ProxyProcess(service.url, faults=[Latency(delay=0.001)], log=path, seed=4)
            async with proxy, Client.connected(port_of(proxy)) as client:
                await proxy.add(Drop(probability=0.3, direction="up"))
                await proxy.remove("latency")
                for number in range(500):
                    client.send(message(number))
                await until(lambda: len(service.frames) > 300)
                with pytest.raises(ScenarioError, match="no fault is called latency"):
                    await proxy.remove("latency")
                with pytest.raises(ScenarioError, match="two faults are called drop"):
                    await proxy.add(Drop())
                assert (await proxy.state())["state"]["drop"]["is_on"] is True
                health = await proxy.health()
                assert (health["connections"], health["faults_on"]) == (1, ["drop"])
                proxy.kill()
                assert proxy.ended_with == -signal.SIGKILL
                with pytest.raises(EnvironmentFailure, match="does not answer"):
                    await proxy.health()
            entries = proxy.entries()
            dropped = [each.sequence for each in entries if each.what == "dropped"]
            came = service.sequences
            gone = [number for number in range(came[-1]) if number not in came]
            assert [each for each in dropped if each is not None and each < came[-1]] == gone
            assert len(gone) > 70
            assert all(
                (each.stream, each.attempt, each.is_ack) == (5, 1, False)
                for each in entries
                if each.what == "dropped"
            )

    run(main)


def test_its_control_answers_and_refuses(tmp_path: Path) -> None:
    async def main() -> None:
        async with ProxyProcess("ws://127.0.0.1:1") as proxy:
            here = proxy.control_url
            drop = {"kind": "drop", "probability": 0.5}
            assert asked(f"{here}faults", "PUT", json.dumps([drop]).encode())[0] == 200
            assert asked(f"{here}faults", "POST", json.dumps({"kind": "blackhole"}).encode())[0] == 200
            status, _, body = asked(f"{here}faults")
            listed = json.loads(body)
            assert [each["kind"] for each in listed["faults"]] == ["drop", "blackhole"]
            assert asked(f"{here}faults", "PUT", json.dumps(listed["faults"]).encode())[0] == 200
            assert asked(f"{here}faults/drop", "DELETE")[0] == 200
            for method, path, given in (
                ("PUT", "faults", b"no json"),
                ("PUT", "faults", b"{}"),
                ("POST", "faults", b'{"kind": "drop", "probability": 7}'),
                ("DELETE", "faults/drop", None),
                ("GET", "log?after=x", None),
            ):
                status, _, body = asked(f"{here}{path}", method, given)
                assert status == 400
                assert json.loads(body)["error"]
            assert [each["kind"] for each in json.loads(asked(f"{here}faults")[2])["faults"]] == ["blackhole"]
            assert asked(f"{here}nothing")[0] == 404
            assert asked(f"{here}log", "DELETE")[0] == 405
            assert asked(f"{here}faults", "PUT", b"[]", Origin="http://evil.example")[0] == 403
            assert asked(f"{here}healthz", Host="evil.example")[0] == 421
            _, headers, body = asked(f"{here}log?after=1")
            lines = [json.loads(line) for line in body.splitlines()]
            assert [(each["fault"], each["what"]) for each in lines] == [("blackhole", "on"), ("drop", "off")]
            assert (headers["X-Squall-First"], headers["X-Squall-Last"]) == ("2", "3")
            assert len(proxy.entries()) == 3
        with pytest.raises(PlanError):
            proxy.entries()

    run(main)


def test_a_proxy_that_cannot_start_says_why(tmp_path: Path) -> None:
    async def main() -> None:
        async with ProxyProcess("ws://127.0.0.1:1") as proxy:
            with pytest.raises(EnvironmentFailure, match="cannot listen on"):
                async with ProxyProcess("ws://127.0.0.1:1", listen=f"127.0.0.1:{port_of(proxy)}"):
                    pass
        with pytest.raises(EnvironmentFailure, match="cannot write the log"):
            async with ProxyProcess("ws://127.0.0.1:1", log=tmp_path):
                pass
        with pytest.raises(ScenarioError, match="scheme"):
            ProxyProcess("http://127.0.0.1:1")

    run(main)


def test_the_command_is_the_proxy_and_ends_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "squall", "proxy"]
    options = ["--listen", "0", "--upstream", "ws://127.0.0.1:1", "--log", str(tmp_path / "log")]
    process = subprocess.Popen(
        [*command, *options, "--fault", "drop:0.5:direction=up"], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        assert facts["pid"] == process.pid
        assert json.loads(asked(f"{facts['control']}healthz")[2])["faults_on"] == ["drop"]
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
    wrong = subprocess.run(
        [*command, *options, "--fault", "drp"], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == ExitCode.SCENARIO
    assert 'there is no fault "drp"; did you mean "drop"?' in wrong.stderr
