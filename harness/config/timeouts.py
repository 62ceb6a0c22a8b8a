"""How long the caller waits for each stage. What a stage may take is judged by `core.limits`, not here.

Every wait is longer than the limit it belongs to, so that late can be told from never.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Timeouts:
    """Seconds."""

    gathering: float = 5.0  # each STUN or TURN server, for its answer
    connect: float = 5.0  # TCP and TLS to the relay
    answer: float = 15.0  # from the offer's POST to its whole answer
    ice: float = 15.0  # connectivity checks
    dtls: float = 10.0  # handshake
    channel: float = 12.0  # from the answer to the open data channel
    created: float = 6.0  # from the open channel to session.created
    update: float = 6.0  # from session.update to session.updated or error
    turn: float = 12.0  # from the end of what is said to response.created
    reply: float = 60.0  # from response.created to the last of its audio
    hang_up: float = 12.0  # from hang-up to the call's release at the upstream
