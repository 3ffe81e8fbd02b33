"""Delivery success as an interval: above a bound if all of it is."""

from __future__ import annotations

from squall.metrics.success import DeliverySuccess


def test_an_interval_is_on_one_side_of_a_bound_if_all_of_it_is() -> None:
    success = DeliverySuccess(0.9, 0.95)
    assert success > 0.89
    assert not success > 0.9
    assert success >= 0.9
    assert not success >= 0.92
    assert success < 0.96
    assert not success < 0.95
    assert success <= 0.95
    assert not success <= 0.92
