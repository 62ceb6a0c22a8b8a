import socket
import ssl

import httpx
import pytest

from harness.signaling.failures import classify, innermost


def behind(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (behind(httpx.ConnectError("x"), ConnectionRefusedError(111, "Connection refused")), "refused"),
        (behind(httpx.ConnectError("x"), OSError(113, "No route to host")), "refused"),
        (httpx.ProxyError("407 Proxy Authentication Required"), "refused"),
        (behind(httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known")), "unresolved"),
        (behind(httpx.ConnectError("x"), ssl.SSLCertVerificationError("expired")), "tls"),
        (behind(httpx.ReadError("x"), ssl.SSLError("bad record")), "tls"),
        (httpx.ConnectTimeout("x"), "unanswered"),
        (httpx.ReadTimeout("x"), "timeout"),
        (TimeoutError(), "timeout"),
        (behind(httpx.ConnectError("x"), TimeoutError(110, "timed out")), "unanswered"),
        (behind(httpx.ReadError("x"), ConnectionResetError(104, "reset")), "dropped"),
        (httpx.WriteError("x"), "dropped"),
        (httpx.RemoteProtocolError("Server disconnected without sending a response."), "dropped"),
        (httpx.RemoteProtocolError("illegal status line"), "protocol"),
        (httpx.DecodingError("incorrect header check"), "encoding"),
    ],
)
def test_each_error_has_its_word(error: BaseException, failure: str) -> None:
    assert classify(error) == failure


def test_several_attempts_are_looked_through() -> None:
    """A name with two addresses fails as a group of errors."""
    group = ExceptionGroup("all failed", [OSError(101, "unreachable"), socket.gaierror(-3, "try again")])
    error = behind(httpx.ConnectError("All connection attempts failed"), group)
    assert classify(error) == "unresolved"


def test_the_innermost_message_is_told_and_a_circle_of_causes_ends() -> None:
    first, second = ValueError("inner"), KeyError("outer")
    first.__cause__, second.__cause__ = second, first
    assert (
        innermost(behind(httpx.ConnectError("outside"), OSError(113, "No route"))) == "[Errno 113] No route"
    )
    assert innermost(second) == "inner"
    assert innermost(behind(httpx.ReadError(""), OSError())) == "ReadError"


def test_a_hidden_context_is_not_the_cause() -> None:
    error = httpx.ReadError("x")
    error.__context__, error.__suppress_context__ = TimeoutError(), True
    assert classify(error) == "dropped"
