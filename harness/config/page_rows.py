"""The options of a web page that makes calls: rows of the table in `harness.config.options`."""

from __future__ import annotations

from harness.config import option_values as read
from harness.config.option import Door, Option
from harness.config.page import MOODS
from harness.core.probes import EVERY_PAGE_PROBE, PAGE_PROBE_NAMES

DOORS: tuple[Door, ...] = ("page", "pytest")

PAGE_OPTIONS: tuple[Option, ...] = (
    Option(
        "probe",
        "make a call that tries one thing, in place of the ordinary one: "
        f"{', '.join(PAGE_PROBE_NAMES)}; {EVERY_PAGE_PROBE}: the ordinary call and every one of them",
        ("page",),
        "NAME",
        read.one_of("probe", (*PAGE_PROBE_NAMES, EVERY_PAGE_PROBE)),
        many=True,
        repeats=False,
        called="probes",
    ),
    Option(
        "start",
        "the button that starts a call on a page, as Playwright selects ('text=Start call'); several are "
        "pressed in their order",
        DOORS,
        "SELECTOR",
        read.text,
        otherwise="the obvious one",
        many=True,
    ),
    Option(
        "stop",
        "the button that ends a page's call",
        DOORS,
        "SELECTOR",
        read.text,
        otherwise="the obvious one, else the page is closed",
    ),
    Option(
        "microphone",
        f"how a page's question for a microphone is answered: {', '.join(MOODS)}",
        DOORS,
        "KIND",
        read.one_of("microphone", MOODS),
        default="willing",
    ),
    Option("language", "the language of a page's browser, such as es-ES", DOORS, "TAG", read.text),
    Option(
        "storage-state",
        "cookies of somebody who is logged in on a page, as `playwright open --save-storage FILE URL` writes",
        DOORS,
        "FILE",
        read.path,
    ),
)
