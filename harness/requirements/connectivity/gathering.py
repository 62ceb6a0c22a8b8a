"""Our own candidates: whether STUN and TURN give what the page's configuration hopes for."""

from __future__ import annotations

from harness.core.events import CandidateFound, IceServerTried
from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED, limit_of
from harness.requirements.model import (
    Cause,
    Evidence,
    Finding,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement


@requirement(
    "connectivity.gathering",
    "Gathering finds the candidates that the ICE servers should give, and soon",
    level=Level.SHOULD,
    severity=Severity.NORMAL,
    source=Source(
        "RFC 8445, section 5.1.1",
        "Server reflexive candidates come from STUN, relayed ones from TURN; without them only hosts on the "
        "same network can be reached.",
        "https://www.rfc-editor.org/rfc/rfc8445#section-5.1.1",
    ),
    when=(OFFERED,),
    causes={
        "turn-refused": Cause(
            "the TURN server refused to relay",
            "check username, credential and realm of the iceServers entry (long-term credentials expire), "
            "and try them with `turnutils_uclient -u USER -w SECRET HOST`",
        ),
        "stun-unreachable": Cause(
            "an ICE server did not answer",
            "check host and port of the iceServers entry (3478/udp) and that the firewall lets UDP out; "
            "offer turns: on 443/tcp for networks that do not",
        ),
        "host-candidates-only": Cause(
            "only host candidates were found although ICE servers are configured",
            "check that the URLs begin with stun: or turn: and reach the peer connection before "
            "createOffer(); with host candidates alone the call works on the local network only",
        ),
        "gathering-slow": Cause(
            "gathering kept the offer waiting",
            "remove ICE servers that do not answer (each costs its whole time-out, 5 to 40 s), or send the "
            "offer without waiting: OpenAI accepts offers without candidates",
        ),
    },
)
def gathering(timeline: Timeline) -> Finding:
    """Each configured server gave a candidate, and gathering took no longer than `gathering_s`."""
    began = timeline.state("gathering", "gathering")
    done = timeline.state("gathering", "complete")
    tried = timeline.all(IceServerTried)
    if began is None and not tried:
        return NotApplicable("gathering was not recorded")
    seconds = done.at - began.at if began and done else None
    took = f"; gathering took {seconds:.1f} s" if seconds is not None else ""
    for cause, refused in (("turn-refused", True), ("stun-unreachable", False)):
        failed = [s for s in tried if s.error and _is_refusal(s) == refused]
        if failed:
            return Violation(cause, f"{failed[0].url}: {failed[0].error}{took}", tuple(map(_quote, failed)))
    found = timeline.all(CandidateFound)
    if tried and found and all(c.type == "host" for c in found):
        urls = ", ".join(s.url for s in tried)
        return Violation(
            "host-candidates-only", f"{len(found)} of them with {urls}", tuple(map(_quote, tried))
        )
    allowed = limit_of(timeline, "gathering_s")
    if began is not None and seconds is not None and seconds > allowed:
        return Violation(
            "gathering-slow",
            f"{seconds:.1f} s against {allowed:g} s",
            (Evidence(began.at, "gathering"), Evidence(began.at + seconds, "complete")),
        )
    return None


def _is_refusal(server: IceServerTried) -> bool:
    """The server answered, and said no: only TURN does."""
    return server.url.startswith("turn") and not server.error.startswith("timeout")


def _quote(server: IceServerTried) -> Evidence:
    return Evidence(
        server.at, f"{server.url}: {server.error or 'gave a candidate'} after {server.took:.2f} s"
    )
