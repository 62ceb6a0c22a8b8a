"""One offer to the relay, one answer back."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from harness.config.target import Target
from harness.core.events import AnswerReceived
from harness.core.probes import OFFER
from harness.signaling.dialects import Body, dialect_named
from harness.signaling.sending import Sender


async def post_offer(
    sender: Sender,
    target: Target,
    offer: str,
    *,
    purpose: str = OFFER,
    case: str = "",
    fields: Mapping[str, object] | None = None,
    query: Mapping[str, str] | None = None,
    credentials: bool = True,
) -> str | None:
    """Post the offer in the target's dialect; the answer's SDP, or None where there is none to be had.

    `fields` and `query` go beside those of the target. A 2xx body is taken as the answer whatever it holds:
    what is wrong with it is judged later.
    """
    dialect = dialect_named(target.dialect)
    body = dialect.wrap(offer, {**target.extra_fields(), **(fields or {})})
    request = post(sender, target, body, query=query, credentials=credentials)
    reply = await sender.send(request, purpose=purpose, case=case)
    if reply is None or not reply.succeeded:
        return None
    answer = dialect.unwrap(reply.content.decode("utf-8", "replace"))
    if purpose == OFFER:
        sender.record(AnswerReceived(at=sender.clock.now(), sdp=sender.redactor.text(answer)))
    return answer


def post(
    sender: Sender,
    target: Target,
    body: Body,
    *,
    query: Mapping[str, str] | None = None,
    credentials: bool = True,
) -> httpx.Request:
    """A POST of any body to the target, with the headers that it is configured with."""
    url = httpx.URL(target.url)
    headers = [
        ("Content-Type", body.content_type),
        ("Accept", dialect_named(target.dialect).accept),
        *target.request_headers(credentials=credentials),
    ]
    return sender.client.build_request(
        "POST", url.copy_merge_params(query) if query else url, content=body.content, headers=headers
    )
