"""What gets out of a network and back: `python -m tests.network.nat.probing`, run in the caller's namespace.

Prints JSON: `reaches`, which of SERVERS answered, and `translated`, whether they saw another address than the
caller's own (null where none answered).
"""

from __future__ import annotations

import json
import socket
import sys
from concurrent.futures import ThreadPoolExecutor

from aioice import stun

from tests.network.nat.addresses import STUN, TURN

SERVERS = {
    "UDP 3478 (STUN server)": (socket.SOCK_DGRAM, STUN, 3478),
    "UDP 3478": (socket.SOCK_DGRAM, TURN, 3478),
    "UDP 443": (socket.SOCK_DGRAM, TURN, 443),
    "TCP 3478": (socket.SOCK_STREAM, TURN, 3478),
    "TCP 443": (socket.SOCK_STREAM, TURN, 443),
}
ANSWER_SECONDS = 3.0


def binding(kind: socket.SocketKind, host: str, port: int) -> bool | None:
    """Whether a STUN server sees another address than ours; None where it does not answer."""
    request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
    with socket.socket(socket.AF_INET, kind) as own:
        own.settimeout(ANSWER_SECONDS)
        try:
            own.connect((host, port))
            own.send(bytes(request))
            response = stun.parse_message(own.recv(2048))
        except TimeoutError:
            return None
        return bool(response.attributes["XOR-MAPPED-ADDRESS"][0] != own.getsockname()[0])


def main() -> None:
    with ThreadPoolExecutor(len(SERVERS)) as pool:
        seen = dict(zip(SERVERS, pool.map(lambda server: binding(*server), SERVERS.values()), strict=True))
    reaches = [server for server, translated in seen.items() if translated is not None]
    translated = any(seen.values()) if reaches else None
    json.dump({"reaches": reaches, "translated": translated}, sys.stdout)


if __name__ == "__main__":
    main()
