"""A key that a page had minted, to call upstream itself."""

from __future__ import annotations

from typing import Any, Literal

from harness.core.events.base import Event

TokenKind = Literal["ephemeral", "project", "other", "none"]


class TokenMinted(Event, frozen=True, kw_only=True):
    """What the back end's answer to a request for a key holds; the key itself is never recorded.

    `purpose` is that of the request. `key` is `none` where there is none, and `problem` says why. `place` is
    where it was; `digest` tells two keys apart. `lifetime_s`: seconds that it has left, by its own expiry.
    `session` is what the answer says of the session. `page_sent_key`: where in the page's own request a
    project's key stood.
    """

    purpose: str
    key: TokenKind
    problem: str = ""
    place: str = ""
    digest: str = ""
    lifetime_s: float | None = None
    session: dict[str, Any] | None = None
    page_sent_key: str = ""
