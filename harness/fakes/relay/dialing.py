"""A WebSocket of the relay's own to OpenAI, with the session that it asks for."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from harness.fakes.relay.refusal import Refusal
from harness.fakes.relay.settings import RelaySettings
from harness.fakes.serving import LONGEST_WEBSOCKET_MESSAGE

CLOSE_SECONDS = 2.0


async def dial(
    settings: RelaySettings, *, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
) -> ClientConnection:
    """The connection, whose session is being updated. Raises Refusal where OpenAI lets nobody in."""
    model = quote(str(settings.session["model"]))
    try:
        upstream = await connect(
            f"{settings.socket_url}?model={model}",
            additional_headers=headers,
            subprotocols=[Subprotocol(name) for name in subprotocols] or None,
            compression=None,
            proxy=None,
            open_timeout=settings.upstream_seconds,
            close_timeout=CLOSE_SECONDS,
            max_size=LONGEST_WEBSOCKET_MESSAGE,
        )
    except InvalidStatus as refused:
        if refused.response.status_code in (401, 403):
            raise Refusal(
                502, "upstream_unauthorized", "the voice service refused the relay's credentials"
            ) from refused
        raise Refusal(502, "upstream_failed", "the voice service failed") from refused
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise Refusal(502, "upstream_unreachable", "the voice service cannot be reached") from error
    session = {name: value for name, value in settings.session.items() if name != "model"}
    with contextlib.suppress(ConnectionClosed):  # which is told when it is read
        await upstream.send(json.dumps({"type": "session.update", "session": session}))
    return upstream
