"""What needs a page load or a call of its own to be told of a web page: a scenario each.

`harness page --probe` makes them, and so does `pytest scenarios/ --caller page`.
"""

from __future__ import annotations

from harness.call.caller import Caller
from harness.call.scenario import Scenario, scenario
from harness.core.probes import PAGE_PROBE_NAMES

PAGE = ("page",)
SAYS = "en-m-yes"  # the shortest clip


@scenario(requirements=("page.asks-for-microphone", "page.refusal-told"), callers=PAGE)
async def page_microphone_denied(caller: Caller) -> None:
    """Somebody refuses the page the microphone: it says so."""
    caller.page.has_microphone("denied")
    await caller.connect()
    await caller.hang_up()


@scenario(requirements=("page.asks-for-microphone", "page.refusal-told"), callers=PAGE)
async def page_microphone_missing(caller: Caller) -> None:
    """Somebody without a microphone starts a call: the page says so."""
    caller.page.has_microphone("missing")
    await caller.connect()
    await caller.hang_up()


@scenario(
    requirements=("page.waits-for-microphone", "page.microphone-sent", "page.ready-when-open"), callers=PAGE
)
async def page_microphone_slow(caller: Caller) -> None:
    """A headset takes 0.7 s to become a microphone: the page waits for it, and then is heard."""
    caller.page.has_microphone("slow")
    await caller.connect()
    await caller.say(SAYS)
    await caller.hear_reply()
    await caller.hang_up()


@scenario(requirements=("page.gives-up",), lasts=15, callers=PAGE)
async def page_channel_silent(caller: Caller) -> None:
    """All connects, and the data channel never opens: the page gives up in time, and says so."""
    caller.page.has_silent_channel()
    await caller.connect()
    await caller.hang_up()


@scenario(requirements=("page.notices-loss", "page.renews-call"), lasts=55, bad_network=True, callers=PAGE)
async def page_network_lost(caller: Caller) -> None:
    """The network is lost in mid-call, and comes back: the page says so, and calls anew."""
    await caller.connect()
    await caller.page.loses_network()
    await caller.hang_up()


@scenario(requirements=("page.survives-short-loss",), lasts=25, bad_network=True, callers=PAGE)
async def page_disconnected(caller: Caller) -> None:
    """The browser is disconnected for 3 s, as on a train: the call goes on."""
    await caller.connect()
    await caller.page.is_disconnected()
    await caller.hang_up()


@scenario(requirements=("page.one-connection",), callers=PAGE)
async def page_double_click(caller: Caller) -> None:
    """The start button is hit by a double click: one call is made."""
    caller.page.is_clicked_twice()
    await caller.connect()
    await caller.stay_silent(1)
    await caller.hang_up()


@scenario(requirements=("page.leaving-releases",), callers=PAGE)
async def page_left(caller: Caller) -> None:
    """Somebody goes back in mid-call, with the browser's button: nothing goes on behind."""
    await caller.connect()
    await caller.page.goes_back()
    await caller.hang_up()


@scenario(requirements=("lifecycle.hang-up-releases-call",), callers=PAGE)
async def page_tab_closed(caller: Caller) -> None:
    """Somebody closes the tab in mid-call: the call ends at the upstream, too."""
    await caller.connect()
    await caller.page.closes_tab()


PAGE_PROBES: dict[str, Scenario] = dict(
    zip(
        PAGE_PROBE_NAMES,
        (
            page_microphone_denied,
            page_microphone_missing,
            page_microphone_slow,
            page_channel_silent,
            page_network_lost,
            page_disconnected,
            page_double_click,
            page_left,
            page_tab_closed,
        ),
        strict=True,
    )
)
"""By the name that `--probe` gives."""
