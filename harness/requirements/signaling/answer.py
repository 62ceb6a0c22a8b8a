"""What the answer must contain, so that a browser can connect by it."""

from __future__ import annotations

from harness.core.events import AnswerRejected
from harness.core.sdp import parse_sdp
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import ANSWERED, OFFERED
from harness.requirements.model import (
    Because,
    Cause,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
)
from harness.requirements.registry import requirement
from harness.requirements.signaling.quoting import (
    answer_of,
    answer_violation,
    both,
    gone,
    shape,
    shape_text,
)

OFFER_ANSWER = "https://www.rfc-editor.org/rfc/rfc3264#section-6"


@requirement(
    "signaling.answer-has-audio",
    "The answer accepts the offer's audio, both ways",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 3264, section 6",
        "Each m= line of the offer has one in the answer; a port of 0 rejects it; sendrecv is answered by "
        "it.",
        OFFER_ANSWER,
    ),
    needs=("signaling.answer-readable",),
    when=(OFFERED, ANSWERED),
    causes={
        "audio-section-missing": Cause(
            "the answer has no audio section",
            "return the upstream's answer byte for byte; do not filter its media sections",
        ),
        "audio-rejected": Cause(
            "the answer rejects the audio section (port 0)",
            "forward the offer unchanged, so that the upstream sees a codec that it knows (opus/48000/2)",
        ),
        "audio-direction": Cause(
            "the answer's audio does not flow both ways",
            "forward offer and answer unchanged: the caller must offer sendrecv (addTrack with the "
            "microphone, not a recvonly transceiver), the answer must say sendrecv",
        ),
    },
)
def answer_has_audio(timeline: Timeline) -> Finding:
    """m=audio is there, not rejected, and sendrecv."""
    offer, answer = both(timeline)
    section = answer.section("audio")
    if section is None:
        return gone(timeline, "audio-section-missing", "audio")
    if section.rejected:
        return answer_violation(timeline, "audio-rejected", "m=audio has port 0")
    offered = offer.section("audio")
    if (offered is None or offered.direction == "sendrecv") and section.direction != "sendrecv":
        seen = f"a={section.direction} in answer to a=sendrecv"
        return answer_violation(timeline, "audio-direction", seen)
    return None


@requirement(
    "signaling.answer-has-data-channel",
    "The answer accepts the offer's data channel",
    stage=CallStage.CHANNEL_ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 3264, section 6; RFC 8841, section 10",
        "For each m= line of the offer there is one in the answer; m=application carries the data channels.",
        OFFER_ANSWER,
    ),
    needs=("signaling.answer-readable",),
    when=(OFFERED, ANSWERED),
    causes={
        "data-section-missing": Cause(
            "the relay or the upstream dropped m=application, so the channel for events can never open",
            "forward the offer byte for byte and return the answer byte for byte; create the data channel "
            "before createOffer(), so that the offer has the section",
        ),
        "data-section-rejected": Cause(
            "the answer rejects m=application (port 0), so the channel for events can never open",
            "forward the offer unchanged, with a=sctp-port and UDP/DTLS/SCTP webrtc-datachannel as it came",
        ),
    },
)
def answer_has_data_channel(timeline: Timeline) -> Finding:
    """m=application is there and not rejected, where the offer had it."""
    offer, answer = both(timeline)
    if offer.sections and offer.section("application") is None:
        return NotApplicable("the offer asked for no data channel")
    section = answer.section("application")
    if section is None:
        return gone(timeline, "data-section-missing", "application")
    if section.rejected:
        return answer_violation(timeline, "data-section-rejected", "m=application has port 0")
    return None


@requirement(
    "signaling.answer-mirrors-offer",
    "The answer mirrors the offer's sections and completes its security",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 3264, section 6; RFC 8842, section 5.3; RFC 7874, section 3",
        "The same sections in the same order; the answer chooses setup active or passive; WebRTC speaks "
        "Opus.",
        OFFER_ANSWER,
    ),
    needs=("signaling.answer-has-audio", "signaling.answer-has-data-channel"),
    when=(OFFERED, ANSWERED),
    causes={
        "sections-differ": Cause(
            "the answer's sections are not the offer's",
            "return the upstream's answer byte for byte; do not reorder, drop or add sections, and keep "
            "a=mid",
        ),
        "setup-not-chosen": Cause(
            "the answer does not say who begins the DTLS handshake",
            "return a=setup:active (or passive) as the upstream wrote it; actpass belongs to offers only",
        ),
        "no-fingerprint": Cause(
            "the answer has no DTLS fingerprint, so media cannot be secured",
            "return the a=fingerprint line as the upstream wrote it",
        ),
        "no-ice-credentials": Cause(
            "the answer has no a=ice-ufrag or a=ice-pwd, so no connectivity check can be made",
            "return the ICE lines as the upstream wrote them",
        ),
        "browser-refuses": Cause(
            "a browser refuses the answer for what it says of the call",
            "return the upstream's answer byte for byte; an upstream of your own must answer what was "
            "offered: a=rtcp-mux, the mids in BUNDLE, the offer's numbers for header extensions",
        ),
        "no-opus": Cause(
            "the answer's audio has no Opus",
            "forward the offer with its a=rtpmap lines, opus/48000/2 among them, and return the answer "
            "unchanged",
        ),
    },
)
def answer_mirrors_offer(timeline: Timeline) -> Finding:
    """Sections, setup, fingerprint, ICE credentials and Opus."""
    offer, answer = both(timeline)
    if offer.sections and shape(offer) != shape(answer):
        seen = f"{shape_text(answer)} in answer to {shape_text(offer)}"
        return answer_violation(timeline, "sections-differ", seen)
    live = [section for section in answer.sections if not section.rejected]
    first = live[0]
    for section in live:
        if section.setup not in ("active", "passive"):
            seen = f"a=setup:{section.setup}" if section.setup else "no a=setup"
            return answer_violation(timeline, "setup-not-chosen", f"{seen} in m={section.kind}")
    # In a BUNDLE the first section speaks for all (RFC 9143, section 7.1.3).
    if not first.fingerprints:
        return answer_violation(timeline, "no-fingerprint", f"none in m={first.kind} nor in the session")
    if not first.ice_ufrag or not first.ice_pwd:
        missing = "a=ice-ufrag" if not first.ice_ufrag else "a=ice-pwd"
        return answer_violation(timeline, "no-ice-credentials", f"no {missing} in m={first.kind}")
    audio = answer.section("audio")
    if audio is not None and audio.codec("opus") is None:
        codecs = ", ".join(c.name for c in audio.codecs) or "none"
        return answer_violation(timeline, "no-opus", f"its codecs: {codecs}")
    rejected = timeline.first(AnswerRejected)
    return answer_violation(timeline, "browser-refuses", rejected.reason) if rejected else None


@requirement(
    "signaling.answer-has-candidates",
    "The answer carries its ICE candidates",
    stage=CallStage.ANSWER,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8839, section 4.1; OpenAI's WebRTC answers",
        "Without trickle ICE, all candidates stand in the description; a relay has no way to trickle.",
        "https://www.rfc-editor.org/rfc/rfc8839#section-5.1",
    ),
    needs=("signaling.answer-mirrors-offer",),
    when=(OFFERED, ANSWERED),
    causes={
        "no-candidates": Cause(
            "the answer names no candidate, so there is nowhere to connect to",
            "return the a=candidate lines as the upstream wrote them; an upstream of your own must finish "
            "gathering before it answers",
        )
    },
)
def answer_has_candidates(timeline: Timeline) -> Finding:
    """At least one readable a=candidate."""
    answer = parse_sdp(answer_of(timeline).sdp)
    if any(section.candidates for section in answer.sections):
        return None
    return answer_violation(timeline, "no-candidates", f"none in {shape_text(answer)}")
