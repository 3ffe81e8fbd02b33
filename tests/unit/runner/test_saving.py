"""Results as files: read back they are what was saved, under an identity that leads nowhere else."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import msgspec
import pytest

from squall.errors import FormatError, PlanError, StoreError
from squall.record.run import FORMAT_VERSION, RunHeader
from squall.runner.phase_results import (
    DeliverySuccess,
    PhaseError,
    RampDownResult,
    RampUpResult,
)
from squall.runner.saving import (
    LoadTestResults,
    checked_formats,
    checked_results,
    checked_test_id,
    default_test_id,
    read_results,
    save,
)

HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="the-run",
    name="x",
    squall_version="1",
    started_wall_ns=1,
    seed=7,
    run_number=1,
    scenario={"test_environment": "staging"},
    populations=["main"],
    types=[["message"]],
    plan=[],
    environment={},
)
UP = RampUpResult(
    phase="ramp_up",
    target_connections=10,
    final_connection_count=9,
    overall_success_rate=0.9,
    average_connection_time_ms=1.5,
    connection_time_p99_ms=2.5,
    peak_latency_ms=None,
    peak_latency_of=None,
    average_latency_ms=None,
    time_to_target_s=None,
    duration_s=3.0,
    connections_attempted=10,
    connections_established=9,
    connections_failed=1,
    connections_dropped=0,
    errors=(PhaseError("upgrade", "status_403", "target", 1),),
    stopped_by="",
)
DOWN = RampDownResult(
    phase="ramp_down",
    duration_s=1.0,
    graceful_disconnections=1.0,
    connections_closed=9,
    connections_forced=0,
    forced_disconnections=(),
    connections_dropped=0,
    final_active_connections=0,
    resource_cleanup_success=True,
    resources_left_at_squall=0,
    resources_left_at_target=0,
    errors=(),
    stopped_by="",
)
RESULTS = LoadTestResults(ramp_up=UP, ramp_down=DOWN)


def saved(folder: Path, **given: Any) -> Any:
    known = {"test_id": "it", "header": HEADER, "verdict": None, "wall_ns": 5, "run_folder": folder}
    return save(RESULTS, ("json", "csv"), folder, **(known | given))


def test_what_is_read_back_is_what_was_saved(tmp_path: Path) -> None:
    there = saved(tmp_path)
    assert there.folder == tmp_path / "it"
    assert list(there.files) == ["json", "csv"]
    for path in (there.folder, there.files["json"], str(there.files["json"])):
        document = read_results(path)
        assert document.results == RESULTS
        assert (document.run_id, document.test_environment, document.seed) == ("the-run", "staging", 7)


def test_delivery_survives_as_the_interval_that_it_is() -> None:
    success = DeliverySuccess(0.25, 0.75)
    assert msgspec.json.decode(msgspec.json.encode(success), type=DeliverySuccess) == success


def test_the_table_has_a_row_for_each_figure(tmp_path: Path) -> None:
    with saved(tmp_path).files["csv"].open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(row["result"], row["figure"]): row["value"] for row in rows}
    assert found["ramp_up", "final_connection_count"] == "9"
    assert found["ramp_up", "errors.0.kind"] == "status_403"
    assert found["ramp_up", "peak_latency_ms"] == ""  # not measured
    assert found["ramp_down", "resource_cleanup_success"] == "True"
    assert {result for result, _ in found} == {"ramp_up", "ramp_down"}


def test_a_picture_is_no_figure(tmp_path: Path) -> None:
    results = LoadTestResults(ramp_up=msgspec.structs.replace(UP, stopped_by="<svg>\n</svg>"))
    there = save(
        results,
        ("json", "csv"),
        tmp_path,
        test_id="it",
        header=HEADER,
        verdict=None,
        wall_ns=5,
        run_folder=tmp_path,
    )
    assert "stopped_by" not in there.files["csv"].read_text()
    assert read_results(there.folder).results == results


def test_the_report_of_a_run_that_is_not_over_is_refused_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="over"):
        save(
            RESULTS,
            ("json", "html_report"),
            tmp_path,
            test_id="it",
            header=HEADER,
            verdict=None,
            wall_ns=5,
            run_folder=tmp_path,
        )
    assert list(tmp_path.iterdir()) == []


def test_the_same_identity_twice_is_refused(tmp_path: Path) -> None:
    first = saved(tmp_path)
    before = first.files["json"].read_bytes()
    with pytest.raises(StoreError, match="there already"):
        saved(tmp_path, wall_ns=6)
    assert first.files["json"].read_bytes() == before


@pytest.mark.parametrize(
    "test_id", ["", ".", "..", "../x", "a/b", "/etc/x", "a\\b", "-x", ".x", "a\0b", "a\n", "x" * 101, "é"]
)
def test_an_identity_that_leads_elsewhere_is_refused(test_id: str) -> None:
    with pytest.raises(PlanError, match="test_id"):
        checked_test_id(test_id)


def test_an_identity_is_the_specifications_by_default() -> None:
    assert default_test_id(1_769_869_530_123_456_789) == "websocket-load-test-1769869530123"
    assert checked_test_id(default_test_id(1)) == "websocket-load-test-0"


def test_results_may_be_a_mapping_of_what_the_operations_returned() -> None:
    assert checked_results({"ramp_up": UP, "ramp_down": DOWN}) == RESULTS
    assert checked_results(RESULTS) is RESULTS
    with pytest.raises(PlanError, match="no 'rampUp'"):
        checked_results({"rampUp": UP})
    with pytest.raises(PlanError, match=r"results\['ramp_up'\] is a RampDownResult"):
        checked_results({"ramp_up": DOWN})


def test_formats_are_known_ones() -> None:
    assert checked_formats("csv") == ("csv",)
    assert checked_formats(["html_report", "csv", "json", "csv"]) == ("json", "csv", "html_report")
    for wrong in (["xml"], [], ""):
        with pytest.raises(PlanError, match="format"):
            checked_formats(wrong)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"results\.json"):
        read_results(tmp_path)
    (tmp_path / "results.json").write_text('{"test_id": 3}')
    with pytest.raises(FormatError):
        read_results(tmp_path)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file"):
        saved(tmp_path / "file")
