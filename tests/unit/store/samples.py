"""Records to store: one of each by hand, any of each by Hypothesis, and seconds as a run has them."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import numpy as np
from hypothesis import strategies as st

from squall.metrics.buckets import BUCKETS, bucket_of, pack
from squall.record.run import FORMAT_VERSION, Phase, RunHeader
from squall.record.snapshots import (
    ConnectionCell,
    Interval,
    MessageCell,
    Place,
    SparseHistogram,
    WorkerSample,
)
from squall.record.verdicts import Judgement, Validity, Verdict

HEADER = RunHeader(
    format_version=FORMAT_VERSION,
    run_id="20260131-142530-checkout-3f9a",
    name="checkout",
    squall_version="0.1.0",
    started_wall_ns=1_769_869_530_000_000_000,
    seed=42,
    run_number=7,
    scenario={"name": "checkout", "load": {"connections": 10_000}},
    populations=["default"],
    types=[["message"]],
    plan=["ramp up to 10,000 connections in 30 s"],
    environment={"cores": 2},
    command="squall run checkout.yaml --seed 42",
)

PHASE = Phase(
    id=1, name="hold", kind="sustained", start_ns=0, end_ns=None, level_start=10, level_end=10, words="held"
)

VERDICT = Verdict(
    outcome="failed",
    validity=Validity(valid=True),
    exit_code=99,
    reasons=("3 messages lost",),
    judgements=(
        Judgement(
            name="integrity: lost",
            source="integrity",
            bound="0",
            figure=3.0,
            truth="failed",
            required=True,
            evidence="3 of 10",
        ),
    ),
)


def interval(index: int, *, held: int = 10) -> Interval:
    """A second in which little happened."""
    cell = MessageCell(population=0, phase=1, type=0, place=0, intended=held, delivered=held)
    return Interval(index=index, at_ns=(index + 1) * 1_000_000_000, held=held, planned=held, messages=[cell])


def histogram(values_ns: np.ndarray[Any, np.dtype[np.float64]]) -> SparseHistogram:
    """The histogram of measured values."""
    whole = values_ns.astype(np.int64)
    counts = np.zeros(BUCKETS, dtype=np.int64)
    np.add.at(counts, [bucket_of(int(value)) for value in whole], 1)
    return SparseHistogram(len(whole), int(whole.sum()), int(whole.min()), int(whole.max()), pack(counts))


def busy_interval(
    index: int, *, messages: int = 10_000, types_: int = 1, places: int = 1, sigma: float = 0.7, seed: int = 0
) -> Interval:
    """A second of a run under load: log-normal service times around 1.5 ms, lags of some 400 µs."""
    rng = np.random.default_rng([seed, index])
    each = messages // (types_ * places)
    cells = []
    for type_ in range(types_):
        for place in range(places):
            lag = rng.lognormal(np.log(400e3), 0.6, each)
            service = rng.lognormal(np.log(1.5e6), sigma, each)
            cells.append(
                MessageCell(
                    population=0,
                    phase=1,
                    type=type_,
                    place=place,
                    intended=each,
                    delivered=each,
                    response=histogram(service + lag),
                    service=histogram(service),
                    lag=histogram(lag),
                )
            )
    return Interval(
        index=index,
        at_ns=(index + 1) * 1_000_000_000,
        held=messages,
        planned=messages,
        workers=[_sample(worker, index, messages // 2) for worker in range(2)],
        messages=cells,
        connections=[_traffic(place, messages // places) for place in range(places)],
        places=[Place(f"ws://127.0.0.1:{9000 + place}/", "") for place in range(places)]
        if index == 0
        else [],
    )


def _sample(worker: int, index: int, held: int) -> WorkerSample:
    return WorkerSample(
        worker=worker,
        held=held,
        outstanding=17 + index % 13,
        started=held,
        cpu_ns=610_000_000 + 1_000 * (index % 977),
        rss_bytes=120 << 20,
        loop_lag_max_ns=800_000 + 77 * (index % 1_009),
        silence_ns=1_034_567_890 + index % 1_013,
        silence_start_ns=index * 1_000_000_000 + 123_456,
    )


def _traffic(place: int, messages: int) -> ConnectionCell:
    return ConnectionCell(
        population=0,
        phase=1,
        place=place,
        pings_sent=messages // 30,
        pongs_received=messages // 30,
        messages_sent=messages,
        messages_received=messages,
        bytes_sent=messages * 136,
        bytes_received=messages * 132,
    )


INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1) | st.integers(min_value=-40, max_value=40)
PLAIN = st.recursive(
    st.none() | st.booleans() | INTEGERS | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)

_SIMPLE: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
    int: lambda: INTEGERS,
    float: lambda: st.floats(allow_nan=False),
    bool: st.booleans,
    str: lambda: st.text(max_size=12),
    bytes: lambda: st.binary(max_size=40),
    Any: lambda: PLAIN,
    type(None): st.none,
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of a type as records use them: every field is drawn, those with a default too."""
    if hint in _SIMPLE:
        return _SIMPLE[hint]()
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (Union, types.UnionType):
        return st.one_of(*(any_of(part) for part in inner))
    if origin is list:
        return st.lists(any_of(inner[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(any_of(inner[0]), any_of(inner[1]), max_size=3)
    if origin is tuple and inner[-1] is Ellipsis:
        return st.lists(any_of(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(any_of(part) for part in inner))
    assert isinstance(hint, type), hint
    assert issubclass(hint, msgspec.Struct), hint
    return st.builds(hint, **{name: any_of(part) for name, part in get_type_hints(hint).items()})
