"""What the page makes of a network that is gone, for a moment or for good, and of a user who goes back."""

from __future__ import annotations

from harness.core.events import (
    ButtonPressed,
    CallEnded,
    ConnectionUsed,
    HttpRequest,
    NetworkImpaired,
    StateChanged,
    TextShown,
    UserLeft,
)
from harness.core.probes import OFFER
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import hang_up_at, last_moment
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.ending import left_open
from harness.requirements.page.seen import OFFERING, PAGE, closed_by_page, shown
from harness.requirements.registry import requirement

WEBRTC = "https://www.w3.org/TR/webrtc/"
SURVIVES = 3.0  # seconds of `disconnected`
LOST_AFTER = 15.0  # seconds of `disconnected`: Chromium may take a minute to say `failed`
NOTICES = 4.0  # seconds from there to what the page makes of it
TELLS = 1.5  # seconds from an end of the call to a text that says so
RENEWS = 8.0  # seconds from a network that is back to a new offer
RELEASES = 2.5  # seconds from Back
SHORTEST_TEXT = 10  # characters: what is shorter is the name of a button, or a clock


def _never_disconnected(timeline: Timeline) -> NotApplicable | None:
    if _dark(timeline) is None or timeline.state("ice", "disconnected") is None:
        return NotApplicable("the connection was never disconnected on purpose")
    return None


def _never_failed(timeline: Timeline) -> NotApplicable | None:
    if _dark(timeline) is None or _lost_at(timeline) is None:
        return NotApplicable("no connection failed on purpose")
    return None


def _stayed(timeline: Timeline) -> NotApplicable | None:
    if timeline.first(UserLeft, where=lambda e: e.how == "back") is None:
        return NotApplicable("nobody went back in mid-call")
    return None


DISCONNECTED = Condition("the network was dark until the browser was disconnected", _never_disconnected)
LOST = Condition("the network was dark until the browser gave the connection up", _never_failed)
WENT_BACK = Condition("the user went back in mid-call", _stayed)


def _dark(timeline: Timeline) -> NetworkImpaired | None:
    return timeline.first(NetworkImpaired, where=lambda e: e.name == "blackout")


def _light(timeline: Timeline) -> NetworkImpaired | None:
    return timeline.first(NetworkImpaired, where=lambda e: e.name == "clear")


def _lost_at(timeline: Timeline) -> float | None:
    """When the connection was over: given up by the browser or the page, or disconnected for too long."""
    disconnected = timeline.state("ice", "disconnected")
    if disconnected is None:
        return None
    ends = [disconnected.at + LOST_AFTER]
    failed, closed = timeline.state("ice", "failed"), closed_by_page(timeline)
    ends += [failed.at] if failed else []
    ends += [closed.at] if closed and closed.at - disconnected.at >= SURVIVES else []
    light = _light(timeline)
    lost = min(ends)
    return lost if lost < hang_up_at(timeline) and (light is None or lost < light.at) else None


@requirement(
    "page.survives-short-loss",
    "Three seconds without a network do not end the call",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.CRITICAL,
    stage=CallStage.HANG_UP,
    source=Source(
        "WebRTC, section 5.6.4",
        "disconnected is a state that may resolve by itself; only failed is final without an ICE restart.",
        WEBRTC + "#rtcicetransportstate",
    ),
    hits="every caller whose network fails for a moment",
    when=(PAGE, OFFERING, DISCONNECTED),
    causes={
        "gave-up-too-early": Cause(
            "the page ended its call as soon as the browser was disconnected, which it may recover from",
            "on iceconnectionstatechange end the call on 'failed'; on 'disconnected' say that the network is "
            "weak, and wait for 5 s at least",
        )
    },
)
def survives_short_loss(timeline: Timeline) -> Finding:
    """The page does not close its connection within 3 s of `disconnected`."""
    disconnected, closed = timeline.state("ice", "disconnected"), closed_by_page(timeline)
    if disconnected is None:
        return None
    if closed is not None and closed.at < min(disconnected.at + SURVIVES, hang_up_at(timeline)):
        evidence = (
            Evidence(disconnected.at, "the browser was disconnected"),
            Evidence(closed.at, "the page closed its connection"),
        )
        return Violation("gave-up-too-early", f"{closed.at - disconnected.at:.1f} s after it", evidence)
    if hang_up_at(timeline) - disconnected.at < SURVIVES:
        return Inconclusive("the call was hung up before 3 s had passed")
    return None


@requirement(
    "page.notices-loss",
    "A page that has lost its network says so",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.HANG_UP,
    source=Source(
        "WebRTC, section 5.6.4; RFC 7675, section 5.1",
        "failed says that nothing gets through any more; disconnected, that nothing does for the moment.",
        WEBRTC + "#rtcicetransportstate",
    ),
    hits="every caller who loses the network",
    when=(PAGE, OFFERING, LOST),
    causes={
        "loss-not-noticed": Cause(
            "the connection failed, and the page went on as if nothing had happened",
            "listen to iceconnectionstatechange (or connectionstatechange): on 'failed', and after some "
            "10 s of 'disconnected', clean up, say that the connection was lost, and make the call anew",
        ),
        "loss-not-told": Cause(
            "the page gave the lost call up, and told its user nothing",
            "show that the connection was lost and what comes next; who is not told goes on speaking to "
            "nobody",
        ),
    },
)
def notices_loss(timeline: Timeline) -> Finding:
    """From `disconnected` to 4 s after the loss (`failed`, or 15 s of `disconnected`) a new text appears."""
    lost = _lost_at(timeline)
    if lost is None:
        return None
    disconnected, closed = timeline.state("ice", "disconnected"), closed_by_page(timeline)
    since = disconnected.at if disconnected else lost
    until = min(lost + NOTICES, hang_up_at(timeline))
    known = {text.text for text in shown(timeline, 0.0, since)} | {
        b.text for b in timeline.all(ButtonPressed)
    }
    told = [t for t in shown(timeline, since, until + TELLS) if _says_something(t) and t.text not in known]
    if told:
        return None
    acted = _new_offer(timeline, since, until) is not None
    gave_up = closed is not None and closed.at <= until
    if last_moment(timeline) - lost < NOTICES and not gave_up:
        return Inconclusive(f"the page was left {last_moment(timeline) - lost:.1f} s after it failed")
    evidence = [Evidence(lost, "the connection failed")]
    evidence += [Evidence(closed.at, "the page closed it")] if closed is not None and gave_up else []
    cause = "loss-not-told" if gave_up or acted else "loss-not-noticed"
    return Violation(cause, f"no new text until {until:.1f} s", tuple(evidence))


@requirement(
    "page.renews-call",
    "A call that was lost with the network is made anew",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    stage=CallStage.HANG_UP,
    source=Source(
        "WebRTC, section 4.4.2, restartIce(); OpenAI API reference, create call",
        "restartIce() only asks for negotiation: a new offer must go out. The API takes no second offer for "
        "a call, so a lost one is made anew.",
        WEBRTC + "#dom-rtcpeerconnection-restartice",
    ),
    hits="every caller who loses the network",
    needs=("page.notices-loss",),
    when=(PAGE, OFFERING, LOST),
    causes={
        "not-renewed": Cause(
            "the network was back, and the page made no new call",
            "on 'failed' close everything and start again, with a pause that grows and an end; the "
            "`online` event says when to try",
        ),
        "restart-without-offer": Cause(
            "the page called restartIce(), and sent no offer: nothing was restarted",
            "restartIce() takes effect with the next createOffer() alone, and the far end must answer that. "
            "OpenAI takes no second offer for a call, so make a new one",
        ),
    },
)
def renews_call(timeline: Timeline) -> Finding:
    """Within 8 s of a network that is back an offer is sent, or the connection is connected again."""
    lost, light = _lost_at(timeline), _light(timeline)
    if lost is None:
        return None
    if light is None:
        return NotApplicable("the network did not come back")
    hung_up = hang_up_at(timeline)
    if _new_offer(timeline, lost, hung_up) is not None:
        return None
    back = timeline.first(
        StateChanged,
        after=light.at,
        before=hung_up,
        where=lambda e: (e.layer, e.state) == ("ice", "connected"),
    )
    if back is not None:
        return None
    if hung_up - light.at < RENEWS:
        return Inconclusive(f"the page was left {hung_up - light.at:.1f} s after the network was back")
    restarted = timeline.first(ConnectionUsed, where=lambda e: e.method == "restartIce" and e.at < hung_up)
    evidence = [Evidence(lost, "the connection failed"), Evidence(light.at, "the network was back")]
    evidence += [Evidence(restarted.at, "restartIce()")] if restarted else []
    cause = "restart-without-offer" if restarted else "not-renewed"
    return Violation(cause, f"not within {hung_up - light.at:.1f} s", tuple(sorted(evidence, key=_at)))


@requirement(
    "page.leaving-releases",
    "Going back ends the call",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.HANG_UP,
    source=Source(
        "HTML Standard, session history; WebRTC, section 4.4.2, close()",
        "Back within one document unloads nothing: what the page does not close goes on, and is billed, with "
        "the microphone open.",
        WEBRTC + "#dom-rtcpeerconnection-close",
    ),
    hits="every caller who leaves by the browser's own button",
    when=(PAGE, OFFERING, WENT_BACK),
    causes={
        "call-goes-on-behind": Cause(
            "the user went back, and the call goes on behind with the microphone open",
            "end the call when its view goes (popstate, a route that changes, an effect's clean-up) and on "
            "pagehide: channel.close(), connection.close(), track.stop(), audio.srcObject = null",
        )
    },
)
def leaving_releases(timeline: Timeline) -> Finding:
    """Within 2.5 s all is closed and stopped, or the document is gone, or the far end has seen the end."""
    left = timeline.first(UserLeft, where=lambda e: e.how == "back")
    if left is None:
        return None
    deadline = left.at + RELEASES
    if timeline.first(CallEnded, side="upstream", after=left.at, before=deadline):
        return None  # the far end has seen it end, whatever the page could still tell
    kept = left_open(timeline, deadline)
    if not kept:
        return None
    watched = hang_up_at(timeline) - left.at
    if watched < RELEASES:
        return Inconclusive(f"the page was left {watched:.1f} s after Back")
    return Violation("call-goes-on-behind", kept, (Evidence(left.at, "Back was pressed"),))


def _says_something(text: TextShown) -> bool:
    return len(text.text) >= SHORTEST_TEXT or text.dialog


def _new_offer(timeline: Timeline, after: float, before: float) -> HttpRequest | None:
    return timeline.first(HttpRequest, after=after, before=before, where=lambda e: e.purpose == OFFER)


def _at(evidence: Evidence) -> float:
    return evidence.at or 0.0
