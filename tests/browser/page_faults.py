"""Each fault of the reference page, and the one finding that it must lead to."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.call.page_probes import PAGE_PROBES
from harness.config.page import PageOptions


@dataclass(frozen=True)
class PlantedPage:
    """`fault`: as in the page's query; `finds`: `REQUIREMENT: CAUSE`, empty where the page is faultless.

    `fake`: a fault of the fake, for its next call; `also`: what is found of that. `says`: whether somebody
    speaks, and waits for the reply. `probe`: by which the call is made, as `harness page --probe` names it.
    `host`: the name in the page's address, where it is not the relay's.
    """

    fault: str
    finds: str
    language: str = "en"
    fake: str = ""
    also: str = ""
    says: bool = False
    probe: str = ""
    options: PageOptions = field(default_factory=PageOptions)
    query: str = ""
    path: str = ""
    host: str = ""

    def __str__(self) -> str:
        how = (f"microphone {self.options.microphone}", "clicked twice")
        hows = [how[0]] if self.options.microphone != "willing" else []
        hows += [how[1]] if self.options.clicks > 1 else []
        hows += [f"fake {self.fake}"] if self.fake else []
        hows += [f"probe {self.probe}"] if self.probe else []
        hows += ["at a relay of another origin"] if "relay=" in self.query else []
        hows += [f"at http://{self.host}"] if self.host else []
        hows += ["with the default bundle policy"] if "bundle=" in self.query else []
        return ", ".join(
            [self.fault or "faultless", *hows, *(["in Spanish"] if self.language == "es" else [])]
        )


CLOSED = "connectivity.data-channel-opens: ice-connected-but-channel-closed"
DENIED = PageOptions(microphone="denied")
TWICE = PageOptions(clicks=2)

PLANTED_PAGES = (
    PlantedPage("no-microphone", "page.asks-for-microphone: not-asked"),
    PlantedPage("does-nothing", "page.asks-for-microphone: not-asked"),
    # To browsers, this machine's address of all interfaces is not localhost.
    PlantedPage("", "page.asks-for-microphone: insecure-page", host="0.0.0.0"),
    PlantedPage("forbids-microphone", "page.microphone-given: policy-forbids"),
    PlantedPage("demands-microphone", "page.microphone-given: constraints-unmeetable"),
    PlantedPage("no-echo-cancellation", "page.microphone-constraints: echo-cancellation-off"),
    PlantedPage("denied-silently", "page.refusal-told: refusal-not-told", options=DENIED),
    PlantedPage("throws", "page.no-uncaught-errors: uncaught-error"),
    PlantedPage("rejects", "page.no-uncaught-errors: unhandled-rejection"),
    PlantedPage("navigates-away", "page.stays: navigated-away"),
    PlantedPage("two-connections", "page.one-connection: two-connections"),
    PlantedPage("double-click", "page.one-connection: double-click", options=TWICE),
    PlantedPage("relay-only", "page.ice-policies: relay-only-without-turn"),
    PlantedPage("max-compat", "page.ice-policies: not-bundled"),
    PlantedPage("no-ice-servers", "page.ice-policies: no-ice-servers"),
    PlantedPage("channel-after-offer", "page.channel-before-offer: channel-after-offer"),
    PlantedPage("no-channel", "page.channel-before-offer: no-channel"),
    PlantedPage("swallows-error", "page.offer-sent: not-made"),
    PlantedPage("never-offers", "page.offer-sent: not-sent"),
    PlantedPage("", "page.offer-sent: blocked-by-browser", query="&relay=http://localhost:{port}/health"),
    PlantedPage("trims-offer", "page.offer-unchanged: offer-trimmed"),
    PlantedPage("rewrites-offer", "page.offer-unchanged: offer-rewritten"),
    PlantedPage("waits-for-gathering", "page.does-not-wait-for-gathering: waits-for-gathering"),
    PlantedPage("key-in-page", "page.no-key: key-in-page"),
    PlantedPage("key-in-request", "page.no-key: key-in-request"),
    PlantedPage("sends-early", "page.sends-after-open: sent-before-open"),
    PlantedPage("late-listeners", "page.listens-in-time: listens-late"),
    PlantedPage("never-listens", "page.listens-in-time: never-listens"),
    PlantedPage("beta-update", "page.update-shape: beta-shape"),
    PlantedPage("ready-early", "page.ready-when-open: ready-too-early"),
    PlantedPage("ready-early", "page.ready-when-open: ready-too-early", language="es"),
    PlantedPage("mute-track", "page.microphone-sent: track-disabled", says=True),
    PlantedPage("stopped-track", "page.microphone-sent: track-ended", says=True),
    PlantedPage("not-sent", "page.microphone-sent: track-not-sent", says=True),
    PlantedPage("no-element", "page.reply-played: no-element", says=True),
    PlantedPage("late-track-listener", "page.reply-played: track-missed", says=True),
    PlantedPage("element-paused", "page.reply-played: element-paused", says=True),
    PlantedPage("element-muted", "page.reply-played: element-muted", says=True),
    PlantedPage("element-silent", "page.reply-played: element-muted", says=True),
    PlantedPage("play-interrupted", "page.reply-played: play-refused", says=True),
    PlantedPage("web-audio-suspended", "page.reply-played: context-suspended", says=True),
    PlantedPage("visualizer-only", "page.reply-played: not-connected", says=True),
    PlantedPage("reply-disabled", "page.reply-played: track-disabled", says=True, language="es"),
    PlantedPage("never-gives-up", "page.gives-up: waits-for-ever", fake="sctp-silent", also=CLOSED),
    PlantedPage("gives-up-silently", "page.gives-up: gives-up-silently", fake="sctp-silent", also=CLOSED),
    PlantedPage("keeps-connection", "page.stop-releases: connection-left-open"),
    PlantedPage("keeps-microphone", "page.stop-releases: microphone-left-on"),
    PlantedPage("channel-last", "page.clean-up-order: channel-after-connection"),
    PlantedPage("keeps-element", "page.clean-up-order: element-kept"),
)

# What an ordinary call does not show: each by the probe that does.
PROBED_PAGES = (
    PlantedPage("denied-silently", "page.refusal-told: refusal-not-told", probe="microphone-denied"),
    PlantedPage("denied-silently", "page.refusal-told: refusal-not-told", probe="microphone-missing"),
    PlantedPage(
        "impatient-microphone", "page.waits-for-microphone: gave-up-on-microphone", probe="microphone-slow"
    ),
    PlantedPage(
        "offers-before-microphone",
        "page.waits-for-microphone: offered-without-microphone",
        probe="microphone-slow",
    ),
    PlantedPage("never-gives-up", "page.gives-up: waits-for-ever", probe="channel-silent"),
    PlantedPage("gives-up-silently", "page.gives-up: gives-up-silently", probe="channel-silent"),
    PlantedPage("disconnected-is-final", "page.survives-short-loss: gave-up-too-early", probe="disconnected"),
    PlantedPage("never-notices-loss", "page.notices-loss: loss-not-noticed", probe="network-lost"),
    PlantedPage("loses-silently", "page.notices-loss: loss-not-told", probe="network-lost"),
    PlantedPage("never-renews", "page.renews-call: not-renewed", probe="network-lost"),
    PlantedPage("restarts-ice-alone", "page.renews-call: restart-without-offer", probe="network-lost"),
    PlantedPage("double-click", "page.one-connection: double-click", probe="double-click"),
    PlantedPage("keeps-call-on-leaving", "page.leaving-releases: call-goes-on-behind", probe="left"),
)

FAULTLESS_PAGES = (
    PlantedPage("", "", says=True),
    PlantedPage("", "", says=True, language="es", query="&bundle=balanced"),  # what who says nothing has
    PlantedPage("", "", options=DENIED),
    PlantedPage("", "", options=PageOptions(microphone="missing"), language="es"),
    PlantedPage("", "", options=PageOptions(microphone="slow")),
    PlantedPage("", "", options=TWICE),
    PlantedPage("web-audio", "", says=True),
    PlantedPage("no-stop", ""),
    *(PlantedPage("", "", probe=name) for name in PAGE_PROBES),
)

# What is said of a page that nobody can make a call with; each with a picture, where there is a page.
UNUSABLE_PAGES = (
    PlantedPage("no-button", "no button of the page is the obvious one"),
    PlantedPage("login", "it asks for a login", language="es"),
    PlantedPage("", "there is no button 'text=Nobody'", options=PageOptions(start=("text=Nobody",))),
    PlantedPage("", "':::' is no selector", options=PageOptions(start=(":::",))),
    PlantedPage("", "its server answers with status 404", path="/nowhere"),
)
