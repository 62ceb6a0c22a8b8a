"""Every option of a front door, said once: pytest, the `harness` commands and Locust read this table.

A new option is a new row. Where it says how calls are made (`of_run`), its value becomes the argument or the
field of that name of `RunSettings`; otherwise the front door that shows it asks for it by its `field`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from harness.config import option_values as read
from harness.core.callers import CALLERS
from harness.core.errors import UsageError
from harness.core.impairments import IMPAIRMENTS
from harness.core.offer_shapes import OFFER_SHAPES

Door = Literal["pytest", "doctor", "demo", "judge", "capacity", "soak", "locust"]
# What a door was given: texts, or for a flag whether it was said.
Texts = Mapping[str, str | bool | Sequence[str] | None]

PYTEST: tuple[Door, ...] = ("pytest",)
CALLS: tuple[Door, ...] = ("pytest", "doctor")
PROGRAMS: tuple[Door, ...] = ("capacity", "soak")  # on top of Locust
LOAD: tuple[Door, ...] = (*PROGRAMS, "locust")

HIGHEST_SEED = 2**32


@dataclass(frozen=True)
class Option:
    """`--NAME METAVAR`, or without `read` a flag.

    `default`: the text in force where none is given; `otherwise`: in words, what comes then. Either may
    differ by door. `many`: may be repeated. `web`: Locust's page shows it. `repeats`: whether a command that
    makes the same run again has it.
    """

    name: str
    help: str
    doors: tuple[Door, ...]
    metavar: str = ""
    read: read.Reader | None = None
    default: str | Mapping[Door, str] = ""
    otherwise: str | Mapping[Door, str] = ""
    many: bool = False
    of_run: bool = False
    repeats: bool = True
    web: bool = False
    called: str = ""  # the field, where it is not the name

    @property
    def field(self) -> str:
        """What its value is called in programs."""
        return self.called or self.name.replace("-", "_")

    @property
    def is_flag(self) -> bool:
        return self.read is None

    @property
    def variable(self) -> str:
        """The environment variable that stands in for it."""
        return f"HARNESS_{self.name.replace('-', '_').upper()}"

    def default_at(self, door: Door) -> str:
        """The text in force where none is given; empty for none."""
        return _at(door, self.default)

    def help_at(self, door: Door) -> str:
        """With what comes where it is not given."""
        usual = self.default_at(door) or _at(door, self.otherwise)
        many = "; may be repeated" if self.many else ""
        return f"{self.help}{many}" + (f" (default: {usual})" if usual else "")

    def value(self, text: str) -> Any:
        """Raises UsageError that names the option, what was given, and what would be right."""
        assert self.read is not None  # noqa: S101  (a flag has no text)
        with blaming(self.name):
            if not text.strip():
                raise UsageError("an empty text is no value", f"give {self.metavar}, or leave the option out")
            return self.read(text)


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
        (*CALLS, *PROGRAMS),
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
        otherwise={"pytest": "json", "doctor": "found", "capacity": "json", "soak": "json", "locust": "json"},
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
            "doctor": "chromium",
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
        (*CALLS, *LOAD),
        of_run=True,
    ),
    Option(
        "fake-openai",
        "the harness's fake that the target's OpenAI base URL points at: both ends are seen",
        (*CALLS, *LOAD),
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
        (*CALLS, "demo", *LOAD),
        "N",
        read.whole(0, HIGHEST_SEED - 1),
        otherwise={
            **dict.fromkeys(("pytest", *LOAD), "a new one, printed"),
            **dict.fromkeys(("doctor", "demo"), "a new one"),
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
        CALLS,
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
    Option("say", "what is said", ("doctor",), "CLIP", read.text, default="en-f-order"),
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
    Option("start", "calls of the first step", ("capacity",), "N", read.whole(1), default="5"),
    Option("step", "calls that each step adds", ("capacity",), "N", read.whole(1), default="10"),
    Option("most", "never more calls than this", ("capacity",), "N", read.whole(1), default="200"),
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
    # --- what is judged, and how strictly ---
    Option(
        "limit",
        "what a call is judged by, such as latency_ms=1500",
        (*CALLS, *LOAD),
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
    Option("strict", "SHOULD requirements fail instead of warning", (*CALLS, "judge")),
    Option(
        "slo",
        'what must hold: "DC open p95 < 5s", "first audio p95 < 1500ms", "failures < 1%"',
        ("capacity", "locust"),
        "TEXT",
        read.text,
        otherwise={"capacity": "DC open p95 < 5s, first audio p95 < 3s, failures < 1%"},
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
        (*CALLS, *LOAD),
        "DIR",
        read.path,
        default={
            "pytest": "reports/latest",
            "doctor": "reports/doctor",
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
        "json",
        "print one JSON document instead of lines",
        ("doctor", "demo", "judge"),
        repeats=False,
        called="as_json",
    ),
)


def options_of(door: Door) -> tuple[Option, ...]:
    """Those that a door shows, in the table's order."""
    return tuple(option for option in OPTIONS if door in option.doors)


def read_options(door: Door, texts: Texts) -> dict[str, Any]:
    """Every option's value by its field: None for one that is not given and has no default.

    One that may be repeated gives a tuple, a flag a bool. Raises UsageError: one line, with the option, what
    was given, and what would be right.
    """
    return {option.field: _value(option, door, texts.get(option.field)) for option in options_of(door)}


def given(door: Door, texts: Texts) -> dict[str, str | bool | Sequence[str]]:
    """What was said, without what was not: to hand on to another process."""
    return {
        option.field: said
        for option in options_of(door)
        if (said := texts.get(option.field)) is not None and said is not False and said not in ((), [])
    }


def in_words(door: Door, texts: Texts) -> list[str]:
    """The options that make the same run again, as they were said: no secret of a URL is among them."""
    words: list[str] = []
    for option in options_of(door):
        said = given(door, texts).get(option.field)
        if said is None or not option.repeats:
            continue
        if isinstance(said, bool):
            words.append(f"--{option.name}")
            continue
        for each in [said] if isinstance(said, str) else said:
            if each != option.default_at(door):
                words += [f"--{option.name}", _without_secrets(each)]
    return words


@contextmanager
def blaming(name: str) -> Iterator[None]:
    """Where a UsageError is raised in here, the option is named."""
    try:
        yield
    except UsageError as error:
        message = error.message.removeprefix(f"--{name} ")
        raise UsageError(f"--{name}: {message}", error.remedy) from error.__cause__


def _value(option: Option, door: Door, said: str | bool | Sequence[str] | None) -> Any:
    if option.is_flag:
        return bool(said)
    if option.many:
        return tuple(option.value(each) for each in _listed(said))
    if said is None or isinstance(said, bool):
        said = option.default_at(door) or None
    return None if said is None else option.value(str(said))


def _listed(said: str | bool | Sequence[str] | None) -> Sequence[str]:
    if said is None or isinstance(said, bool):
        return ()
    return (said,) if isinstance(said, str) else said


def _at(door: Door, said: str | Mapping[Door, str]) -> str:
    return said if isinstance(said, str) else said.get(door, "")


def _without_secrets(said: str) -> str:
    if said.lstrip().startswith(("{", "[")):  # JSON of ICE servers, with their credentials
        return "[redacted]"
    if not said.startswith(("http://", "https://")):
        return said
    from harness.config.target import Target  # only who writes a report has it

    return Target(said).shown_url
