"""Who answered in the relay's place: a redirect, a guard, a limit, a proxy or a tunnel that stands before it.

Told by the status, the headers and the words. What the relay itself says in JSON is its own.
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass

from harness.core import redirections
from harness.core.events import HttpResponse
from harness.requirements.exchanges import header, is_html
from harness.requirements.model import Cause

CAUSES = {
    "redirected": Cause(
        "the target sends the offer on to another address",
        "give the harness, and the page, the address that it leads to (https, a slash at the end, a prefix): "
        "a browser repeats an offer only after 307 and 308, and at another origin only where CORS allows it",
    ),
    "guard-challenge": Cause(
        "a guard against robots answered, and not the relay",
        "exempt the path from the challenge, or let the guard know the harness by a header or address of its "
        "own: fetch cannot solve it for a page either",
    ),
    "csrf-refused": Cause(
        "the target wants a CSRF token with the offer",
        "exempt the path from CSRF protection (it takes a token or a cookie that is SameSite), or give the "
        "harness the header and cookie that the page sends",
    ),
    "origin-refused": Cause(
        "the target refuses the offer's origin or host",
        "name the page's origin with --origin, and allow it and the host in the relay (CORS, ALLOWED_HOSTS, "
        "a development server's allowed hosts): behind a tunnel or a proxy both are others than at home",
    ),
    "offer-too-large": Cause(
        "a limit on a request's size refused the offer",
        "raise it to 64 KB at every hop (the body parser's limit, client_max_body_size): an offer grows with "
        "every candidate and codec",
    ),
    "rate-limited": Cause(
        "the target's own limiter refused the offer",
        "wait as Retry-After says, and lower --concurrency; or give the harness a caller that the limit does "
        "not count",
    ),
    "caller-busy": Cause(
        "the target says that this caller has a call already",
        "let the target forget calls that ended badly (a time-out, a sideband that tells of the end), and "
        "give each of the harness's callers credentials of its own",
    ),
    "proxy-gave-up": Cause(
        "a proxy or a function's platform gave up waiting for the relay",
        "give the relay's request to OpenAI a time-out (10 s) below the proxy's or the function's own, and "
        "see in the relay's log what it waited for",
        in_time=True,
    ),
    "nobody-behind-proxy": Cause(
        "a proxy or a tunnel answered, and reached no relay behind it",
        "start the relay, see that it did not crash, and compare the address and port at which it listens "
        "(0.0.0.0, not 127.0.0.1, in a container) with those that the proxy or tunnel leads to",
        in_time=True,
    ),
}

GUARD = "guard-challenge"


@dataclass(frozen=True)
class Sign:
    """A cause is told by one of the statuses and, where there are words, by them in the body."""

    cause: str
    statuses: Container[int]
    words: str = ""
    html: bool = False  # the body is a page: no API of the relay's speaks so

    def is_in(self, response: HttpResponse) -> bool:
        if response.status not in self.statuses or (self.html and not is_html(response)):
            return False
        return not self.words or re.search(self.words, response.body, re.IGNORECASE) is not None


REFUSALS, FAILURES, ANY = range(400, 500), range(500, 600), range(200, 600)

SIGNS = (
    Sign(
        GUARD,
        ANY,
        r"just a moment\.\.\.|cf-chl|challenge-platform|checking your browser|security checkpoint|"
        r"verify you are (?:a )?human|ERR_NGROK_6024|error code: 10(?:10|20)|you have been blocked",
        html=True,
    ),
    Sign("csrf-refused", {419}),
    Sign("csrf-refused", REFUSALS, r"csrf|xsrf|page expired|authenticity.?token|anti-?forgery"),
    Sign(
        "origin-refused",
        REFUSALS,
        r"invalid cors|cors (?:request|policy|error|not)|cross-?(?:origin|site)|"
        r"origin\b.{0,80}\b(?:allowed|forbidden|refused|denied|mismatch|trusted|permitted)|"
        r"(?:invalid|disallowed|unknown|untrusted|bad|forbidden) origin|"
        r"disallowedhost|invalid (?:http_)?host|blocked (?:request|host)|host .{0,80}not allowed",
    ),
    Sign("rate-limited", {429}),
    Sign("offer-too-large", {413, 414, 431}),
    Sign(
        "offer-too-large",
        (*REFUSALS, *FAILURES),
        r"(?:entity|payload|body|content)[ _](?:is )?too[ _]large|body (?:size )?limit|exceeds? .{0,30}limit",
    ),
    Sign(
        "caller-busy",
        {409, 423},
        r"already|in progress|active|busy|concurrent|ongoing|one call|another call|session exists",
    ),
    Sign("proxy-gave-up", {524}),
    Sign(
        "proxy-gave-up",
        {408, 500, 502, 503, 504},
        r"FUNCTION_INVOCATION_TIMEOUT|endpoint request timed out|upstream request timeout|\bH12\b|"
        r"task timed out after|function timed out|worker exceeded",
    ),
    Sign("proxy-gave-up", {408, 504}, html=True),
    Sign("nobody-behind-proxy", {*range(520, 524), *range(525, 528), 530}),
    Sign(
        "nobody-behind-proxy",
        {404, 500, 502, 503, 504},
        r"ERR_NGROK_|upstream connect error|no healthy upstream|application failed to respond|\bH1[04]\b|"
        r"trying to proxy|no (?:available server|server is available)|tunnel .{0,40}(?:not found|offline|"
        r"unavailable)|DEPLOYMENT_NOT_FOUND|no web (?:process|dyno)",
    ),
    Sign("nobody-behind-proxy", {502, 503}, html=True),
)


def cause_in_front(response: HttpResponse) -> str:
    """The first that its signs tell; empty where the relay itself may have spoken."""
    for name in ("cf-mitigated", "x-vercel-mitigated"):
        if "challenge" in (header(response.headers, name) or "").lower():
            return GUARD
    return next((sign.cause for sign in SIGNS if sign.is_in(response)), "")


def said_in_front(response: HttpResponse) -> str:
    """The same in words, with what to do, for what is no offer; a redirection too."""
    cause, location = redirected_to(response)
    cause = cause if cause == "redirected" else cause_in_front(response)
    if not cause:
        return f"; it leads to {location}" if location else ""
    what = CAUSES[cause].what + (f" ({location})" if location else "")
    return f"; {what.replace('the offer', 'the request')}: {CAUSES[cause].fix}"


def redirected_to(response: HttpResponse) -> tuple[str, str]:
    """The cause, and where to; both empty where it is no redirection."""
    if response.status not in redirections.ALL:
        return "", ""
    location = header(response.headers, "location") or ""
    return "login-page" if redirections.leads_to_login(location) else "redirected", location or "nowhere"
