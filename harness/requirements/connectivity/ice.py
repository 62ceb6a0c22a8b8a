"""Whether the two ends find a way to each other."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from harness.core.events import CandidateFound, ChecksCounted, IceServerTried
from harness.core.sdp import Candidate, parse_sdp
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import ANSWERED, OFFERED, last_moment, limit_of
from harness.requirements.model import (
    Alternative,
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

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@requirement(
    "connectivity.ice-connects",
    "ICE connects",
    stage=CallStage.ICE,
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    source=Source(
        "RFC 8445, sections 6 and 7",
        "Connectivity checks on pairs of candidates, until one that works both ways is nominated.",
        "https://www.rfc-editor.org/rfc/rfc8445#section-7",
    ),
    needs=("page.ice-policies", "signaling.answer-has-candidates", "signaling.answer-returned-intact"),
    when=(OFFERED, ANSWERED),
    causes={
        "no-candidates": Cause(
            "there is no pair of candidates to try",
            "the answer needs a UDP candidate of the caller's address family, and the caller one of its own: "
            "look for a=candidate lines that are TCP only, .local names, or a relay-only policy without TURN",
        ),
        "candidate-unroutable": Cause(
            "the answer's candidates cannot be reached from here",
            "let the upstream announce its public address (external-ip, NAT 1:1 mapping); private, loopback "
            "and documentation addresses work on its own network only",
        ),
        "credentials-mismatch": Cause(
            "the other end refuses our connectivity checks: ICE credentials do not match",
            "return a=ice-ufrag and a=ice-pwd of this very answer: a cached or rewritten answer, or that of "
            "another call, cannot match",
        ),
        "udp-blocked": Cause(
            "UDP does not get through between here and the upstream",
            "open UDP outbound (3478 and the answer's ports) in the firewall and let its answers back in, or "
            "configure TURN over TLS on 443/tcp for networks that block UDP",
            in_time=True,
        ),
        "no-answer-to-checks": Cause(
            "connectivity checks go out and nothing comes back",
            "check that the upstream's media server runs at the answer's address and port, and that its "
            "security group admits UDP there",
            in_time=True,
        ),
    },
)
def ice_connects(timeline: Timeline) -> Finding:
    """The ICE transport reaches connected."""
    if timeline.state("ice", "connected") is not None:
        return None
    answer = answer_of(timeline)
    failed = timeline.state("ice", "failed", before=last_moment(timeline) + 1e-6)
    watched = last_moment(timeline) - answer.at
    if failed is None and watched < limit_of(timeline, "channel_s"):
        return Inconclusive(
            f"the call was given up {watched:.1f} s after the answer, before ICE had its time"
        )
    remote = [c for s in parse_sdp(answer.sdp).sections for c in s.candidates]
    cause, seen, others = _why(timeline, remote)
    return Violation(cause, seen, _evidence(timeline, remote), others)


def _why(timeline: Timeline, remote: Sequence[Candidate]) -> tuple[str, str, tuple[Alternative, ...]]:
    local = timeline.all(CandidateFound)
    checks = timeline.last(ChecksCounted)
    theirs = timeline.last(ChecksCounted, side="upstream")
    usable = [c for c in remote if c.protocol == "udp" and not c.address.endswith(".local")]
    if not local:
        failed = [f"{s.url}: {s.error}" for s in timeline.all(IceServerTried) if s.error]
        return "no-candidates", "; ".join(["we gathered none of our own", *failed]), ()
    if not usable:
        return "no-candidates", f"of the answer's {len(remote)} none is UDP with an address", ()
    if checks is not None and checks.refused and not checks.answered:
        return "credentials-mismatch", f"{checks.refused} of {checks.sent} checks were refused", ()
    unroutable = [c for c in usable if not _reachable(c.address, [own.address for own in local])]
    sent = f"{checks.sent} checks sent, none answered" if checks else "no check was answered"
    silent = (Alternative("no-answer-to-checks", sent),)
    if len(unroutable) == len(usable):
        return "candidate-unroutable", ", ".join(map(str, unroutable[:3])), silent
    return _silence(timeline, checks, theirs, sent)


def _silence(
    timeline: Timeline, checks: ChecksCounted | None, theirs: ChecksCounted | None, sent: str
) -> tuple[str, str, tuple[Alternative, ...]]:
    if theirs is not None and theirs.replied:
        seen = f"{sent}, though the upstream received {theirs.received} and replied to {theirs.replied}"
        return "udp-blocked", f"{seen}: UDP gets out, and not back in", ()
    if theirs is not None and theirs.received:
        return "no-answer-to-checks", f"{sent}, though the upstream received {theirs.received}", ()
    if theirs is not None and checks is not None and checks.sent:
        return "udp-blocked", f"{checks.sent} checks sent, the upstream received none", ()
    tried = timeline.all(IceServerTried)
    if tried and all(server.error == "timeout" for server in tried):
        maybe = (Alternative("no-answer-to-checks", "the upstream itself may be silent"),)
        return "udp-blocked", f"{sent}, and no ICE server answered either", maybe
    return (
        "no-answer-to-checks",
        sent,
        (Alternative("udp-blocked", "a firewall would look the same from here"),),
    )


def _reachable(address: str, local: Sequence[str]) -> bool:
    """Whether packets from one of our addresses could ever arrive there; True where that cannot be told."""
    remote = _address(address)
    own = [a for a in map(_address, local) if a is not None]
    if remote is None or not own:
        return True
    if remote.is_unspecified or remote.is_multicast or remote.is_reserved or _documentation(remote):
        return False
    if remote.is_loopback:
        return any(a.is_loopback or a == remote for a in own)
    if remote.is_private or remote.is_link_local:
        return any(_same_network(remote, a) for a in own)
    return True


def _documentation(address: Address) -> bool:
    """TEST-NET-1 to 3 (RFC 5737) and 2001:db8::/32 (RFC 3849)."""
    networks = ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")
    return any(
        address in ipaddress.ip_network(n) for n in networks if n.count(":") > 0 or address.version == 4
    )


def _same_network(first: Address, second: Address) -> bool:
    bits = 16 if first.version == 4 else 48
    return first.version == second.version and second in ipaddress.ip_network(f"{first}/{bits}", strict=False)


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _evidence(timeline: Timeline, remote: Sequence[Candidate]) -> tuple[Evidence, ...]:
    answer = answer_of(timeline)
    lines = [Evidence(answer.at, f"answer's candidates: {', '.join(map(str, remote[:4])) or 'none'}")]
    own = timeline.all(CandidateFound)
    if own:
        ours = ", ".join(f"{c.type} {c.protocol} {c.address}:{c.port}" for c in own[:4])
        lines.append(Evidence(own[0].at, f"our candidates: {ours}"))
    reached = [timeline.state("ice", state) for state in ("checking", "disconnected", "failed")]
    lines += [Evidence(e.at, f"ICE {e.state} {e.detail}".rstrip()) for e in reached if e is not None]
    return tuple(lines)
