"""From ICE connected to the open data channel: DTLS, SCTP, and the channel for events."""

from __future__ import annotations

from harness.core.events import PacketMalformed, StateChanged
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import ANSWERED, OFFERED, last_moment, limit_of
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.signaling.quoting import answer_of


@requirement(
    "connectivity.dtls-connects",
    "The DTLS handshake completes",
    stage=CallStage.DTLS,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8827, section 6.5; RFC 8122, section 6.2",
        "Media is keyed by DTLS-SRTP; a certificate that does not match a=fingerprint ends the connection.",
        "https://www.rfc-editor.org/rfc/rfc8122#section-6.2",
    ),
    needs=("connectivity.ice-connects",),
    when=(OFFERED, ANSWERED),
    causes={
        "fingerprint-mismatch": Cause(
            "the upstream's certificate is not the one that the answer announces",
            "return a=fingerprint of this very answer: a cached or rewritten answer, or that of another "
            "call, cannot match",
        ),
        "dtls-timeout": Cause(
            "the DTLS handshake did not complete",
            "return a=setup and a=fingerprint as the upstream wrote them; a path that passes small STUN "
            "packets and drops larger ones (MTU, VPN) looks like this too",
            in_time=True,
        ),
    },
)
def dtls_connects(timeline: Timeline) -> Finding:
    """The DTLS transport reaches connected."""
    if timeline.state("dtls", "connected") is not None:
        return None
    until = last_moment(timeline)
    failed = timeline.state("dtls", "failed", before=until + 1e-6)
    connected = timeline.state("ice", "connected")
    since = until - connected.at if connected else 0.0
    if failed is None and since < limit_of(timeline, "channel_s"):
        return Inconclusive(
            f"the call was given up {since:.1f} s after ICE connected, before DTLS had its time"
        )
    evidence = _states(timeline, "ice", "dtls")
    if failed is not None and "certificate" in failed.detail:
        return Violation("fingerprint-mismatch", failed.detail, evidence)
    seen = failed.detail or "the handshake failed" if failed else f"nothing for {since:.1f} s"
    return Violation("dtls-timeout", seen, evidence)


@requirement(
    "connectivity.packets-well-formed",
    "What comes over SCTP is well formed",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    source=Source(
        "RFC 9260, section 3; RFC 8832, section 5; RFC 8831, section 6.6",
        "Chunks and their parameters have the lengths that they say, and texts are UTF-8; a browser may drop "
        "what is not, or close the association.",
        "https://www.rfc-editor.org/rfc/rfc9260#section-3",
    ),
    needs=("connectivity.dtls-connects",),
    when=(OFFERED, ANSWERED),
    causes={
        "sctp-malformed": Cause(
            "whoever ends the call's DTLS sent SCTP packets that are malformed",
            "look at what terminates WebRTC there: a gateway or media server of your own needs its SCTP "
            "library updated; behind a relay that only forwards offers, report it to the upstream",
        ),
    },
)
def packets_well_formed(timeline: Timeline) -> Finding:
    """No packet or message was dropped for its form."""
    malformed = timeline.all(PacketMalformed)
    if not malformed:
        return None
    more = f", and {len(malformed) - 1} problems more" if len(malformed) > 1 else ""
    return Violation(
        "sctp-malformed",
        f"it sent {malformed[0].problem}{more}",
        tuple(Evidence(e.at, e.problem) for e in malformed[:5]),
    )


@requirement(
    "connectivity.data-channel-opens",
    "The data channel opens within 5 s of the answer",
    stage=CallStage.CHANNEL,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8832, section 6; OpenAI Realtime guide, WebRTC",
        "Events travel on the data channel; nothing can be said or heard of a call whose channel stays "
        "closed. Five seconds is how long the page waits.",
        "https://platform.openai.com/docs/guides/realtime-webrtc",
    ),
    needs=("signaling.answer-has-data-channel", "connectivity.ice-connects", "connectivity.dtls-connects"),
    when=(OFFERED, ANSWERED),
    causes={
        "ice-not-connected": Cause(
            "ICE was not connected when the channel should have been open",
            "this is about the network path, not the channel: look at slow or lost connectivity checks, STUN "
            "time-outs and candidates that do not answer",
            in_time=True,
        ),
        "channel-late": Cause(
            "the data channel opened too late, long after ICE had connected",
            "look at the upstream between DTLS and SCTP: load, or an application that creates its side late",
            in_time=True,
        ),
        "ice-connected-but-channel-closed": Cause(
            "ICE is connected, but the data channel never opened",
            "create the channel before createOffer(), and let m=application with its a=sctp-port pass "
            "unchanged in offer and answer; then look at the upstream's SCTP",
            in_time=True,
        ),
    },
)
def data_channel_opens(timeline: Timeline) -> Finding:
    """Open within `channel_s` of the answer; if not, whether ICE was to blame."""
    answer = answer_of(timeline)
    allowed = limit_of(timeline, "channel_s")
    opened = timeline.state("channel", "open")
    if opened is not None and opened.at - answer.at <= allowed:
        return None
    evidence = (Evidence(answer.at, "answer"), *_states(timeline, "ice", "dtls", "sctp", "channel"))
    until = last_moment(timeline)
    if opened is None and until - answer.at < allowed and not _gave_up(timeline):
        return Inconclusive(f"the call was given up {until - answer.at:.1f} s after the answer")
    connected = timeline.state("ice", "connected")
    if connected is not None and connected.at - answer.at > allowed:
        seen = f"connected {connected.at - answer.at:.1f} s after the answer, {allowed:g} s were allowed"
        return Violation("ice-not-connected", seen, evidence)
    lost = [
        e
        for state in ("disconnected", "failed")
        if (e := timeline.state("ice", state, before=opened.at if opened else until)) is not None
    ]
    if lost:
        return Violation("ice-not-connected", f"{lost[0].state} at {lost[0].at:.3f} s", evidence)
    if opened is not None:
        seen = f"{opened.at - answer.at:.1f} s after the answer, {allowed:g} s were allowed"
        return Violation("channel-late", seen, evidence)
    states = timeline.all(StateChanged, where=lambda e: e.layer == "sctp", before=until)
    sctp = states[-1].state if states else "never begun"
    return Violation(
        "ice-connected-but-channel-closed", f"SCTP {sctp} {until - answer.at:.1f} s later", evidence
    )


def _gave_up(timeline: Timeline) -> bool:
    """SCTP or the channel ended by itself before the hang-up."""
    until = last_moment(timeline)
    return any(timeline.state(layer, "closed", before=until) is not None for layer in ("sctp", "channel"))


def _states(timeline: Timeline, *layers: str) -> tuple[Evidence, ...]:
    until = last_moment(timeline)
    changes = timeline.all(StateChanged, where=lambda e: e.layer in layers and e.at <= until)
    return tuple(Evidence(e.at, f"{e.layer} {e.state} {e.detail}".rstrip()) for e in changes)
