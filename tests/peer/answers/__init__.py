"""Answers that are wrong in one way each, made by rule from an answer that a browser takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.peer.answers.contents import codecs, fingerprints, media_lines, mids, sections, setups
from tests.peer.answers.lines import doubled, dropped, in_one_place, listed, moved
from tests.peer.answers.parts import Rule
from tests.peer.answers.texts import cut_off, letters, line_ends, sizes

SHOWN = 70  # characters of a name

RULES: Mapping[str, Sequence[Rule]] = {
    "a line left out": [dropped],
    "a line twice": [doubled],
    "a line elsewhere": [moved],
    "a line more": [],
    "sections": [sections],
    "`m=`": [media_lines],
    "`a=mid`": [mids],
    "BUNDLE": [in_one_place("a=group")],
    "direction": [],
    "`a=setup`": [setups],
    "fingerprint": [fingerprints],
    "`a=ice-ufrag`": [in_one_place("a=ice-ufrag:", "a=ice-(pwd|ufrag):")],
    "`a=ice-pwd`": [in_one_place("a=ice-pwd:")],
    "codecs": [codecs],
    "`a=rtcp-mux`": [in_one_place("a=rtcp-mux$")],
    "header extensions": [],
    "streams": [],
    "data channel": [],
    "candidates": [in_one_place("a=(candidate|end-of-candidates)")],
    "`v=`, `o=`, `s=`, `t=`, `c=`": [],
    "line ends": [line_ends],
    "sizes": [sizes],
    "letters": [letters],
    "cut off": [cut_off],
}


def mutated(answer: str) -> dict[str, dict[str, str]]:
    """group → name → answer; none is the answer itself, and none is there twice."""
    seen = {answer}
    found: dict[str, dict[str, str]] = {}
    for group, rules in RULES.items():
        some = found[group] = {}
        for rule in (*rules, *listed().get(group, ())):
            for name, text in rule(answer):
                if text not in seen:
                    seen.add(text)
                    shown = name[:SHOWN]
                    some[shown if shown not in some else f"{shown} ({len(some)})"] = text
    return found
