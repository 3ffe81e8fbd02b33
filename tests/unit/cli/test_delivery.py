"""The flags of `squall delivery`, as far as no connection is made."""

from __future__ import annotations

from typing import Any

import pytest
import typer

from squall.cli.delivery import read
from squall.units import parse_count, parse_duration_s


def test_a_flag_that_the_test_reads_itself_is_taken_out_and_read() -> None:
    flags: dict[str, Any] = {"connections": ["10k"], "hold": ["30m"], "messages": [], "seed": ["4"]}
    assert read(flags, "connections", parse_count) == 10_000
    assert read(flags, "hold", parse_duration_s) == 1800
    assert read(flags, "messages", parse_count) is None
    assert flags == {"seed": ["4"]}


def test_a_value_that_is_none_is_refused_by_the_flag_s_name() -> None:
    with pytest.raises(typer.BadParameter) as refused:
        read({"hold": ["soon"]}, "hold", parse_duration_s, name="--duration")
    assert refused.value.param_hint == "--duration"
