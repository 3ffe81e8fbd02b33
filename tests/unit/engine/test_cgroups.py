"""The control group of a process, by trees of files as Linux has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.engine.cgroups import Cgroup, Throttling


def tree(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def cgroup(tmp_path: Path, lines: str, files: dict[str, str]) -> Cgroup:
    tree(tmp_path / "proc", **{"7/cgroup": lines})
    tree(tmp_path / "sys", **files)
    return Cgroup(7, root=tmp_path / "sys", proc=tmp_path / "proc")


def test_version_2_with_limits_above_it(tmp_path: Path) -> None:
    found = cgroup(
        tmp_path,
        "0::/a/b\n",
        {
            "cgroup.controllers": "cpu memory\n",
            "a/memory.max": "1000\n",
            "a/memory.current": "900\n",
            "a/cpu.max": "max 100000\n",
            "a/b/memory.max": "2000\n",
            "a/b/memory.current": "300\n",
            "a/b/cpu.max": "150000 100000\n",
            "a/b/cpu.stat": "usage_usec 5\nnr_periods 40\nnr_throttled 7\nthrottled_usec 99\n",
        },
    )
    assert found.memory_limit() == 1000
    assert found.memory_left() == 100
    assert found.cores() == 1.5
    assert found.throttling() == Throttling(40, 7)


def test_version_1(tmp_path: Path) -> None:
    found = cgroup(
        tmp_path,
        "4:memory:/m/x\n2:cpu,cpuacct:/c\n0::/\n",
        {
            "memory/m/memory.limit_in_bytes": "5000\n",
            "memory/m/memory.usage_in_bytes": "6000\n",
            "memory/m/x/memory.limit_in_bytes": "9223372036854771712\n",
            "cpu/c/cpu.cfs_quota_us": "50000\n",
            "cpu/c/cpu.cfs_period_us": "100000\n",
            "cpu/c/cpu.stat": "nr_periods 3\nnr_throttled 1\nthrottled_time 5\n",
        },
    )
    assert (found.memory_limit(), found.memory_left()) == (5000, 0)
    assert found.cores() == 0.5
    assert found.throttling() == Throttling(3, 1)


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        ("", {}),
        ("0::/a\n", {}),
        ("0::/a\n", {"cgroup.controllers": "", "a/memory.max": "max\n", "a/cpu.max": "max 100000\n"}),
        ("2:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}),
        ("rubbish", {"memory.max": "rubbish"}),
    ],
)
def test_without_a_limit_there_is_none(tmp_path: Path, lines: str, files: dict[str, str]) -> None:
    found = cgroup(tmp_path, lines, files)
    assert (found.memory_limit(), found.memory_left(), found.cores(), found.throttling()) == (None,) * 4


def test_a_process_that_is_gone_has_none(tmp_path: Path) -> None:
    assert Cgroup(999, root=tmp_path, proc=tmp_path).cores() is None
