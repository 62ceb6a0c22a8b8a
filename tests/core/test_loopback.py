from __future__ import annotations

import pytest

from harness.core.loopback import is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "localhost", "LOCALHOST"]
)
def test_this_machine_is_known_by_name_and_address(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "127.example.com",
        "localhost.example.com",
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "0.0.0.0",
        "127.0.0.1:80",
        "",
    ],
)
def test_what_only_looks_like_it_is_not(host: str) -> None:
    assert not is_loopback(host)
