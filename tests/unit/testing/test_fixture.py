"""What the fixture `squall` gives: sizes by scale, folders of their own, testers of the target."""

from __future__ import annotations

from pathlib import Path

import pytest

from squall.errors import PlanError
from squall.scale import Scale
from squall.testing.fixture import SquallFixture, folder_for


@pytest.mark.parametrize(("scale", "size"), [("smoke", 1), ("standard", 2), ("full", 3)])
def test_a_size_is_that_of_the_scale(tmp_path: Path, scale: Scale, size: int) -> None:
    assert SquallFixture(scale, None, tmp_path).at_scale(smoke=1, standard=2, full=3) == size


def test_each_tester_has_a_run_folder_of_its_own_and_the_target(tmp_path: Path) -> None:
    with SquallFixture("smoke", "ws://target/", tmp_path) as fixture:
        testers = [
            fixture.tester(),
            fixture.tester("ws://other/", max_connections=5),
            fixture.tester(out=tmp_path / "own"),
        ]
    assert [each.scenario.outputs.out for each in testers] == [
        str(tmp_path / name) for name in ("run", "run-2", "own")
    ]
    assert [each.scenario.target.url for each in testers] == [
        ("ws://target/",),
        ("ws://other/",),
        ("ws://target/",),
    ]
    assert testers[1].scenario.load.connections == 5
    assert fixture.sentences() == []  # none has run


def test_only_processes_that_are_known_are_watched(tmp_path: Path) -> None:
    assert SquallFixture("smoke", "ws://127.0.0.1:9/", tmp_path).watch == {}


def test_a_test_without_a_run_has_none_to_read(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no run yet"):
        SquallFixture("smoke", None, tmp_path).read_run()


def test_a_folder_is_named_after_the_test_and_never_used_twice(tmp_path: Path) -> None:
    names = [
        folder_for(tmp_path / "out", test).name for test in ("test_a[x/../y]", "test_a[x/../y]", "..", "é")
    ]
    assert names == ["test_a-x-..-y", "test_a-x-..-y-2", "test", "test-2"]
