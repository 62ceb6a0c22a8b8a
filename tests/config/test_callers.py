from __future__ import annotations

import re
from typing import cast

import pytest

from harness.config.callers import caller_for, check_caller
from harness.core.callers import CALLERS, CallerKind
from harness.core.errors import UsageError


@pytest.fixture(autouse=True)
def deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = CallerKind(
        "deaf", "for ftp only", cannot={"impair": "no sockets", "offer": "no offer"}, schemes=("ftp",)
    )
    monkeypatch.setitem(cast("dict[str, object]", CALLERS), "deaf", kind)


def test_the_address_decides_who_calls_where_nobody_does() -> None:
    assert caller_for("", "https://relay.example/offer") == "aiortc"
    assert caller_for("", "") == "aiortc"
    assert caller_for("", "ftp://relay.example/") == "deaf"
    assert caller_for("deaf", "ftp://relay.example/") == "deaf"


@pytest.mark.parametrize(
    ("given", "address", "options", "message"),
    [
        ("aiortk", "https://r.example/", {}, "there is no caller 'aiortk'.*aiortc"),
        ("deaf", "https://r.example/", {}, "a deaf caller cannot call https://.*choose aiortc"),
        (
            "deaf",
            "ftp://r.example/",
            {"impairment": "train"},
            "--impairment needs another caller.*no sockets",
        ),
        ("deaf", "ftp://r.example/", {"offer": "firefox"}, "--offer needs another caller.*no offer"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(
    given: str, address: str, options: dict[str, str], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        caller_for(given, address, **options)
    assert re.search(message, str(raised.value))
    assert "\n" not in raised.value.message


def test_a_known_caller_is_taken() -> None:
    check_caller("aiortc")
