"""Why a request had no response, in one word each."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx

# What h11 and httpcore say where the other end closed the connection instead of ending its message.
_CLOSED_EARLY = ("server disconnected", "closed connection")


def classify(error: BaseException) -> str:
    """In a word, by the error and what lies behind it: refused, unresolved, dropped, tls, encoding, protocol;

    unanswered where no connection came about in time, timeout where one did and no response came.
    """
    chain = list(_causes(error))

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
    *_, first = _causes(error)
    return str(first) or str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, then its causes; of several attempts (an exception group) each with its own.

    httpcore hides the cause (`raise … from None`) but keeps it as the argument of its own error.
    """
    seen: list[BaseException] = []
    open_ends = [error]
    while open_ends:
        found = open_ends.pop(0)
        if any(found is other for other in seen):
            continue
        seen.append(found)
        yield found
        if isinstance(found, BaseExceptionGroup):
            open_ends += found.exceptions
        open_ends += [argument for argument in found.args if isinstance(argument, BaseException)]
        behind = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
        if behind is not None:
            open_ends.append(behind)
