"""Processors are kept awake while a run lasts, and no longer; where that is not allowed the run goes on and says so."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from squall.engine.awake import DEVICE, KeptAwake, reason_against


def bound_us() -> int:
    """What the kernel holds to at the moment: the strictest of all that were asked for."""
    return int(struct.unpack("=i", DEVICE.read_bytes()[:4])[0])


@pytest.mark.skipif(
    bool(reason_against()), reason=f"processors are not ours to keep awake: {reason_against()}"
)
def test_the_kernel_is_bound_inside_and_as_before_outside() -> None:
    before = bound_us()
    with KeptAwake() as awake:
        assert awake.words == "kept awake"
        assert bound_us() == 0
    assert awake.words.startswith("may sleep")
    assert bound_us() == before


def test_not_asked_for_nothing_is_opened(tmp_path: Path) -> None:
    device = tmp_path / "device"
    device.touch()
    with KeptAwake(wanted=False, device=device) as awake:
        assert awake.words == "may sleep (not asked for)"
    assert device.read_bytes() == b""


@pytest.mark.parametrize(("name", "why"), [("nothing", "no such file"), ("", "is a directory")])
def test_where_it_cannot_be_held_the_reason_stands(tmp_path: Path, name: str, why: str) -> None:
    device = tmp_path / name
    with KeptAwake(device=device) as awake:
        assert awake.words.startswith(f"may sleep ({device}: {why}")
    assert reason_against(device).startswith(f"{device}: {why}")
    assert not (tmp_path / "nothing").exists()
