"""Why a request had no response, in one word each."""

from __future__ import annotations

import socket
import ssl

import httpx

from harness.core.own_means import causes

# What h11 and httpcore say where the other end closed the connection instead of ending its message.
_CLOSED_EARLY = ("server disconnected", "closed connection")


def classify(error: BaseException) -> str:
    """In a word, by the error and what lies behind it: refused, unresolved, dropped, tls, encoding, protocol;

    unanswered where no connection came about in time, timeout where one did and no response came.
    """
    chain = list(causes(error))

    def behind(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in chain)

    if behind(socket.gaierror):
        return "unresolved"
    if isinstance(error, httpx.ConnectTimeout) or (
        isinstance(error, httpx.ConnectError) and behind(TimeoutError)  # ETIMEDOUT: no SYN was answered
    ):
        return "unanswered"
    if behind(TimeoutError, httpx.TimeoutException):
        return "timeout"
    if behind(ssl.SSLError):
        return "tls"
    if isinstance(error, httpx.DecodingError):
        return "encoding"
    if isinstance(error, httpx.ConnectError | httpx.ProxyError):
        return "refused"
    if isinstance(error, httpx.NetworkError):
        return "dropped"
    if isinstance(error, httpx.RemoteProtocolError) and any(s in str(error).lower() for s in _CLOSED_EARLY):
        return "dropped"
    return "protocol"


def innermost(error: BaseException) -> str:
    """The message of the first cause, which names errno, host or certificate, where the last says little."""
    *_, first = causes(error)
    return str(first) or str(error) or type(error).__name__
