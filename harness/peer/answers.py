"""Whether a browser would take an answer: its lines, and its sections against the offer's.

What Chromium refuses is refused, and no more: docs/answers.md holds one against the other. That a call can be
had by it is for `Remote.from_sdp` and the requirements `signaling.answer-…`, which ask for more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from harness.core.caller_end import SdpUnusableError
from harness.core.sdp import Section, SessionDescription, parse_sdp
from harness.core.sdp_lines import DIGESTS, DTLS_SCTP, unreadable

LONGEST_MID = 16
_BARE_RETURN = re.compile(r"\r(?!\n)")
# RFC 8839, section 5.4, has letters, digits, + and /; Chromium takes what base64 for URLs has, too.
_ICE_CHARACTERS = re.compile(r"[A-Za-z0-9+/=_-]*")
RTCP_TYPES = range(64, 96)  # RFC 5761, section 4: RTP with these is taken for RTCP


def check_answer(answer: SessionDescription, offer: SessionDescription) -> None:
    """Refuse what a browser refuses. Raises SdpUnusableError, which says the line or the clause."""
    if problem := refusal(answer, offer):
        raise SdpUnusableError(problem)


def refusal(answer: SessionDescription, offer: SessionDescription) -> str:
    """Why a browser refuses it; empty where it does not."""
    if answer.excess:
        return f"it has {answer.excess}"
    if not answer.is_sdp:
        return "it does not begin with v=0, so it is not SDP"
    if problem := unreadable(answer.text):
        return f"a browser cannot read {problem}"
    if _BARE_RETURN.search(answer.text):  # which ends no line, for a browser
        answer = parse_sdp(_BARE_RETURN.sub(" ", answer.text))
    return next(_problems(answer, offer), "")


def _problems(answer: SessionDescription, offer: SessionDescription) -> Iterator[str]:
    mids = _mids(answer, offer)
    groups = _groups(answer)
    yield from _of_groups(mids, groups)
    offered = [(_kind(s), s.mid) for s in offer.sections]
    answered = [(_kind(s), mid) for s, mid in zip(answer.sections, mids, strict=True)]
    if offered != answered:
        yield f"its m= sections do not match the offer's: offered {offered}, answered {answered}"
        return
    if any(len(mid or "") > LONGEST_MID for mid in mids):
        yield f"a mid is longer than {LONGEST_MID} characters"
    bundled = {mid for group in groups for mid in group}
    firsts = {group[0] for group in groups if group}
    if offer.bundle:
        yield from _of_bundle(dict(zip(mids, answer.sections, strict=True)), groups, offer.bundle)
    for section, mid, asked in zip(answer.sections, mids, offer.sections, strict=True):
        if section.rejected:
            continue
        # In a BUNDLE the first section speaks for all (RFC 9143, section 7.1.3).
        if mid in firsts or mid not in bundled:
            yield from _of_transport(section)
        if _is_rtp(section):
            yield from _of_audio(section, asked)


def _kind(section: Section) -> str:
    """What a browser takes it for."""
    if section.kind == "application" and section.protocol not in DTLS_SCTP:
        return f"application over {section.protocol}"
    return section.kind


def _is_rtp(section: Section) -> bool:
    return "RTP/" in section.protocol


def _last(section: Section, name: str) -> str | None:
    """Of several lines the last one counts."""
    return next(reversed(section.attributes(name)), None)


def _mids(answer: SessionDescription, offer: SessionDescription) -> list[str | None]:
    """As they are; where one is missing, the offer's in that place."""
    asked = [s.mid for s in offer.sections] + [None] * len(answer.sections)
    return [_last(s, "mid") or mid for s, mid in zip(answer.sections, asked, strict=False)]


def _groups(answer: SessionDescription) -> list[list[str]]:
    """The mids of each a=group:BUNDLE of the session."""
    found = []
    for line in answer.session_lines:
        first, *mids = line.split(" ")
        if first == "a=group:BUNDLE":
            found.append(mids)
    return found


def _of_groups(mids: list[str | None], groups: list[list[str]]) -> Iterator[str]:
    for mid in {mid for group in groups for mid in group}:
        if mid not in mids:
            yield f"BUNDLE names {mid[:40]!r}, and no section has that a=mid"
    often = Counter(mid for group in groups for mid in set(group))
    if [mid for mid, number in often.items() if number > 1]:
        yield "a section is in two BUNDLE groups"


def _of_bundle(
    sections: dict[str | None, Section], groups: list[list[str]], offered: tuple[str, ...]
) -> Iterator[str]:
    """For an end with one transport: ours, and that of every page with bundlePolicy max-bundle."""
    group = groups[0] if groups else []
    out = [mid for mid in offered if mid not in group and not sections[mid].rejected]
    if out or not group:
        yield f"the offer bundled {', '.join(out or offered)}, the answer does not (RFC 9143, section 7.3)"
    elif group[0] != offered[0]:
        yield f"BUNDLE begins with {group[0][:40]!r}, where the offer's transport is that of {offered[0]}"
    for section in (sections[mid] for mid in group):
        if sections[offered[0]].rejected and not section.rejected:
            yield f"BUNDLE's first section is rejected, and {section.kind} is not (RFC 9143, section 7.3.3)"
        if _is_rtp(section) and not section.rejected and not _has(section, "rtcp-mux"):
            yield f"the {section.kind} section is bundled, and has no a=rtcp-mux (RFC 9143, section 9.3)"


def _has(section: Section, name: str) -> bool:
    """Whatever follows it."""
    named = f"a={name}"
    return any(line.startswith(named) and line[len(named) :][:1] in ("", ":", " ") for line in section.lines)


def _of_transport(section: Section) -> Iterator[str]:
    ufrag, pwd = _last(section, "ice-ufrag"), _last(section, "ice-pwd")
    if not section.fingerprints:
        yield "a=fingerprint is missing"
    if not ufrag or not pwd:
        yield "a=ice-ufrag or a=ice-pwd is missing"
        return
    for name, value, least in (("ufrag", ufrag, 4), ("pwd", pwd, 22)):
        if not least <= len(value) <= 256 or not _ICE_CHARACTERS.fullmatch(value):
            yield f"a=ice-{name} is not {least} to 256 letters, digits, + or / (RFC 8839, section 5.4)"
    setup = _last(section, "setup")
    if setup and setup.lower() not in ("active", "passive"):
        yield (
            f"a=setup is {setup[:40]!r} in the {section.kind} section; it must be active or passive "
            "(RFC 8842, section 5.3)"
        )
    for algorithm, digest in section.fingerprints:
        if len(digest.split(":")) != DIGESTS.get(algorithm):
            yield f"a fingerprint of {algorithm[:20]} has {DIGESTS.get(algorithm)} bytes"


def _of_audio(section: Section, asked: Section) -> Iterator[str]:
    offered = dict(_extensions(asked))
    taken: dict[str, str] = {}
    uris: set[str] = set()
    for number, uri in _extensions(section):
        if uri not in uris:  # of two numbers for the same the first counts
            uris.add(uri)
            before = offered.get(number) or taken.setdefault(number, uri)
            if before != uri:
                yield f"a=extmap:{number} is {uri[:80]!r}, and was {before[:80]!r}"
    streams = {line.split(" ")[0] for line in section.attributes("ssrc")}
    if len(streams) > 1:
        yield "a section has one stream"
    if [c for c in section.codecs if c.payload_type in RTCP_TYPES]:
        yield "a payload type is one of RTCP's (RFC 5761, section 4)"


def _extensions(section: Section) -> Iterator[tuple[str, str]]:
    for value in section.attributes("extmap"):
        number, _, rest = value.partition(" ")
        words = rest.split(" ")
        yield (
            number.partition("/")[0],
            words[1] if words[0].endswith(":encrypt") and len(words) > 1 else words[0],
        )
