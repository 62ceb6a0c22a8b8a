"""Redirections of an offer: those that keep it, and those to a login."""

from __future__ import annotations

import re

# The method and the body stay (RFC 9110, sections 15.4.8 and 15.4.9): a page's fetch repeats the offer there.
KEEPING = (307, 308)
ALL = (301, 302, 303, *KEEPING)
_LOGIN = re.compile(
    r"log-?in|sign-?in|/auth\b|oauth|/sso\b|saml|session/new|accounts\.google|okta\.|auth0\.|cloudflareaccess|"
    r"microsoftonline",
    re.IGNORECASE,
)


def leads_to_login(location: str) -> bool:
    """By the looks of the address: of a relay that thinks of pages and not of its API."""
    return _LOGIN.search(location) is not None
