"""docs/answers.md, from a run: what Chromium says of answers that are wrong in one way, and what we say.

`python -m tools.answers`: three programs answer an offer of Chromium's (the fake OpenAI, aiortc, and Chromium
itself, which is libwebrtc); each answer is changed by every rule of `tests.peer.answers`; Chromium's
setRemoteDescription and `harness.peer.answers` judge it. What Chromium said is kept as facts, so that a test
holds our check against them without a browser.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import random
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from aiortc import RTCPeerConnection, RTCSessionDescription

from harness.browser.chromium import chromium
from harness.core.sdp import parse_sdp
from harness.fakes.openai.media.answer import write_answer
from harness.peer.answers import refusal
from harness.peer.written import WrittenTransport, drawn_fingerprint
from tests.peer.answers import mutated
from tests.peer.answers.browser import answered, offered, refusals

FOUND = Path(__file__).with_name("answers.json")
TEMPLATE = Path(__file__).with_name("answers.md.in")
PAGES = {
    "max-bundle": "a page with bundlePolicy max-bundle, as voice pages are taught",
    "balanced": "a page that sets no bundlePolicy",
    "opus": "a page that offers Opus alone (setCodecPreferences), with max-bundle",
}
MAIN = "max-bundle"  # the page whose word counts: it has one transport, as our own end
ANSWERED_BY = {
    "fake": "the fake OpenAI, as OpenAI's answers were recorded",
    "aiortc": "aiortc",
    "libwebrtc": "libwebrtc (Chromium itself)",
}
# Why we may differ: what the answer is, and the reason.
EXPLAINED = (
    (
        re.compile(r"(?!v=0\r?\n)"),
        "stricter",
        "`v=` says another version than 0, or white space or letters follow it. Chromium looks at no "
        "version. RFC 8866, section 5.1, knows version 0 alone, and `signaling.answer-is-sdp` demands it.",
    ),
)


def explanation(answer: str, how: str) -> str:
    """Why our check differs from the browser on it; empty where nothing explains that."""
    return next((why for fits, kind, why in EXPLAINED if kind == how and fits.match(answer)), "")


def differing(
    verdicts: Mapping[str, Mapping[str, str]], made: Mapping[str, Mapping[str, str]], offer: str
) -> Iterator[tuple[str, str, str]]:
    """(group, name, how we differ) of the answers about which we do."""
    asked = parse_sdp(offer)
    for group, answers in made.items():
        for (name, answer), taken in zip(answers.items(), verdicts[group]["taken"], strict=True):
            refused = bool(refusal(parse_sdp(answer), asked))
            if refused == (taken == "1"):
                yield group, name, "stricter" if refused else "laxer"


def fingerprint(answers: Mapping[str, str]) -> int:
    """Of the answers of a group: facts are of these and no others."""
    return zlib.crc32("\0".join(answers.values()).encode("utf-8", "surrogatepass"))


async def measured() -> dict[str, Any]:
    """What Chromium says of every answer, in every page."""
    async with chromium() as browser:
        offer = await offered(browser, MAIN)
        bases = {
            "fake": _of_the_fake(offer),
            "aiortc": await _of_aiortc(offer),
            "libwebrtc": await answered(browser, offer),
        }
        bases = {name: anonymous(text) for name, text in bases.items()}
        found: dict[str, Any] = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "chromium": browser.version,
            "offer": offer,
            "bases": bases,
            "pages": {},
        }
        said: Counter[str] = Counter()
        such: dict[str, str] = {}
        for page, names in ((MAIN, list(bases)), ("balanced", ["fake"]), ("opus", ["fake"])):
            seen: dict[str, Any] = {}
            found["pages"][page] = seen
            own = offer if page != "opus" else await offered(browser, page)
            for name in names:
                base = bases[name] if page != "opus" else _of_the_fake(own)
                reasons = await refusals(browser, [base], page)
                assert reasons == [""], f"{page}, {name}: the answer itself is refused: {reasons}"
                made = mutated(base)
                verdicts = seen[name] = {}
                for group, answers in made.items():
                    reasons = await refusals(browser, list(answers.values()), page)
                    verdicts[group] = {
                        "taken": "".join("0" if reason else "1" for reason in reasons),
                        "of": fingerprint(answers),
                    }
                    for answer_name, reason in zip(answers, reasons, strict=True):
                        if reason:
                            said[word := in_short(reason)] += 1
                            such.setdefault(word, f"{group}, {answer_name}")
                differ = [(*each, name) for each in differing(verdicts, made, own)]
                sys.stdout.write(f"{page}, {name}: {sum(map(len, made.values()))}, {len(differ)} differ\n")
                found.setdefault("differing", {}).setdefault(page, []).extend(differ)
            if page == "opus":
                found["opus"] = {"offer": own, "fake": base}
        found["said"] = {word: [number, such[word]] for word, number in said.most_common()}
        return found


def _of_the_fake(offer: str) -> str:
    drawn = drawn_fingerprint(random.Random(1))  # noqa: S311  (nobody's)
    transport = WrittenTransport("fakefrag", "fakepassword0123456789ab", drawn, lite=True)
    return write_answer(parse_sdp(offer), transport, ssrc=1234)


async def _of_aiortc(offer: str) -> str:
    connection = RTCPeerConnection()
    try:
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return str(connection.localDescription.sdp)
    finally:
        await connection.close()


def anonymous(answer: str) -> str:
    """Without this machine's addresses: those that are nobody's instead (RFC 5737, RFC 3849)."""
    answer = re.sub(r"(?m)^(a=candidate:\S+ \d \S+ \d+ )[0-9.]+ ", r"\g<1>192.0.2.2 ", answer)
    answer = re.sub(r"(?m)^(a=candidate:\S+ \d \S+ \d+ )\S*:\S* ", r"\g<1>2001:db8::2 ", answer)
    return re.sub(r"(?m)^c=IN IP[46] (?!0\.0\.0\.0\r?$)\S+", "c=IN IP4 192.0.2.2", answer)


def in_short(reason: str) -> str:
    """Chromium's words without the answer's."""
    reason = reason.rpartition("RTCPeerConnection': ")[2]
    if (parsed := re.match(r"Failed to parse SessionDescription\. (.*)", reason, re.DOTALL)) is not None:
        # The line, then what is wrong with it, which begins with one of these words.
        words = (
            r"Expect|Invalid|Failed to|The |Unsupported|Duplicate|b=AS value|b= syntax|Can't|Missing|At most"
        )
        found = list(re.finditer(rf"(?<![^\s])(?:{words}|Two |Illegal|Extension)", parsed[1]))
        reason = parsed[1][found[0].start() if found else len(parsed[1]) :] or "no reason"
    reason = re.sub(r"Failed to set remote answer sdp: (Failed to apply the description[^:]*: )?", "", reason)
    reason = re.sub(r"(value from|value:) .*?\.(?= |$)", r"\1 …", reason)
    reason = re.sub(r"'[^']*'|\"[^\"]*\"", "…", reason)
    return re.sub(r"\d+", "N", reason).strip()[:110].replace("|", "/")


def page(found: Mapping[str, Any]) -> str:
    """The template with what was found."""
    main = found["pages"][MAIN]
    differ = found["differing"][MAIN]
    rows = ["| changed | answers | refused by Chromium | agreed |", "|---|---|---|---|"]
    total = Counter[str]()
    for group in next(iter(main.values())):
        taken = "".join(verdicts[group]["taken"] for verdicts in main.values())
        wrong = sum(each[0] == group for each in differ)
        total.update(made=len(taken), refused=taken.count("0"), wrong=wrong)
        rows.append(f"| {group} | {len(taken)} | {taken.count('0')} | {len(taken) - wrong} |")
    agreed = total["made"] - total["wrong"]
    share = 100 * agreed / total["made"]
    rows.append(f"| **all** | **{total['made']}** | **{total['refused']}** | **{agreed}** ({share:.1f} %) |")
    bases = [
        f"- {text}: {sum(len(v['taken']) for v in main[name].values())}" for name, text in ANSWERED_BY.items()
    ]
    return TEMPLATE.read_text(encoding="utf-8").format(
        date=found["date"],
        chromium=found["chromium"],
        bases="\n".join(bases),
        table="\n".join(rows),
        differing="\n".join(_explained(differ)),
        pages="\n".join(_of_pages(found)),
        said="\n".join(_said(found["said"])),
    )


def _explained(differ: Sequence[Sequence[str]]) -> Iterator[str]:
    for _, how, why in EXPLAINED:
        yield f"- {sum(each[2] == how for each in differ)} answers that we refuse: {why}"


def _of_pages(found: Mapping[str, Any]) -> Iterator[str]:
    for name, text in PAGES.items():
        if name != MAIN:
            verdicts = found["pages"][name]
            number = sum(len(v["taken"]) for groups in verdicts.values() for v in groups.values())
            differ = found["differing"][name]
            yield f"- {text}: {number} answers, {len(differ)} judged otherwise by us."


def _said(said: Mapping[str, Sequence[Any]]) -> Iterator[str]:
    yield "| what Chromium says | how often | for the first time of |"
    yield "|---|---|---|"
    for word, (number, such) in said.items():
        shown = such.replace("|", "/").replace("`", "")
        yield f"| {word} | {number} | `{shown}` |"


def main() -> None:
    """Ask, write what was found; exit 1 where a difference is not explained."""
    found = asyncio.run(measured())
    FOUND.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    unexplained = []
    for group, name, how, base in found["differing"][MAIN]:
        if not explanation(mutated(found["bases"][base])[group][name], how):
            unexplained.append(f"{base}, {group}: {name}: we are {how}")
    sys.stdout.write("\n".join([*unexplained, f"{len(unexplained)} not explained"]) + "\n")
    sys.exit(bool(unexplained))


if __name__ == "__main__":
    main()
