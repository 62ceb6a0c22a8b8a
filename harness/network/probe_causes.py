"""Why a STUN or TURN server does not work, by the step that failed and what was answered; with the fix."""

from __future__ import annotations

from typing import NamedTuple

from harness.config.ice import IceUrl
from harness.network.failures import TIMEOUT


class ProbeCause(NamedTuple):
    """`slug` names the cause, `seen` is what happened, `fix` what to do."""

    slug: str
    seen: str
    fix: str


STUN_ONLY = f"{TIMEOUT}, though it answers a Binding"

FIXES = {
    "unresolved": "the name does not exist, or this machine's DNS does not know it or blocks it (0.0.0.0): "
    "look for a typing error, a blocking name server, a hosts file",
    "unreachable": "check host and port, that the server runs, and that firewalls on both sides let {kind} "
    "through to port {port}",
    "silent": "something took the connection and does not answer as a TURN server: a proxy, a web server, or "
    "the wrong port",
    "stun-only": "the server does STUN alone: start it for TURN (without stun-only), or write stun: here",
    "certificate": "renew the server's certificate, send its whole chain, and use a name that stands in it; "
    "an authority of your own is trusted with --ice-ca FILE",
    "no-tls": "this port does not speak TLS: turns: is usually 5349 or 443, turn: is 3478",
    "wrong-realm": "another realm answers: is it the right server, and is the `realm` of its settings?",
    "expired-credentials": "fetch new ones: the back end makes them for each call, and its clock must agree "
    "with the server's",
    "wrong-credentials": "check username and credential; with a shared secret (use-auth-secret) the username "
    "begins with the second at which it expires, and the credential is base64 of HMAC-SHA1 over it",
    "quota": "this user has all the allocations that the server grants (user-quota, total-quota): wait for "
    "calls to end, or raise it; this probe takes one for each URL",
    "no-capacity": "the server is full: its relay ports (min-port to max-port) or bandwidth (bps-capacity)",
    "forbidden": "the server may not relay to its own address nor to this machine's: look at denied-peer-ip "
    "and allow-loopback-peers",
    "no-ipv4": "the server relays no IPv4, which is what is asked for unless said otherwise: give it an IPv4 "
    "address (relay-ip)",
    "no-data": "the server relays nothing: open its relay ports (49152 to 65535 by default) for UDP, and set "
    "external-ip where it is behind NAT",
    "no-address": "it answers, but not as RFC 8489 says: an old server, or something else on this port",
    "refused": "look the code up in RFC 8656, section 19, and in the server's log",
}

_CODES = {
    "401": "wrong-credentials",
    "403": "forbidden",
    "440": "no-ipv4",
    "441": "wrong-credentials",
    "486": "quota",
    "508": "no-capacity",
}
_WORDS = {
    "unresolved": "unresolved",
    "unreachable": "unreachable",
    "certificate": "certificate",
    "tls": "no-tls",
    "unusable": "no-address",
    "realm": "wrong-realm",
}


def cause_of(step: str, error: str, url: IceUrl) -> ProbeCause:
    """The cause behind a step's error, as `failures.failure` words it."""
    slug = _slug(step, error, url)
    kind = "TLS over TCP" if url.secure else url.transport.upper()
    fix = FIXES[slug].format(kind=kind, port=url.port) if slug == "unreachable" else FIXES[slug]
    return ProbeCause(slug, f"{step}: {error}", fix)


def _slug(step: str, error: str, url: IceUrl) -> str:
    if "credential expired" in error:
        return "expired-credentials"
    if error == STUN_ONLY:
        return "stun-only"
    if error == TIMEOUT:
        if step in ("permission", "data"):
            return "no-data"
        return "silent" if url.transport == "tcp" and step != "connect" else "unreachable"
    if error[:3].isdigit():
        return _CODES.get(error[:3], "refused")
    return _WORDS.get(error.partition(":")[0].partition(" ")[0], "refused")
