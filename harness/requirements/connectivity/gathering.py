"""Our own candidates: whether STUN and TURN give what the page's configuration hopes for."""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.events import CandidateFound, IceServerTried
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import OFFERED, limit_of
from harness.requirements.model import (
    Because,
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
    stage=CallStage.GATHERING,
    level=Level.SHOULD,
    because=Because.ADVICE,
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
            "check username, credential and realm of the iceServers entry (time-limited credentials expire, "
            "and a user may have a quota), and try the server by itself with `harness ice URL`",
        ),
        "stun-unreachable": Cause(
            "an ICE server did not answer, or not as one",
            "check host and port of the iceServers entry (3478/udp), with turns: also the certificate, and "
            "that the firewall lets UDP out; offer turns: on 443/tcp for networks that do not. "
            "`harness ice URL` tries one by itself",
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
            in_time=True,
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
    failed = [s for s in tried if s.error]
    refusing = [s for s in failed if _is_refusal(s)]
    if refusing:
        return _blame("turn-refused", refusing, took)
    found = timeline.all(CandidateFound)
    if all(map(_gave_nothing, failed)) and _only_hosts(found, tried):
        seen = f"{len(found)} of them with {', '.join(s.url for s in tried)}"
        return Violation("host-candidates-only", seen, tuple(map(_quote, tried)))
    if failed:
        return _blame("stun-unreachable", failed, took)
    allowed = limit_of(timeline, "gathering_s")
    if began is not None and seconds is not None and seconds > allowed:
        return Violation(
            "gathering-slow",
            f"{seconds:.1f} s against {allowed:g} s",
            (Evidence(began.at, "gathering"), Evidence(began.at + seconds, "complete")),
        )
    return None


def _blame(cause: str, servers: Sequence[IceServerTried], took: str) -> Violation:
    first, *others = servers
    more = f", and {len(others)} more" if others else ""
    return Violation(cause, f"{first.url}: {first.error}{more}{took}", tuple(map(_quote, servers)))


def _is_refusal(server: IceServerTried) -> bool:
    """The TURN server answered with an error code: it said no."""
    return server.url.startswith("turn") and server.error[:3].isdigit()


def _gave_nothing(server: IceServerTried) -> bool:
    """It answered, but without an address."""
    return server.error.startswith("unusable")


def _only_hosts(found: Sequence[CandidateFound], tried: Sequence[IceServerTried]) -> bool:
    """On an open network a server reflexive candidate is the host candidate again, and is left out."""
    return bool(tried and found) and all(c.type == "host" for c in found) and not any(s.gave for s in tried)


def _quote(server: IceServerTried) -> Evidence:
    return Evidence(
        server.at,
        f"{server.url}: {server.error or ', '.join(server.gave) or 'answered'} after {server.took:.2f} s",
    )
