"""Faults in what the relay forwards: the offer, the session, the form around them."""

from __future__ import annotations

import re
from typing import Any

from harness.fakes.relay.hooks import RelayFault, relay_fault
from harness.fakes.relay.upstream import Form

RETIRED_MODEL = "gpt-4o-realtime-preview-2024-10-01"


@relay_fault("offer-trimmed", "trims the offer, so that its final CRLF is lost", stage="offer")
class OfferTrimmed(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        return offer.strip()


@relay_fault("offer-line-endings", "turns the offer's CRLF into LF", stage="offer")
class OfferLineEndings(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        return offer.replace(b"\r\n", b"\n")


@relay_fault(
    "offer-truncated",
    "forwards the beginning of the offer",
    stage="offer",
    default=0.5,
    value_help="which part of it",
)
class OfferTruncated(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        return offer[: int(len(offer) * float(self.value))]


@relay_fault("data-section-stripped", "drops m=application from the offer", stage="offer")
class DataSectionStripped(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        sections = re.split(rb"(?=^m=)", offer, flags=re.MULTILINE)
        kept = [s for s in sections if not s.startswith(b"m=application")]
        gone = [m for s in sections if s not in kept for m in re.findall(rb"^a=mid:(\S+)", s, re.MULTILINE)]
        return b"".join(_unbundled(kept[0], gone) if i == 0 else s for i, s in enumerate(kept))


def _unbundled(session: bytes, mids: list[bytes]) -> bytes:
    def without(match: re.Match[bytes]) -> bytes:
        return b" ".join(word for word in match.group().split(b" ") if word not in mids)

    return re.sub(rb"^a=group:BUNDLE[^\r\n]*", without, session, flags=re.MULTILINE)


@relay_fault("candidates-stripped", "drops the candidates from the offer", stage="offer")
class CandidatesStripped(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        return re.sub(rb"^a=(candidate:[^\r\n]*|end-of-candidates)\r?\n", b"", offer, flags=re.MULTILINE)


@relay_fault("offer-mutated", "parses the offer and writes it anew, with a line of its own", stage="offer")
class OfferMutated(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        return re.sub(rb"^s=[^\r\n]*", b"s=relay", offer, count=1, flags=re.MULTILINE)


@relay_fault("session-missing", "forwards the offer without a session", stage="session")
class SessionMissing(RelayFault):
    def session_part(self, part: bytes) -> bytes | None:
        return None


@relay_fault("session-type-missing", 'leaves out the session\'s "type"', stage="session")
class SessionTypeMissing(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in session.items() if name != "type"}


@relay_fault("beta-shape", "forwards the session in the shape of the retired beta API", stage="session")
class BetaShape(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        audio = session.get("audio", {})
        return {
            "type": "realtime",
            "model": session.get("model"),
            "instructions": session.get("instructions", ""),
            "modalities": ["audio", "text"],
            "voice": audio.get("output", {}).get("voice", "alloy"),
            "turn_detection": audio.get("input", {}).get("turn_detection"),
        }


@relay_fault("session-not-json", "forwards the session as a language prints it, not as JSON", stage="session")
class SessionNotJson(RelayFault):
    def session_part(self, part: bytes) -> bytes | None:
        return b"[object Object]"


@relay_fault("multipart-invalid", "announces another boundary than it writes", stage="session")
class MultipartInvalid(RelayFault):
    def form(self, form: Form) -> Form:
        return Form("multipart/form-data; boundary=another-boundary", form.body)


@relay_fault(
    "retired-model",
    "asks for a model that is shut down",
    stage="session",
    default=RETIRED_MODEL,
    value_help="a model name",
)
class RetiredModel(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {**session, "model": str(self.value)}


@relay_fault(
    "retiring-model",
    "asks for a model whose day of shut-down is announced",
    stage="session",
    default="gpt-realtime",
    value_help="a model name",
)
class RetiringModel(RetiredModel):
    """As the retired one, which answers no more."""


@relay_fault("text-only-session", "asks for a session that only writes", stage="session")
class TextOnlySession(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return {**session, "output_modalities": ["text"]}


@relay_fault("replies-disabled", "asks for a session that answers nobody by itself", stage="session")
class RepliesDisabled(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        return with_turn_detection(session, create_response=False)


@relay_fault(
    "description-too-long",
    "describes a tool at greater length than OpenAI takes",
    stage="session",
    default=1200,
    value_help="characters",
)
class DescriptionTooLong(RelayFault):
    def session(self, session: dict[str, Any], sent_along: dict[str, Any]) -> dict[str, Any]:
        told = ("Looks an order up. " * int(self.value))[: int(self.value)]
        tool = {"type": "function", "name": "look_up", "description": told, "parameters": {"type": "object"}}
        return {**session, "tools": [tool], "tool_choice": "none"}


def with_turn_detection(session: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The session with its turn detection changed."""
    audio = session.get("audio", {})
    heard = audio.get("input", {})
    detection = {**(heard.get("turn_detection") or {"type": "server_vad"}), **changes}
    return {**session, "audio": {**audio, "input": {**heard, "turn_detection": detection}}}


@relay_fault(
    "duplicate-call",
    "makes more than one call for one offer, as a retry does",
    stage="session",
    default=2,
    value_help="how many calls, from 2",
)
class DuplicateCall(RelayFault):
    @property
    def copies(self) -> int:  # type: ignore[override]  # the value decides
        return min(10, max(2, int(self.value)))
