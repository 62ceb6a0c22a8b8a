"""The ways into a target, as harness.toml describes them: dialects, keys, what callers choose."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.config.hooks import TokenMint
from harness.config.page import PageOptions
from harness.config.run import run_settings
from harness.core.dialects import DIALECTS, OWN
from harness.core.errors import UsageError
from tests.config.test_targets import NOTHING_SET, load


def test_a_target_describes_its_own_dialect(tmp_path: Path) -> None:
    """As a table or on one line; beside a built-in one that it is like."""
    text = """
    [targets.own]
    url = "https://own.example.com/session"
    [targets.own.dialect]
    method = "PUT"
    offer = "sdpOffer"
    fields = { session = { type = "realtime" } }
    query = { voice = "marin" }
    headers = { X-Client = "page" }
    answer = "data.answerSdp"
    statuses = [200, 201]
    [targets.alike]
    url = "https://own.example.com/session"
    dialect = { like = "openai", headers = { X-Client = "page" } }
    [targets.raw]
    url = "https://own.example.com/session"
    dialect = { content_type = "application/sdp", method = "PUT" }
    """
    own = load(text, tmp_path, "own").target
    assert (own.dialect, own.wrapping.method, own.wrapping.offer) == (OWN, "PUT", "sdpOffer")
    assert (own.wrapping.answer, own.wrapping.statuses) == ("data.answerSdp", (200, 201))
    alike = load(text, tmp_path, "alike").target.wrapping
    assert alike == replace(
        DIALECTS["openai"], name=OWN, description=alike.description, headers={"X-Client": "page"}
    )
    assert load(text, tmp_path, "raw").target.wrapping.offer == ""


def test_an_option_outweighs_the_dialect_that_the_file_describes(tmp_path: Path) -> None:
    config = tmp_path / "harness.toml"
    config.write_text('[targets.own]\nurl = "https://own.example.com/s"\ndialect = { offer = "o" }\n')
    settings = run_settings(target="own", config=config, environment=NOTHING_SET)
    assert (settings.dialect, settings.dialect_given, settings.the_target.wrapping.offer) == (OWN, True, "o")
    given = run_settings(target="own", config=config, dialect="sdp", environment=NOTHING_SET)
    assert (given.dialect, given.the_target.wrapping) == ("sdp", DIALECTS["sdp"])
    with pytest.raises(UsageError, match="there is no dialect 'own'"):
        run_settings(target="https://own.example.com/s", dialect=OWN, environment=NOTHING_SET)


def test_whip_sessions_may_be_at_origins_that_are_named(tmp_path: Path) -> None:
    text = """
    [targets.whip]
    url = "https://own.example.com/whip"
    dialect = { like = "whip", session_origins = ["https://media-1.example.com"] }
    """
    wrapping = load(text, tmp_path, "whip").target.wrapping
    assert (wrapping.sessions, wrapping.session_origins) == (True, ("https://media-1.example.com",))
    for wrong, message in (
        (text.replace("media-1.example.com", "media-1.example.com/path"), "no origin"),
        (text.replace('"whip", ', '"sdp", '), "session_origins"),
    ):
        with pytest.raises(UsageError, match=message):
            load(wrong, tmp_path, "whip")


def test_every_dialect_is_documented() -> None:
    documented = (Path(__file__).parents[2] / "docs" / "targets.md").read_text(encoding="utf-8")
    assert [name for name in DIALECTS if f"`{name}`" not in documented] == []


def test_a_target_says_how_its_keys_are_minted(tmp_path: Path) -> None:
    text = """
    [targets.page]
    url = "https://app.example.com/session"
    [targets.page.token]
    url = "/api/token"
    method = "GET"
    value = "client_secret.value"
    offers_to = "https://x.openai.azure.com/openai/v1/realtime/calls"
    headers = { X-Client = "page" }
    [targets.own]
    url = "https://app.example.com/api/token"
    caller_chooses = { voice = ["marin", "cedar"], instructions = 400, language = true }
    [targets.own.token]
    """
    named = load(text, tmp_path, "page")
    assert (named.dialect_given, named.target.dialect) == (True, "sdp")
    assert named.target.token == TokenMint(
        "https://app.example.com/api/token",
        method="GET",
        headers={"X-Client": "page"},
        value="client_secret.value",
        offers_to="https://x.openai.azure.com/openai/v1/realtime/calls",
    )
    own = load(text, tmp_path, "own").target
    assert own.token == TokenMint("https://app.example.com/api/token")
    assert own.caller_chooses == (("voice", ("marin", "cedar")), ("instructions", 400), ("language", True))


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ('token = { valu = "a" }', r"targets.t.token.valu: there is no such setting \(did you mean value"),
        ('token = { value = "a..b" }', "should match pattern"),
        ('token = { offers_to = "/x" }', "where offers go '/x' is not a URL"),
        ('token = { body = { key = "sk-proj-0123456789abcdef" } }', "looks like a secret"),
        ("caller_chooses = { voice = [] }", "this is no bound for what a caller may choose"),
        ("caller_chooses = { instructions = 0 }", "this is no bound for what a caller may choose"),
    ],
)
def test_a_mistake_about_keys_and_choices_is_named(written: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=says):
        load(f'[targets.t]\nurl = "https://app.example.com/t"\n{written}\n', tmp_path, "t")


def test_a_target_says_how_its_page_is_used(tmp_path: Path) -> None:
    """An option outweighs it, and it outweighs what is found; a path is on the target's own host."""
    text = """
    [targets.t]
    url = "https://own.example.com/session"
    [targets.t.page]
    url = "/talk"
    start = "text=Talk to Cleo"
    stop = "text=Colgar"
    language = "es-ES"
    storage_state = "login.json"
    """
    (tmp_path / "login.json").write_text("{}")
    config = tmp_path / "harness.toml"
    config.write_text(text)
    page = run_settings(target="t", config=config, environment=NOTHING_SET).page
    assert page == PageOptions(
        start=("text=Talk to Cleo",),
        stop="text=Colgar",
        language="es-ES",
        storage_state=tmp_path / "login.json",
        url="/talk",
    )
    given = PageOptions(start=("#start", "#call"))
    page = run_settings(target="t", config=config, page=given, environment=NOTHING_SET).page
    assert (page.start, page.stop) == (("#start", "#call"), "text=Colgar")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('page = { starts = "#a" }', r"targets.t.page.starts: there is no such setting \(did you mean start"),
        ('page = { url = "talk" }', "is not a URL"),
        ('page = { storage_state = "none.json" }', r"line 3: targets.t.page: there is no file .*none.json"),
    ],
)
def test_what_a_page_cannot_be_is_said_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        load(f'[targets.t]\nurl = "https://a.example.com/s"\n{line}\n', tmp_path, "t")
