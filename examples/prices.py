"""Prices as a Python scenario: the mix of symbols is computed, which a plain file cannot do."""

from squall.scenario.models import (
    ExponentialRamp,
    Load,
    MessageType,
    Payload,
    Population,
    Scenario,
    Target,
    Threshold,
    Traffic,
)

SYMBOLS = ("eur_usd", "usd_jpy", "gbp_usd", "usd_chf", "aud_usd")

scenario = Scenario(
    name="prices",
    target=Target(url=("ws://127.0.0.1:8080/prices",)),
    load=Load(connections=1_000, ramp_up=ExponentialRamp(start=20, duration=30.0), hold=120.0),
    populations=(
        Population(
            name="traders",
            traffic=Traffic(
                rate=4.0,
                payload=(Payload(size=96),),
                # Zipf's law: the n-th symbol is quoted 1/n as often as the first.
                types=tuple(
                    MessageType(name=symbol, weight=1 / rank, max_latency=0.25)
                    for rank, symbol in enumerate(SYMBOLS, start=1)
                ),
            ),
        ),
    ),
    thresholds=(Threshold(metric="ws_response_time", threshold="p(99)<100"),),
)
