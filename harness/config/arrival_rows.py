"""The options of `harness capacity --arrivals`: a load of offers alone."""

from __future__ import annotations

from harness.config import option_values as read
from harness.config.option import Door, Option

DOORS: tuple[Door, ...] = ("capacity",)

SPACINGS = ("poisson", "constant", "bursts")  # harness.load.analysis.schedule says what each does

ARRIVAL_OPTIONS: tuple[Option, ...] = (
    Option("arrivals", "send offers alone, and search for how many a second the target answers", DOORS),
    Option(
        "spacing",
        "how offers arrive: poisson (each by itself), constant, or bursts",
        DOORS,
        "KIND",
        read.one_of("spacing", SPACINGS),
        default="poisson",
    ),
    Option("burst-size", "offers at one moment", DOORS, "N", read.whole(1), default="50"),
    Option(
        "ramp-seconds",
        "in which the rate of a step rises from nothing, before it settles",
        DOORS,
        "SECONDS",
        read.number(),
        default="2",
    ),
    Option(
        "idle-seconds",
        "wait before the first offer, and before a burst, to see a cold start",
        DOORS,
        "SECONDS",
        read.number(),
        default="0",
    ),
    Option("new-connections", "a connection for each offer, instead of keeping them", DOORS),
    Option("http2", "send offers over HTTP/2", DOORS),
    Option(
        "talking",
        "callers in full conversation while offers arrive",
        DOORS,
        "N",
        read.whole(0, 1000),
        default="0",
    ),
)
