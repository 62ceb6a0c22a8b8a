"""Every option of a front door, said once: pytest, the `harness` commands and Locust read this table.

A new option is a new row. Where it says how calls are made (`of_run`), its value becomes the argument or the
field of that name of `RunSettings`; otherwise the front door that shows it asks for it by its `field`.
"""

from __future__ import annotations

from harness.config import option_values as read
from harness.config.arrival_rows import ARRIVAL_OPTIONS
from harness.config.option import Door, Option
from harness.config.page_rows import PAGE_OPTIONS
from harness.config.watch_rows import WATCH_OPTIONS
from harness.core.callers import CALLERS
from harness.core.host_port import split_bind
from harness.core.impairments import IMPAIRMENTS
from harness.core.offer_shapes import OFFER_SHAPES

PYTEST: tuple[Door, ...] = ("pytest",)
CALLS: tuple[Door, ...] = ("pytest", "doctor", "watch")
PROGRAMS: tuple[Door, ...] = ("capacity", "soak")  # on top of Locust
LOAD: tuple[Door, ...] = (*PROGRAMS, "locust")

HIGHEST_SEED = 2**32


OPTIONS: tuple[Option, ...] = (
    # --- which relay, and how it is spoken to ---
    Option(
        "target",
        "the relay under test; without it the embedded relay and fake OpenAI are started",
        PYTEST,
        "URL|NAME",
        read.text,
        of_run=True,
        repeats=False,  # as it was understood
    ),
    Option(
        "config",
        "the file that names targets",
        (*CALLS, "page", *PROGRAMS),
        "FILE",
        read.path,
        otherwise="harness.toml here or in a folder above",
        of_run=True,
    ),
    Option(
        "dialect",
        "how the target wraps offer and answer",
        (*CALLS, *LOAD),
        "NAME",
        read.dialect,
        otherwise={
            "pytest": "json",
            "doctor": "found",
            "watch": "found",
            "capacity": "json",
            "soak": "json",
            "locust": "json",
        },
        of_run=True,
    ),
    Option(
        "origin",
        "the web page's origin: sent as a browser would, preflight included",
        (*CALLS, *LOAD),
        "ORIGIN",
        read.origin,
        of_run=True,
    ),
    Option(
        "offer",
        f"how the offer is written: {', '.join(OFFER_SHAPES)}",
        (*CALLS, *LOAD),
        "SHAPE",
        read.one_of("offer", OFFER_SHAPES),
        otherwise={
            "pytest": "in turn",
            **dict.fromkeys(("doctor", "watch"), "chromium"),
            **dict.fromkeys(LOAD, "minimal"),
        },
        of_run=True,
    ),
    Option(
        "find-line",
        "where the target refuses how an offer is written, search for the line that it trips over: up to "
        "three further calls are billed, else one (with --fake-openai none is, and it always searches)",
        CALLS,
        of_run=True,
    ),
    Option(
        "caller",
        f"who makes the calls: {', '.join(CALLERS)}",
        CALLS,
        "KIND",
        read.one_of("caller", CALLERS),
        otherwise="as the target's URL asks for",
        of_run=True,
    ),
    Option(
        "auth",
        "required or open: whether the target wants credentials",
        PYTEST,
        "required|open",
        read.one_of("answer", ("required", "open")),
        otherwise="it does where some are configured",
        of_run=True,
    ),
    Option(
        "silent",
        "the target is not meant to be heard (text only, or it answers nobody): nothing need be audible",
        (*CALLS, "page", *LOAD),
        of_run=True,
    ),
    Option(
        "fake-openai",
        "the harness's fake that the target's OpenAI base URL points at: both ends are seen",
        (*CALLS, "page", *LOAD),
        "HOST:PORT",
        read.fake_address,
        of_run=True,
    ),
    Option(
        "ice-server",
        "stun:HOST:PORT, turn:HOST:PORT?transport=udp|tcp or turns:HOST:PORT; the credentials are in "
        "HARNESS_ICE_USERNAME and HARNESS_ICE_CREDENTIAL",
        (*CALLS, *LOAD),
        "URL",
        read.ice_url,
        many=True,
        of_run=True,
    ),
    Option(
        "ice-servers-from",
        "fetch the ICE servers from here, or from this path on the target",
        (*CALLS, *LOAD),
        "URL",
        read.servers_from,
        of_run=True,
    ),
    Option(
        "ice-transport-policy",
        "relay: use relayed candidates only, as iceTransportPolicy does",
        (*CALLS, *LOAD),
        "all|relay",
        read.one_of("ICE transport policy", ("all", "relay")),
        otherwise="all",
        of_run=True,
    ),
    Option(
        "ice-ca",
        "an authority (PEM) that turns: servers may be signed by, besides the system's",
        (*CALLS, *LOAD),
        "FILE",
        read.authority,
        of_run=True,
    ),
    Option(
        "impairment",
        f"give every call a bad network, at its own sockets: {', '.join(IMPAIRMENTS[1:])}",
        CALLS,
        "NAME",
        read.one_of("impairment", IMPAIRMENTS),
        of_run=True,
    ),
    # --- which calls, and who makes them ---
    Option(
        "seed",
        "repeats a run's choices",
        (*CALLS, "page", "demo", *LOAD),
        "N",
        read.whole(0, HIGHEST_SEED - 1),
        otherwise={
            **dict.fromkeys(("pytest", *LOAD), "a new one, printed"),
            **dict.fromkeys(("doctor", "page", "demo", "watch"), "a new one"),
        },
        of_run=True,
        repeats=False,  # as it was drawn
    ),
    Option(
        "concurrency",
        "calls side by side",
        PYTEST,
        "N",
        read.whole(1),
        otherwise="6 embedded, 2 against a target",
        of_run=True,
        repeats=False,
    ),
    Option(
        "smoke",
        "the quickest look: one call with one short turn, under ten seconds; nothing else is called",
        ("pytest", "doctor"),
        repeats=False,
    ),
    Option(
        "repeat",
        "call each scenario so often, and say how many of the calls show what is found",
        PYTEST,
        "N",
        read.whole(1),
        default="1",
        repeats=False,
    ),
    Option("say", "what is said", ("doctor", "page"), "CLIP", read.text, default="en-f-order"),
    Option(
        "caller",
        "who calls: steady, reconnecting or interrupting",
        PROGRAMS,
        "KIND",
        read.one_of("caller", ("steady", "reconnecting", "interrupting")),
        default="steady",
    ),
    Option(
        "turns",
        "turns in each call of a steady caller",
        LOAD,
        "N",
        read.whole(1),
        default={"capacity": "2", "soak": "2", "locust": "3"},
        web=True,
    ),
    Option(
        "call-every",
        "seconds between a ChurnCaller's calls on average, whether or not the last has ended",
        ("locust",),
        "SECONDS",
        read.number(above=0),
        default="15",
        web=True,
    ),
    Option("calls", "calls at a time", ("soak",), "N", read.whole(1), default="10"),
    Option(
        "calls",
        "end when so many calls have been made",
        ("locust",),
        "N",
        read.whole(1),
        otherwise="no end",
    ),
    Option("for", "how long", ("soak",), "1h30m", read.duration, default="30m", called="seconds"),
    *ARRIVAL_OPTIONS,
    Option(
        "start",
        "calls of the first step",
        ("capacity",),
        "N",
        read.whole(1),
        otherwise="5; 20 offers a second with --arrivals",
    ),
    Option(
        "step",
        "calls that each step adds",
        ("capacity",),
        "N",
        read.whole(1),
        otherwise="10; with --arrivals each step doubles the rate",
    ),
    Option(
        "most",
        "never more calls than this",
        ("capacity",),
        "N",
        read.whole(1),
        otherwise="200; 5000 offers a second with --arrivals",
    ),
    Option("at-least", "holding fewer calls is a violation", ("capacity",), "N", read.whole(0), default="1"),
    Option(
        "step-seconds",
        "how long a step is measured",
        ("capacity",),
        "SECONDS",
        read.number(above=0),
        default="30",
    ),
    Option(
        "settle-seconds", "wait before each measurement", ("capacity",), "SECONDS", read.number(), default="5"
    ),
    *PAGE_OPTIONS,
    *WATCH_OPTIONS,
    # --- what is judged, and how strictly ---
    Option(
        "limit",
        "what a call is judged by, such as latency_ms=1500",
        (*CALLS, "page", *LOAD),
        "NAME=VALUE",
        read.limit,
        many=True,
        of_run=True,
        called="limits",
    ),
    Option(
        "requirement",
        "judge only this requirement; pytest then makes the fewest calls that can judge it",
        ("pytest", "judge"),
        "ID",
        read.text,
        many=True,
        repeats=False,
    ),
    Option("area", "judge only this area", ("pytest", "judge"), "AREA", read.text, many=True, repeats=False),
    Option("strict", "SHOULD requirements fail instead of warning", (*CALLS, "page", "judge"), of_run=True),
    Option(
        "slo",
        'what must hold: "DC open p95 < 5s", "first audio p95 < 1500ms", "failures < 1%"',
        LOAD,
        "TEXT",
        read.text,
        otherwise={
            "capacity": "DC open p95 < 5s, first audio p95 < 3s, failures < 1%; "
            "with --arrivals SDP POST p95 < 2s, failures < 1%",
            "soak": "no call fails; with --arrivals SDP POST p95 < 2s, failures < 1%",
        },
        many=True,
        called="slos",
    ),
    Option(
        "budget", "USD that all calls together may cost", LOAD, "USD", read.number(), otherwise="no limit"
    ),
    Option(
        "decode-share",
        "part of the calls (0 to 1) that are examined in full, sound included; at least 4 side by side",
        LOAD,
        "SHARE",
        read.number(least=0, most=1),
        default="0.1",
    ),
    # --- where to, and against what ---
    Option(
        "reports",
        "where the report and the evidence go",
        (*CALLS, "page", *LOAD),
        "DIR",
        read.path,
        default={
            "pytest": "reports/latest",
            "doctor": "reports/doctor",
            "page": "reports/page",
            "watch": "reports/watch",
            "capacity": "reports/capacity",
            "soak": "reports/soak",
            "locust": "reports/load",
        },
        of_run=True,
        repeats=False,
    ),
    Option(
        "baseline",
        "an earlier run's results.json: say what got worse beyond noise",
        PYTEST,
        "FILE|DIR",
        read.path,
        repeats=False,
    ),
    Option("fail-on-regression", "fail the run where it is worse than its --baseline", PYTEST, repeats=False),
    Option(
        "history",
        "add the run to this SQLite file, such as reports/history.sqlite; the report shows the trend",
        PYTEST,
        "FILE",
        read.path,
        repeats=False,
    ),
    Option(
        "metrics",
        "serve what the load comes to as /metrics, for Prometheus, while it runs",
        LOAD,
        "HOST:PORT",
        split_bind,
        otherwise="not served; Locust's web page has it as /metrics",
    ),
    Option(
        "telemetry",
        "send each call as an OpenTelemetry trace to OTEL_EXPORTER_OTLP_ENDPOINT, and tell the target which "
        "(traceparent)",
        CALLS,
        of_run=True,
    ),
    Option(
        "json",
        "print one JSON document instead of lines",
        ("doctor", "page", "demo", "judge"),
        repeats=False,
        called="as_json",
    ),
)


def options_of(door: Door) -> tuple[Option, ...]:
    """Those that a door shows, in the table's order."""
    return tuple(option for option in OPTIONS if door in option.doors)
