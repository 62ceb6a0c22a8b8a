"""Who lives where on the test's internet, and which ICE servers callers are told of.

The networks are those of AS112 (RFC 7534, RFC 7535), which IANA's registries list as globally reachable:
public to every rule, and no server of anybody's.
"""

from __future__ import annotations

from pydantic import SecretStr

from harness.config.ice import IceServer
from tests.support.coturn import PASSWORD, USERNAME

PUBLIC = "192.31.196.{}"
OPENAI = PUBLIC.format(10)
RELAY = PUBLIC.format(20)
STUN = PUBLIC.format(30)
TURN = PUBLIC.format(31)
FIRST_ROUTER = 100

CALLER = "192.168.1.2"
HOME_ROUTER = "192.168.1.1"

FAKE_PORT = 8089
FAKE = f"http://{OPENAI}:{FAKE_PORT}"
RELAY_PORT = 443  # what every network lets through


def _turn(transport: str, port: int) -> IceServer:
    return IceServer((f"turn:{TURN}:{port}?transport={transport}",), USERNAME, SecretStr(PASSWORD))


_STUN = IceServer((f"stun:{STUN}:3478",))

NO_SERVERS = "no ICE servers"
STUN_ALONE = "STUN"
TURN_UDP = "STUN + TURN/UDP"
TURN_TCP = "STUN + TURN/TCP"
TURN_TCP_443 = "STUN + TURN/TCP 443"

ICE_SERVERS: dict[str, tuple[IceServer, ...]] = {
    NO_SERVERS: (),
    STUN_ALONE: (_STUN,),
    TURN_UDP: (_STUN, _turn("udp", 3478)),
    TURN_TCP: (_STUN, _turn("tcp", 3478)),
    TURN_TCP_443: (_STUN, _turn("tcp", 443)),
}
