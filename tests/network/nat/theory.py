"""What must come of each network with each set of ICE servers, and why: written down before the first call.

The upstream is as OpenAI's is: public host candidates, and nothing of STUN or TURN on its side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.network.nat.addresses import ICE_SERVERS
from tests.network.nat.cells import Cell


@dataclass(frozen=True)
class Expected:
    """Of one call: whether it connects, and the causes that verdicts must name, empty for none.

    `relayed`: only TURN leads there. `gathering`: a cause of connectivity.gathering. `alone`: one of
    connectivity.ice-connects, as told from the caller's end; `both_ends`: with the upstream's view beside.
    """

    because: str
    connects: bool
    relayed: bool = False
    gathering: str = ""
    alone: str = ""
    both_ends: str = ""


def _connects(because: str, *, relayed: bool = False) -> Expected:
    return Expected(because, connects=True, relayed=relayed)


def _fails(because: str, alone: str = "udp-blocked") -> Expected:
    return Expected(because, connects=False, alone=alone, both_ends="udp-blocked")


def _without_stun(expected: Expected) -> Expected:
    return replace(expected, gathering="stun-unreachable")


OPEN = _connects("nothing is in between")
OPENED = _connects(
    "the upstream's address is public: the caller's own checks open the NAT, and their answers may come back"
)
REFLEXIVE = _connects(
    "the NAT takes a port for the upstream that no STUN server has seen, and the upstream learns it from the "
    "check itself (RFC 8445, section 7.3.1.3): STUN adds nothing"
)
STUN_MISSED = _without_stun(
    _connects("nobody needs STUN where the upstream is public; the offer only waits for it in vain")
)
SILENT = _fails(
    "from this end alone a firewall looks like a silent server; the upstream, which receives nothing, tells "
    "them apart",
    "no-answer-to-checks",
)
OTHER_PORT = _fails(
    "STUN answers on its port, so UDP as such is not blocked; only the upstream knows that nothing comes in "
    "at its own",
    "no-answer-to-checks",
)
DEAF = _fails(
    "the checks arrive and the replies do not come back: from this end alone it looks like a silent server",
    "no-answer-to-checks",
)
NO_UDP = _without_stun(_fails("no check gets through, nor does anything to an ICE server by UDP"))
NO_SERVER = _without_stun(_fails("TCP to port 3478 is blocked as UDP is, so no ICE server is reached"))
DEAF_TO_ALL = _without_stun(_fails("checks and ICE servers are answered, and no answer comes back in"))
BY_UDP = _connects("TURN by UDP uses the one port that is open, and relays to any other", relayed=True)
BY_TCP = _connects(
    "TURN by TCP needs no UDP of the caller's: the server relays to the upstream by UDP", relayed=True
)
BY_TCP_ALONE = _without_stun(BY_TCP)

# By network, in the order of ICE_SERVERS: none, STUN, and beside STUN: TURN by UDP, by TCP, by TCP on 443.
ROWS: dict[str, tuple[Expected, ...]] = {
    "open": (OPEN, OPEN, OPEN, OPEN, OPEN),
    "full-cone-nat": (OPENED, OPENED, OPENED, OPENED, OPENED),
    "port-restricted-nat": (OPENED, OPENED, OPENED, OPENED, OPENED),
    "symmetric-nat": (REFLEXIVE, REFLEXIVE, REFLEXIVE, REFLEXIVE, REFLEXIVE),
    "dead-stun-server": (OPENED, STUN_MISSED, STUN_MISSED, STUN_MISSED, STUN_MISSED),
    "udp-3478-only": (SILENT, OTHER_PORT, BY_UDP, BY_TCP, BY_TCP),
    "udp-blocked": (SILENT, NO_UDP, NO_UDP, BY_TCP_ALONE, BY_TCP_ALONE),
    "tcp-443-only": (SILENT, NO_UDP, NO_UDP, NO_SERVER, BY_TCP_ALONE),
    "half-open-firewall": (DEAF, DEAF_TO_ALL, DEAF_TO_ALL, BY_TCP_ALONE, BY_TCP_ALONE),
}

THEORY = {
    Cell(network, ice_servers): expected
    for network, row in ROWS.items()
    for ice_servers, expected in zip(ICE_SERVERS, row, strict=True)
}
