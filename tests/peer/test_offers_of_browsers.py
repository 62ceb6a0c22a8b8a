"""Our offers have the lines of the real browsers', in their order: only what is drawn by chance differs."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from harness.core.offer_shapes import CHROMIUM, FIREFOX, FIREFOX_GATHERED, LIBWEBRTC
from tests.peer.browsers import offers_of_chromium, offers_of_firefox
from tests.peer.test_offers import offer_of
from tests.support.programs import needs_program

pytestmark = pytest.mark.timeout(120)

# Chance, addresses, and ports that are not the one of none; a machine has as many networks as it has.
CHANCE = (
    (r"^(o=\S+) \d+", r"\1 NUMBER"),
    (r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?", "UUID"),
    (r"(?:[0-9A-F]{2}:){31}[0-9A-F]{2}", "DIGEST"),
    (r"^(a=ice-ufrag):[A-Za-z0-9+/]{4,8}$", r"\1:NAME"),
    (r"^a=ice-pwd:[0-9a-f]{32}$", "a=ice-pwd:HEX"),
    (r"^a=ice-pwd:[A-Za-z0-9+/]{24}$", "a=ice-pwd:BASE64"),
    (r"cname:[A-Za-z0-9+/]{16}$", "cname:BASE64"),
    (r"^a=ssrc:\d+", "a=ssrc:NUMBER"),
    (r"^(m=\w+) (?!9 )\d+", r"\1 PORT"),
    (r"^(a=rtcp:)(?!9 )\d+", r"\1PORT"),
    (r"^c=IN IP[46] (?!0\.0\.0\.0$)\S+", "c=IN ADDRESS"),
    (r"^a=candidate:\d+ (\d) (\S+) \d+ \S+ (?!9 )\d+", r"a=candidate:N \1 \2 N ADDRESS PORT"),
    (r"^a=candidate:\d+ (\d) (\S+) \d+ \S+ 9 ", r"a=candidate:N \1 \2 N ADDRESS 9 "),
    (r" network-id \d+", " network-id N"),
)


def without_chance(offer: str) -> list[str]:
    lines: list[str] = []
    for line in offer.split("\r\n"):
        text = line
        for pattern, instead in CHANCE:
            text = re.sub(pattern, instead, text)
        if text not in lines[-1:]:  # one for each network
            lines.append(text)
    return lines


async def compare(real: dict[str, str], at_once: str, gathered: str) -> None:
    assert set(real) == {"at_once", "gathered"}, real
    assert "a=candidate" in real["gathered"], "this machine has no address but loopback"
    for text, shape in ((real["at_once"], at_once), (real["gathered"], gathered)):
        assert without_chance((await offer_of(shape)).text) == without_chance(text), shape


async def test_chromium_offers_what_we_offer_in_its_name(tmp_path: Path) -> None:
    await compare(offers_of_chromium(needs_program("chromium"), tmp_path), CHROMIUM, LIBWEBRTC)


async def test_firefox_offers_what_we_offer_in_its_name(tmp_path: Path) -> None:
    # 300 MB that CI does not install: `make proof` compares it, dated, and so does every machine that has it.
    program = shutil.which("firefox-esr")
    if program is None:
        pytest.skip("the program firefox-esr is not installed")
    await compare(offers_of_firefox(program, tmp_path), FIREFOX, FIREFOX_GATHERED)
