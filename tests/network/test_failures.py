from __future__ import annotations

import socket
import ssl

import pytest
from aioice import stun

from harness.core.clock import unix_time
from harness.network.failures import ASKING_FAILS, expired_at, failure


def refusal(code: int, reason: str) -> stun.TransactionFailed:
    answer = stun.Message(message_method=stun.Method.ALLOCATE, message_class=stun.Class.ERROR)
    answer.attributes["ERROR-CODE"] = (code, reason)
    return stun.TransactionFailed(answer)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "timeout"),
        (stun.TransactionTimeout(), "timeout"),
        (socket.gaierror(-2, "Name or service not known"), "unresolved: Name or service not known"),
        (ConnectionRefusedError(111, "Connect call failed"), "unreachable: Connection refused"),
        (OSError("Multiple exceptions: [Errno 111] …"), "unreachable: Multiple exceptions: [Errno 111] …"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "tls: "),
        (KeyError("XOR-MAPPED-ADDRESS"), "unusable: the answer has no XOR-MAPPED-ADDRESS"),
        (ValueError("STUN address length is less than 4 bytes"), "unusable: STUN address length"),
        (ConnectionError("TURN allocation response is missing LIFETIME"), "unusable: TURN allocation"),
        (refusal(486, "Allocation Quota Reached"), "486 Allocation Quota Reached"),
        (refusal(442, ""), "442 Unsupported Transport Protocol"),
        (refusal(499, ""), "499"),
    ],
)
def test_each_failure_has_its_words(error: BaseException, said: str) -> None:
    assert isinstance(error, ASKING_FAILS)
    assert failure(error).startswith(said)


@pytest.mark.parametrize(
    ("username", "expired"),
    [
        ("{past}:caller", True),
        ("{past}", True),
        ("caller:{past}", True),
        ("{future}:caller", False),
        ("caller", False),
        ("12345:caller", False),
        ("", False),
    ],
)
def test_an_expired_username_is_told_by_its_second(username: str, expired: bool) -> None:
    username = username.format(past=unix_time() - 7300, future=unix_time() + 7300)
    assert (expired_at(username) is not None) == expired
    said = failure(refusal(401, "Unauthorized"), username)
    assert said == "401 Unauthorized" + (": the credential expired 2 hours ago" if expired else "")
