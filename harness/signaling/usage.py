"""What the target's own backend has counted so far, asked of its usage endpoint."""

from __future__ import annotations

import math

import httpx

from harness.config.hooks import UsageEndpoint
from harness.config.target import Target
from harness.signaling.hook_request import HookRequest

HOOK = "the usage hook"
MEANWHILE = "the relay is not to blame, and only the comparison of what its calls used is lost"


async def told_usage(endpoint: UsageEndpoint, target: Target, client: httpx.AsyncClient) -> float:
    """The endpoint's figure now, in its unit. Raises HookFailedError."""
    request = HookRequest(HOOK, MEANWHILE, target, "GET", endpoint.url, endpoint.timeout)
    answer = await request.answer(client)
    where = f"at {endpoint.number!r}" if endpoint.number else "as its answer"
    if endpoint.number:
        answer = request.at(answer, endpoint.number, "the number")
    figure = _number(answer)
    if figure is None:
        # The value is not repeated: it is no number, and may be anything.
        raise request.failed(
            f"{request.shown} has no number of 0 or more {where}",
            "let `field` in harness.toml point at a number, or at one written as text",
        )
    return figure


def _number(value: object) -> float | None:
    """A finite number of 0 or more; decimals are often sent as text, so that they stay exact."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
