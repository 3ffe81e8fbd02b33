"""The view that shows nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from squall.live.silent import SilentView
from squall.record.run import Phase
from squall.record.snapshots import Event, Interval


def test_it_takes_everything_and_writes_nothing(
    make_interval: Callable[..., Interval],
    make_phase: Callable[..., Phase],
    capfd: pytest.CaptureFixture[str],
) -> None:
    view = SilentView()
    view.begin_phase(make_phase(), 1.0)
    view.accept(make_interval(0))
    view.happened(Event(at_ns=0, kind="stop", text="x"))
    view.finish()
    assert capfd.readouterr() == ("", "")
