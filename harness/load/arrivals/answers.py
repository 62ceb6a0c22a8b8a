"""The cheap facts of an answer: what can be told of each of thousands a second."""

from __future__ import annotations

import re

from harness.load.arrivals.offers import PreparedOffer

# Of the whole answer, since a session may say them for all of its sections.
_UFRAG = re.compile(r"^a=ice-ufrag:([^\r\n]+)", re.MULTILINE)
_PWD = re.compile(r"^a=ice-pwd:([^\r\n]+)", re.MULTILINE)
_SECTION = re.compile(r"^m=(audio|application) (\d+)", re.MULTILINE)

# Answers that are remembered; then the older half is forgotten. In a soak they must not look like a leak.
MOST_KNOWN = 100_000
NOT_ACCEPTED = "signaling.offer-accepted"
NOT_SDP, NO_AUDIO = "signaling.answer-is-sdp", "signaling.answer-has-audio"
NO_CHANNEL, INCOMPLETE = "signaling.answer-has-data-channel", "signaling.answer-mirrors-offer"
OF_SECTION = {"audio": NO_AUDIO, "application": NO_CHANNEL}


class Answers:
    """Looks at each answer, and remembers whose credentials came already."""

    def __init__(self) -> None:
        self._known: set[int] = set()
        self._older: set[int] = set()

    def fault(self, offer: PreparedOffer, answer: str) -> str:
        """What is wrong with the SDP of a 2xx response; empty for nothing."""
        if not answer.startswith("v=0"):
            return f"{NOT_SDP}: the body is no SDP"
        ports = dict(_SECTION.findall(answer))
        for kind in ("audio", "application"):
            if kind not in ports:
                return f"{OF_SECTION[kind]}: it has no m={kind}"
            if ports[kind] == "0":
                return f"{OF_SECTION[kind]}: it rejects m={kind}"
        ufrag, pwd = _UFRAG.search(answer), _PWD.search(answer)
        if ufrag is None or pwd is None:
            return f"{INCOMPLETE}: it has no ICE credentials"
        if ufrag[1] == offer.ufrag:
            return f"{INCOMPLETE}: it has the offer's own ice-ufrag"
        # A ufrag alone may come twice by chance: OpenAI's have few characters.
        if not self._is_new(hash((ufrag[1], pwd[1]))):
            return "arrivals: another caller was given the same ICE credentials"
        return ""

    def _is_new(self, credentials: int) -> bool:
        if credentials in self._known or credentials in self._older:
            return False
        self._known.add(credentials)
        if len(self._known) >= MOST_KNOWN // 2:
            self._known, self._older = set(), self._known
        return True
