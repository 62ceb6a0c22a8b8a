"""One offer to the relay, one answer back."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from harness.config.target import Target
from harness.config.targets_file import same_origin
from harness.core.events import AnswerReceived
from harness.core.probes import OFFER
from harness.core.redirections import leads_to_login
from harness.signaling.dialects import Body, unwrap, wrap
from harness.signaling.sending import Sender
from harness.signaling.sessions import MOST_REDIRECTIONS, may_be_told, opened, redirected
from harness.signaling.tokens import offer_with_token


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
    """Send the offer in the target's dialect; the answer's SDP, or None where there is none to be had.

    `fields` and `query` go beside those of the target. The body that comes with an accepted status is taken
    as the answer whatever it holds: what is wrong with it is judged later.
    """
    if target.token is not None:
        return await offer_with_token(sender, target, offer, purpose=purpose, case=case)
    dialect = target.wrapping
    body = wrap(dialect, offer, {**target.extra_fields(), **(fields or {})})
    request = request_with(sender, target, body, query=query, credentials=credentials)
    reply = await sender.send(request, purpose=purpose, case=case)
    asked = str(request.url)
    for _ in range(MOST_REDIRECTIONS):
        there = redirected(asked, reply) if reply is not None else ""
        if not there or not (dialect.sessions or _is_followed(target, there)):
            break
        # As browsers do: what lets somebody in does not go to another origin.
        known = credentials and may_be_told(target, there)
        request = request_with(sender, target, body, credentials=known, url=there)
        reply, asked = await sender.send(request, purpose=purpose, case=case), there
    if reply is None or not dialect.takes(reply.status):
        return None
    if dialect.sessions:
        opened(sender, target, asked, reply, purpose=purpose)
    answer = unwrap(dialect, reply.content.decode("utf-8", "replace"))
    if purpose == OFFER:
        sender.record(AnswerReceived(at=sender.clock.now(), sdp=sender.redactor.text(answer)))
    return answer


def _is_followed(target: Target, there: str) -> bool:
    """As a page's fetch does, which another origin would have to let in; a login takes no offer."""
    return same_origin(there, target.url) and not leads_to_login(there)


def request_with(
    sender: Sender,
    target: Target,
    body: Body,
    *,
    query: Mapping[str, str] | None = None,
    credentials: bool = True,
    url: str = "",
) -> httpx.Request:
    """A request with any body where the target takes offers, with the headers that it is configured with.

    `url`: as it is, where the target sent us.
    """
    dialect = target.wrapping
    parameters = {} if url else {**dialect.query, **(query or {})}
    headers = [
        ("Content-Type", body.content_type),
        ("Accept", dialect.accept),
        *dialect.headers.items(),
        *target.request_headers(credentials=credentials),
    ]
    return sender.client.build_request(
        dialect.method,
        httpx.URL(target.url).copy_merge_params(parameters) if parameters else url or target.url,
        content=body.content,
        headers=headers,
    )
