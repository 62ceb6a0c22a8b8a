from __future__ import annotations

import pytest


@pytest.fixture(params=["", "1"], ids=["as here", "plain"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Once with what this system has, and once with what stands in for it; whether it is that."""
    monkeypatch.setenv("HARNESS_PLAIN_PLATFORM", request.param)
    return bool(request.param)
