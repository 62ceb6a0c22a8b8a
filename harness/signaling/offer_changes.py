"""Changes to an offer that show what a relay trips over: each takes one thing away that browsers write."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from harness.core.offer_shapes import CANDIDATES, CODECS, INDISPENSABLE, LINES, NO_CANDIDATE
from harness.core.sdp import parse_sdp

OUR_CANDIDATE = "a=candidate:1 1 udp 2130706431 {} {} typ host"
_CANDIDATE = re.compile(r"^a=candidate:\S+ \d+ (?P<protocol>\S+) \d+ (?P<address>\S+) ", re.MULTILINE)
_OF_A_CODEC = re.compile(r"^a=(?:rtpmap|fmtp|rtcp-fb):(\d+) ")


@dataclass(frozen=True)
class Change:
    """`apply` takes an offer and gives the changed one; `kind` is one of `core.offer_shapes`."""

    name: str
    kind: str
    apply: Callable[[str], str]


def changes_to(offer: str, ours: Sequence[tuple[str, int]]) -> list[Change]:
    """Those that make a difference to the offer, the likeliest first.

    `ours`: address and port of our candidates, for an offer that names none.
    """
    changes = [
        Change("with a candidate", NO_CANDIDATE, lambda text: _with_candidate(text, ours)),
        Change("without TCP candidates", CANDIDATES, _without(_is_tcp)),
        Change("without IPv6 candidates", CANDIDATES, _without(_is_ipv6)),
        Change("with addresses for .local names", CANDIDATES, lambda text: _with_addresses(text, ours)),
        Change("without candidates of a second component", CANDIDATES, _without(_is_second)),
        Change(
            "with udp in small letters", CANDIDATES, lambda text: re.sub(r"(?m)( \d) UDP ", r"\1 udp ", text)
        ),
        Change("with Opus alone", CODECS, _with_opus_alone),
        Change("with Opus as payload type 111", CODECS, _with_opus_as_111),
        Change("with the user name -", LINES, lambda text: re.sub(r"(?m)^o=\S+", "o=-", text)),
        Change("with the fingerprint in each section", LINES, _with_fingerprints_in_sections),
    ]
    names = dict.fromkeys(line[2:].partition(":")[0] for line in _lines(offer) if line.startswith("a="))
    changes += [
        Change(f"without a={name}", LINES, _without(_is_attribute(name)))
        for name in names
        if name not in INDISPENSABLE
    ]
    return [change for change in changes if change.apply(offer) != offer]


def changed_lines(offer: str, changed: str) -> tuple[int, tuple[str, ...]]:
    """The number of the first line that a change took, and all; 0 and what it added where it took none."""
    before, after = _lines(offer), _lines(changed)
    edits = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    gone = [n for kind, start, end, *_ in edits if kind in ("delete", "replace") for n in range(start, end)]
    if gone:
        return gone[0] + 1, tuple(before[n] for n in gone)
    return 0, tuple(line for kind, *_, start, end in edits if kind == "insert" for line in after[start:end])


def padded(offer: str, characters: int) -> str:
    """The offer made as long, by a longer name of its sources: no line more, and none of another kind."""
    missing = max(0, characters - len(offer))
    return re.sub(r"(?m)^(a=ssrc:\d+ cname:[^\r\n]*)", lambda found: found[1] + "x" * missing, offer, count=1)


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\r\n") if line]


def _without(unwanted: Callable[[str], bool]) -> Callable[[str], str]:
    return lambda text: "".join(f"{line}\r\n" for line in _lines(text) if not unwanted(line))


def _is_attribute(name: str) -> Callable[[str], bool]:
    return lambda line: line == f"a={name}" or line.startswith(f"a={name}:")


def _is_tcp(line: str) -> bool:
    found = _CANDIDATE.match(line)
    return found is not None and found["protocol"].lower() == "tcp"


def _is_ipv6(line: str) -> bool:
    found = _CANDIDATE.match(line)
    return found is not None and ":" in found["address"]


def _is_second(line: str) -> bool:
    return re.match(r"a=candidate:\S+ 2 ", line) is not None


def _with_candidate(text: str, ours: Sequence[tuple[str, int]]) -> str:
    """In each section, behind its address."""
    if "a=candidate:" in text or not ours:
        return text
    line = OUR_CANDIDATE.format(*ours[0])
    return re.sub(r"(?m)^(c=[^\r\n]*\r\n)", lambda found: f"{found[1]}{line}\r\n", text)


def _with_addresses(text: str, ours: Sequence[tuple[str, int]]) -> str:
    return re.sub(r"\S+\.local(?= )", ours[0][0], text) if ours else text


def _with_opus_alone(text: str) -> str:
    section = parse_sdp(text).section("audio")
    opus = section.codec("opus") if section else None
    if opus is None:
        return text
    kept = str(opus.payload_type)

    def is_other(line: str) -> bool:
        found = _OF_A_CODEC.match(line)
        return found is not None and found[1] != kept

    return re.sub(r"(?m)^(m=audio \d+ \S+) [^\r\n]*", rf"\1 {kept}", _without(is_other)(text))


def _with_opus_as_111(text: str) -> str:
    section = parse_sdp(text).section("audio")
    opus = section.codec("opus") if section else None
    if opus is None or opus.payload_type == 111:
        return text
    old = opus.payload_type
    text = re.sub(rf"(?m)^(m=audio [^\r\n]*?) {old}(?= |\r)", r"\1 111", text)
    return re.sub(rf"(?m)^(a=(?:rtpmap|fmtp|rtcp-fb)):{old} ", r"\1:111 ", text)


def _with_fingerprints_in_sections(text: str) -> str:
    description = parse_sdp(text)
    own = [line for line in description.session_lines if line.startswith("a=fingerprint:")]
    if not own:
        return text
    return re.sub(
        r"(?m)^(c=[^\r\n]*\r\n)", lambda found: f"{found[1]}{own[0]}\r\n", _without(own.__contains__)(text)
    )
