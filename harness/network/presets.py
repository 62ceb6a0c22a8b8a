"""Networks by name. The figures are typical of what such networks are measured at; no standard fixes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from harness.core.errors import UsageError
from harness.core.nearest import meant
from harness.network.impairments import CLEAR, Impairment


@dataclass(frozen=True)
class Conditions:
    """Both directions as the caller has them: `up` is what it sends."""

    name: str
    up: Impairment = CLEAR
    down: Impairment = CLEAR
    description: str = ""


_COUNTRY = Impairment(loss=0.01, burst_loss=0.005, burst_packets=3, delay_ms=100, jitter_ms=20)
_MOVING = Impairment(loss=0.01, burst_loss=0.04, burst_packets=12, delay_ms=75, jitter_ms=30, reorder=0.005)
_CROWDED = Impairment(loss=0.02, burst_loss=0.01, burst_packets=4, delay_ms=45, jitter_ms=20, duplicate=0.002)

PRESETS: dict[str, Conditions] = {
    conditions.name: conditions
    for conditions in (
        Conditions("clear", description="nothing is done to packets"),
        Conditions(
            "wifi-good",
            up=Impairment(loss=0.001, delay_ms=5, jitter_ms=2, rate_kbps=20_000),
            down=Impairment(loss=0.001, delay_ms=5, jitter_ms=2, rate_kbps=50_000),
            description="a home network with a good signal",
        ),
        Conditions(
            "4g",
            up=Impairment(loss=0.003, delay_ms=35, jitter_ms=8, rate_kbps=5_000),
            down=Impairment(loss=0.003, delay_ms=25, jitter_ms=8, rate_kbps=20_000),
            description="a phone in a city",
        ),
        Conditions(
            "3g",
            up=replace(_COUNTRY, delay_ms=110, rate_kbps=384),
            down=replace(_COUNTRY, delay_ms=90, rate_kbps=1_600),
            description="a phone in the country",
        ),
        Conditions(
            "train",
            up=replace(_MOVING, delay_ms=80, rate_kbps=2_000),
            down=replace(_MOVING, delay_ms=70, rate_kbps=5_000),
            description="cells that change, tunnels, many passengers: losses in bursts",
        ),
        Conditions(
            "hotel",
            up=replace(_CROWDED, delay_ms=50, rate_kbps=500),
            down=replace(_CROWDED, delay_ms=45, rate_kbps=1_000),
            description="a crowded access point with a slow line behind it",
        ),
    )
}


def preset(name: str) -> Conditions:
    """The conditions of that name. Raises UsageError with near matches."""
    if name not in PRESETS:
        raise UsageError(f"there is no impairment {name!r}", meant(name, PRESETS))
    return PRESETS[name]
