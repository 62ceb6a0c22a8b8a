"""What provokes each cause that stands before the relay."""

from __future__ import annotations

from tests.requirements.cases import case
from tests.requirements.signaling_building import Events, refused

HTML = ("content-type", "text/html")


@case("signaling.offer-accepted", "redirected")
def another_address() -> Events:
    return refused(301, "", ("location", "https://relay.example/session"))


@case("signaling.offer-accepted", "guard-challenge")
def a_guard_against_robots() -> Events:
    return refused(403, "<html><title>Just a moment...</title></html>", HTML, ("cf-mitigated", "challenge"))


@case("signaling.offer-accepted", "csrf-refused")
def no_csrf_token() -> Events:
    return refused(403, "CSRF token missing")


@case("signaling.offer-accepted", "origin-refused")
def a_host_that_is_not_allowed() -> Events:
    return refused(400, "Invalid host header")


@case("signaling.offer-accepted", "offer-too-large")
def a_limit_on_the_body() -> Events:
    return refused(413, "<html><h1>413 Request Entity Too Large</h1></html>", HTML)


@case("signaling.offer-accepted", "rate-limited")
def a_limiter() -> Events:
    return refused(429, "Too many requests", ("retry-after", "30"))


@case("signaling.offer-accepted", "caller-busy")
def a_call_that_is_still_there() -> Events:
    return refused(409, '{"error": "a call is in progress"}')


@case("signaling.offer-accepted", "proxy-gave-up")
def a_proxy_that_waits_no_longer() -> Events:
    return refused(504, "<html><h1>504 Gateway Time-out</h1></html>", HTML)


@case("signaling.offer-accepted", "nobody-behind-proxy")
def a_proxy_without_a_relay() -> Events:
    return refused(502, "<html><h1>502 Bad Gateway</h1></html>", HTML)
