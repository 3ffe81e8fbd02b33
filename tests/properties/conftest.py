"""Hypothesis on a busy machine: that examples take long to make says nothing about squall."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("squall", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("squall")
