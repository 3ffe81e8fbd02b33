"""The histogram module in both forms: as it is installed, and from its source."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from squall.metrics import histogram

SOURCE = Path(__file__).parents[3] / "src" / "squall" / "metrics" / "histogram.py"


def histogram_from_source() -> ModuleType:
    spec = importlib.util.spec_from_file_location("histogram_from_source", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session", params=["installed", "source"])
def histograms(request: pytest.FixtureRequest) -> ModuleType:
    return histogram if request.param == "installed" else histogram_from_source()
