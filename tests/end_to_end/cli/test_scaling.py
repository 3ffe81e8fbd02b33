"""`squall scaling` as its users call it: two small levels against the bundled service, which it starts and watches."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from end_to_end.cli.calling import Squall
from squall.metrics.scaling import ScalingResult

QUICK = ("--settle", "0s", "--growth-floor", "1s", "--no-csv", "--out", "series")


def result(folder: Path) -> ScalingResult:
    return msgspec.json.decode((folder / "series" / "scaling.json").read_bytes(), type=ScalingResult)


def test_a_level_that_fails_fails_the_series_and_the_next_one_is_held_and_watched(
    squall: Squall, tmp_path: Path
) -> None:
    levels = ("--level", "5:1s:0.001", "--level", "10:1s:1s", "--rate", "4/s", "--watch-interval", "500ms")
    done = squall("scaling", *levels, *QUICK, "--no-html", cwd=tmp_path)
    found = result(tmp_path)
    assert done.returncode == found.exit_code == 99, done.stdout + done.stderr
    assert "Progressive Scaling Test Results" in done.stdout
    assert "FAILED: at 5 connections failed: ws_response_time{phase:hold} avg<=0.001" in done.stdout
    assert [each.connection_level for each in found.levels] == [5, 10]
    assert [each.validation.latency_within_bounds for each in found.levels] == [False, True]
    for each in found.levels:
        usage = each.metrics.resource_usage
        assert usage.memory is not None
        assert usage.cpu is not None
        assert 0 < usage.memory < each.level.memory_max
        assert 0 <= usage.cpu < each.level.cpu_max
        assert each.validation.resources_efficient is True
        assert each.level.throughput_min == 0.8 * 4 * each.connection_level
        assert (tmp_path / "series" / each.folder / "summary.json").exists()
    assert list((tmp_path / "series").rglob("*.html")) == []


def test_a_level_that_holds_every_bound_passes_and_what_is_not_watched_is_not_known(
    squall: Squall, service_url: str, tmp_path: Path
) -> None:
    done = squall("scaling", service_url, "--level", "5:1s:1s", *QUICK, cwd=tmp_path)
    (level,) = result(tmp_path).levels
    assert done.returncode in (0, 110), done.stdout + done.stderr  # 110: this machine was too busy to be sure
    assert level.validation.system_stable is True
    assert level.validation.resources_efficient is None
    page = tmp_path / "series" / "scaling-report.html"
    assert done.stdout.endswith(f"\nreport: {page}\n")
    (link,) = re.findall(r'href="(level[^"]*)"', page.read_text("utf-8"))
    assert (page.parent / link).is_file()
