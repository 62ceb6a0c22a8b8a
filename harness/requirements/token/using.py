"""What a key is for: its session, and the call that it makes."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from harness.core import probes
from harness.core.events import TokenMinted
from harness.core.fields import field
from harness.core.session import STOCK_INSTRUCTIONS
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import asked, started
from harness.requirements.exchanges import exchanges, offer_exchange
from harness.requirements.model import (
    Because,
    Cause,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.registry import requirement
from harness.requirements.token.asking import MINTED, OPENAI_KEYS, told_of


@requirement(
    "token.session-fixed",
    "The session comes with the key",
    level=Level.SHOULD,
    because=Because.ADVICE,
    hits="whoever relies on what the assistant was told",
    severity=Severity.NORMAL,
    stage=CallStage.OFFER,
    source=OPENAI_KEYS,
    needs=("token.minted", "token.ephemeral", "token.expiry"),
    when=(MINTED,),
    causes={
        "session-missing": Cause(
            "the key was minted without instructions: the page must bring them, and may bring any",
            "give /v1/realtime/client_secrets the whole session: model, instructions, tools, voice; what "
            "the page "
            "sends later is the caller's to change",
        )
    },
)
def session_fixed(timeline: Timeline) -> Finding:
    """The session of the answer, or the one that it led to, has instructions of the back end's."""
    told = told_of(timeline)
    session: object = told.session if told is not None else None
    at = told.at if told is not None else 0.0
    if session is None:
        created = timeline.server_events("session.created")
        session = field(created[0].event, "session") if created else None
        at = created[0].at if created else at
    if not isinstance(session, Mapping):
        return NotApplicable("nothing says which session the key is for")
    if session.get("type") == "transcription":
        return NotApplicable("a transcription has no instructions")
    instructions = str(session.get("instructions") or "")
    if not instructions.strip() or instructions.startswith(STOCK_INSTRUCTIONS):
        return Violation(
            "session-missing", f"model {session.get('model')}", (Evidence(at, "instructions: none"),)
        )
    return None


@requirement(
    "token.session-not-chosen",
    "A page cannot choose the session that its key is for",
    level=Level.MUST,
    because=Because.MONEY,
    hits="whoever asks for a session of their own",
    severity=Severity.CRITICAL,
    stage=CallStage.OFFER,
    source=Source(
        "OWASP API Security 2023, API3 (broken object property level authorization)",
        "A server takes from its client only the properties that the client may set.",
        "https://owasp.org/API-Security/editions/2023/en/0xa3-broken-object-property-level-authorization/",
    ),
    when=(asked(probes.MINT_INJECTION, "a key was asked for with a session of the page's own"),),
    causes={
        "session-chosen": Cause(
            "the page's own session went into the key",
            "build the session on the server, and spread neither the request's body nor its query into it",
        )
    },
)
def session_not_chosen(timeline: Timeline) -> Finding:
    """Neither the probe's marker nor its model is in the session of the answer, or the one that resulted."""
    asked_for = exchanges(timeline, probes.MINT_INJECTION)
    marker = asked_for[0].request.case if asked_for else ""
    if not marker:
        return Inconclusive("the probe carries no marker to look for")
    ordinary = told_of(timeline)
    usual = field(ordinary.session, "model") if ordinary else None
    answers = timeline.all(TokenMinted, where=lambda e: e.purpose == probes.MINT_INJECTION)
    for exchange, told in zip(asked_for, answers, strict=False):  # in order; the last may have failed
        model = field(told.session, "model")
        if model and usual and model != usual:
            seen = f"model {model}, as we asked, and not {usual}"
            return Violation("session-chosen", seen, exchange.evidence())
        if told.session and marker in msgspec.json.encode(told.session).decode():
            seen = "the answer's session has what we asked for"
            return Violation("session-chosen", seen, exchange.evidence())
    for event in timeline.server_events("session.created"):
        if marker in msgspec.json.encode(event.event).decode():
            seen = "the session that the key made has what we asked for"
            return Violation("session-chosen", seen, (Evidence(event.at, seen),))
    got = [told for told in answers if told.key != "none"]
    is_blind = bool(got) and all(told.session is None for told in got)
    if is_blind and not timeline.server_events("session.created"):
        return NotApplicable("what became of the session cannot be seen")
    return None


@requirement(
    "token.usable",
    "A key can be used at once, for what it is for",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.OFFER,
    source=OPENAI_KEYS,
    needs=("token.minted", "token.ephemeral", "token.expiry"),
    when=(MINTED,),
    causes={
        "refused": Cause(
            "upstream refuses the key that was just minted",
            "mint with a key of the same project and upstream that the page calls: compare `offers_to` "
            "with the back "
            "end's OPENAI_BASE_URL (Azure's keys are for Azure), and hand out each key once",
        ),
        "for-transcription": Cause(
            "the key is for a transcription, in which nobody answers",
            'mint it with session.type "realtime"; if the target only writes, say `silent = true` of it',
        ),
    },
)
def usable(timeline: Timeline) -> Finding:
    """The offer with the key is not refused for it, and the session that results is a conversation."""
    offer, told = offer_exchange(timeline), told_of(timeline)
    if offer is None or offer.ended_at is None:
        return NotApplicable("no offer was sent with the key")
    if offer.status in (401, 403):
        return Violation("refused", f"status {offer.status}", offer.evidence())
    kinds = [field(e.event, "session", "type") for e in timeline.server_events("session.created")]
    if told is not None and told.session is not None:
        kinds.append(told.session.get("type"))
    if "transcription" in kinds and not started(timeline).silent:
        return Violation("for-transcription", "the session's type is transcription", offer.evidence()[-1:])
    return None
