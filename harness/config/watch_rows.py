"""The options of `harness watch` alone: how often it looks, what that may cost, and who is told of what."""

from __future__ import annotations

from harness.config import option_values as read
from harness.config.option import Door, Option
from harness.core.host_port import split_bind

WATCH: tuple[Door, ...] = ("watch",)
LEAST_EVERY = 10  # seconds: a look takes some of them

WATCH_OPTIONS: tuple[Option, ...] = (
    Option("every", "a look so often", WATCH, "1h30m", read.at_least(LEAST_EVERY), default="5m"),
    Option(
        "looks",
        "end after so many looks, with the last one's exit status",
        WATCH,
        "N",
        read.whole(1),
        otherwise="no end",
    ),
    Option(
        "budget",
        "USD that the looks of any 24 hours may cost; beyond it none is made",
        WATCH,
        "USD",
        read.number(),
        otherwise="no limit",
    ),
    Option(
        "listen",
        "where the page (/), the metrics (/metrics) and /health are served",
        WATCH,
        "HOST:PORT",
        split_bind,
        default="127.0.0.1:9464",
    ),
    Option("after", "alert once so many looks in a row say the same", WATCH, "N", read.whole(1), default="1"),
    Option(
        "alert-command",
        "run this when the cause changes; the alert is JSON on its standard input, and in HARNESS_ALERT_…",
        WATCH,
        "COMMAND",
        read.program,
        repeats=False,
    ),
    Option(
        "webhook",
        "post the alert here as JSON when the cause changes (or HARNESS_WEBHOOK)",
        WATCH,
        "URL",
        read.webhook,
        repeats=False,
    ),
    Option(
        "alert-exit",
        "end when the relay is no longer conforming, with the exit status of what was found",
        WATCH,
    ),
    Option(
        "quiet",
        "send no alert in these hours; what still holds when they end is told then",
        WATCH,
        "22:00-07:00",
        read.hours,
        many=True,
    ),
)
