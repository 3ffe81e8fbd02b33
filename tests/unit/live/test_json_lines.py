"""Lines for machines: each whole, each by the published schema, numbered."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from squall.live import json_lines
from squall.live.json_lines import JsonView, interval_line
from squall.live.picture import Picture, Scene
from squall.metrics.totals import Totals
from squall.record.resources import ResourceSample
from squall.record.run import Phase, RunHeader
from squall.record.snapshots import Event, Interval
from squall.record.stability import StabilityCheck
from squall.record.verdicts import Verdict

PUBLISHED = Path(__file__).parents[3] / "docs" / "reference" / "progress.schema.json"
WAIT_S = 30.0
Intervals = Callable[..., Interval]


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def a_whole_run(
    view: JsonView,
    header: RunHeader,
    phase: Phase,
    interval: Interval,
    check: StabilityCheck,
    verdict: Verdict,
) -> None:
    view.begin_run(header, Path("runs/one"), Totals([], []))
    view.begin_phase(phase, 45.0)
    view.accept(interval)
    view.happened(
        Event(
            at_ns=2_000_000_000, kind="alert", text="slow", name="connection_latency", figure=120.5, bound=100
        )
    )
    view.sampled(ResourceSample(at_ns=2_500_000_000, source="target", role="target", cpu_share=0.5))
    view.checked(check)
    view.concluded(verdict)
    view.finish()


def test_every_kind_of_line_keeps_to_the_published_schema(
    make_interval: Intervals,
    make_phase: Callable[..., Phase],
    header: RunHeader,
    check: StabilityCheck,
    verdict: Verdict,
) -> None:
    stream = io.StringIO()
    drop = Event(at_ns=900_000_000, kind="drop", text="session 7\nwas reset")
    a_whole_run(JsonView(stream), header, make_phase(), make_interval(0, events=[drop]), check, verdict)
    written = lines(stream)
    kinds = ["run", "phase", "event", "interval", "event", "resources", "check", "verdict"]
    assert [line["kind"] for line in written] == kinds
    assert [line["line"] for line in written] == list(range(1, 9))
    schema = json.loads(PUBLISHED.read_text(encoding="utf-8"))
    for line in written:
        jsonschema.validate(line, schema)
        found = [name for name in line if name not in ("kind", "line")]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({name: line[name] for name in line if name != found[0]}, schema)


def test_the_first_line_says_which_run_and_the_last_how_it_ended(
    make_interval: Intervals,
    make_phase: Callable[..., Phase],
    header: RunHeader,
    check: StabilityCheck,
    verdict: Verdict,
) -> None:
    stream = io.StringIO()
    a_whole_run(JsonView(stream), header, make_phase(), make_interval(0), check, verdict)
    first, *_, last = lines(stream)
    assert first["target"] == ["ws://host/?token=***"]
    assert (first["folder"], last["folder"]) == ("runs/one", "runs/one")
    assert (last["outcome"], last["valid"], last["exit_code"]) == ("failed", True, 99)
    assert last["judgements"][0]["figure"] == 3


def test_the_line_of_an_interval_has_what_it_measured(picture: Picture) -> None:
    line = msgspec.to_builtins(interval_line(picture, 12))
    assert (line["line"], line["at_s"], line["phase"]) == (12, 72.0, "hold")
    assert line["connections"]["held"] == 9_998
    assert line["connections"]["attempted"] == 10_004
    assert line["rates"] == {"connects": 0.0, "sent": 10_012.3, "delivered": 10_011.2, "pushed": None}
    assert line["latency_ms"]["response"] == {"p50": 0.412, "p95": 0.92, "p99": 13.31, "max": 912.2}
    assert line["latency_ms"]["ping"] == {"p50": None, "p95": None, "p99": None, "max": None}
    assert (line["delivery"]["sent"], line["delivery"]["lost"]) == (1_234_567, 3)
    assert line["errors"][0] == {"step": "upgrade", "kind": "status_403", "blame": "target", "count": 2}


def test_nothing_measured_is_null() -> None:
    line = msgspec.to_builtins(interval_line(Scene().picture(), 1))
    assert line["rates"] == {"connects": None, "sent": None, "delivered": None, "pushed": None}
    assert line["loop_lag_max_ms"] is None


def test_a_reader_that_is_too_slow_sees_what_it_lost(
    make_interval: Intervals, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, release = threading.Event(), threading.Event()

    class Slow(io.StringIO):
        def write(self, text: str) -> int:
            entered.set()
            release.wait(WAIT_S)
            return super().write(text)

    monkeypatch.setattr(json_lines, "LINES_WAITING_MAX", 3)
    stream = Slow()
    view = JsonView(stream)
    view.accept(make_interval(0))
    assert entered.wait(WAIT_S)
    for index in range(1, 10):
        view.accept(make_interval(index))
    release.set()
    view.finish()
    assert [line["line"] for line in lines(stream)] == [1, 8, 9, 10]
