"""The options of a load of offers alone: `harness capacity --arrivals`, `harness soak --arrivals`, Locust."""

from __future__ import annotations

from collections.abc import Mapping

from harness.config import option_values as read
from harness.config.option import Door, Option
from harness.core.errors import UsageError

SEARCH: tuple[Door, ...] = ("capacity",)
STEADY: tuple[Door, ...] = ("soak",)
BOTH: tuple[Door, ...] = (*SEARCH, *STEADY)
EVERY: tuple[Door, ...] = (*BOTH, "locust")

SPACINGS = ("poisson", "constant", "bursts")  # harness.load.analysis.schedule says what each does

ARRIVAL_OPTIONS: tuple[Option, ...] = (
    Option("arrivals", "send offers alone, and search for how many a second the target answers", SEARCH),
    Option("arrivals", "send offers alone, at a steady rate", STEADY),
    Option("rate", "offers a second", STEADY, "N", read.number(above=0), default="20"),
    Option(
        "spacing",
        "how offers arrive: poisson (each by itself), constant, or bursts",
        BOTH,
        "KIND",
        read.one_of("spacing", SPACINGS),
        default="poisson",
    ),
    Option("burst-size", "offers at one moment", BOTH, "N", read.whole(1), default="50"),
    Option(
        "ramp-seconds",
        "in which the rate rises from nothing: of each step, or of a soak",
        BOTH,
        "SECONDS",
        read.number(),
        default="2",
    ),
    Option(
        "idle-seconds",
        "wait before the first offer, and before a burst, to see a cold start",
        SEARCH,
        "SECONDS",
        read.number(),
        default="0",
    ),
    Option("new-connections", "a connection for each offer, instead of keeping them", EVERY),
    Option("http2", "send offers over HTTP/2", EVERY),
    Option(
        "offer-every",
        "seconds between an OfferCaller's offers on average, whatever became of the last",
        ("locust",),
        "SECONDS",
        read.number(above=0),
        default="1",
        web=True,
    ),
    Option(
        "talking",
        "callers in full conversation while offers arrive",
        BOTH,
        "N",
        read.whole(0, 1000),
        default="0",
    ),
)

OF_ARRIVALS = frozenset(option.name for option in ARRIVAL_OPTIONS) - {"arrivals"}
OF_CALLS = {
    "caller": "those who talk while offers arrive are steady callers",
    "calls": "calls beside the offers are --talking N",
    "budget": "bound what is spent by --for, --most and --talking",
}
OF_TALK = ("turns", "ice-server", "ice-servers-from", "ice-transport-policy", "ice-ca")


def check_arrivals(said: Mapping[str, object], values: Mapping[str, object]) -> None:
    """Raises UsageError for what does not go together.

    `said`: by name, the options that were given; `values`: every option's value, by its field.
    """
    if not values.get("arrivals"):
        for name in said:
            if name in OF_ARRIVALS:
                raise UsageError(
                    f"--{name}: it is about offers alone", "give --arrivals with it, or leave it out"
                )
        return
    for name, instead in OF_CALLS.items():
        if name in said:
            raise UsageError(f"--{name}: it is about calls, and --arrivals sends offers alone", instead)
    for name in OF_TALK:
        if name in said and not values["talking"]:
            raise UsageError(
                f"--{name}: it is about a conversation, and nobody talks", "give --talking N with it"
            )
    check_connections(values)
    if "seconds" in values:
        _check_soak(said, values)


def check_connections(values: Mapping[str, object]) -> None:
    """Raises UsageError for two ways that exclude each other."""
    if values["http2"] and values["new_connections"]:
        raise UsageError("--http2 sends many offers through one connection", "leave --new-connections out")


def _check_soak(said: Mapping[str, object], values: Mapping[str, object]) -> None:
    ramp, seconds = values["ramp_seconds"], values["seconds"]
    if isinstance(ramp, float) and isinstance(seconds, int) and ramp >= seconds:
        raise UsageError(f"--ramp-seconds {ramp:g} is no shorter than --for {seconds}s", "let it last longer")
    if "burst-size" in said and values["spacing"] != "bursts":
        raise UsageError(
            "--burst-size: the offers come one by one", "give --spacing bursts with it, or leave it out"
        )
