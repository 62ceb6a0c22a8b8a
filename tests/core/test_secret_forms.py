"""A secret that is echoed in another form is still the secret."""

from __future__ import annotations

import random

import pytest

from harness.core.redaction import REDACTED, Redactor
from tools.attack import secrets as attack

SECRET = "Zq7-kx+9/4vT%e&Lw0aB"


@pytest.mark.parametrize("form", sorted(attack.ENCODINGS))
def test_a_secret_is_found_in_every_form(form: str) -> None:
    rng = random.Random(form)
    for _ in range(10):
        written = attack.ENCODINGS[form](SECRET, rng)
        shown = Redactor([SECRET]).text(f"before {written} behind")
        assert REDACTED in shown
        assert attack._core(form, written, SECRET).lower() not in shown.lower()
        assert shown.startswith("before ")
        assert shown.endswith(" behind")


LIKE_WORDS = "zxlgyddrnJcX-piqXulIaEDWGE0IceXmHR-wfvplokm"  # at both ends, and by chance


@pytest.mark.parametrize(("secret", "shown"), [(SECRET, 8), (LIKE_WORDS, 12)])
def test_a_secret_that_is_split_over_two_texts_shows_no_more_than_a_few_characters(
    secret: str, shown: int
) -> None:
    for at in range(1, len(secret)):
        text = "|".join(map(Redactor([secret]).text, (f"xx{secret[:at]}", f"{secret[at:]}yy")))
        assert not any(secret[n : n + shown] in text for n in range(len(secret) - shown + 1)), (at, text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abc1", f"Authorization: Bearer {REDACTED}"),
        ('{"authorization": "Bearer abcdefgh1234"}', f'{{"authorization": "Bearer {REDACTED}"}}'),
        ("('Authorization', 'Basic dXNlcjpwYXNz')", f"('Authorization', 'Basic {REDACTED}')"),
        ("authorization=Basic%20dXNlcjpwYXNz&x=1", f"authorization=Basic%20{REDACTED}&x=1"),
        ("token Bearer abcdefghij0123456789", f"token Bearer {REDACTED}"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", REDACTED),
        ("the authorization header is missing", "the authorization header is missing"),
        ("Authorization: missing", "Authorization: missing"),
        ('WWW-Authenticate: Bearer realm="relay"', 'WWW-Authenticate: Bearer realm="relay"'),
    ],
)
def test_a_credential_of_nobodys_is_told_by_its_look(text: str, shown: str) -> None:
    assert Redactor().text(text) == shown


def test_a_secret_of_words_eats_no_ordinary_text() -> None:
    redactor = Redactor(["voice-relay-of-the-staging-system"])
    assert redactor.text("POST /api/voice-relay/session") == "POST /api/voice-relay/session"
    assert redactor.text("voice-relay-of-the-st…") == f"{REDACTED}…"
