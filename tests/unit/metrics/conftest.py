"""What the tests of metrics share: the histogram in both forms, and small runs made by hand."""

from __future__ import annotations

from types import ModuleType

import pytest

from both_forms import FORMS, module_in


@pytest.fixture(scope="session", params=FORMS)
def histograms(request: pytest.FixtureRequest) -> ModuleType:
    return module_in(request.param, "squall.metrics.histogram")
