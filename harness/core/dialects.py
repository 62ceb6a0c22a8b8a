"""How relays wrap an offer and its answer, as data. What is done with it: `harness.signaling.dialects`.

The built-in ones are the rows of `DIALECTS`; one's own stands in harness.toml, in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.core.errors import UsageError
from harness.core.nearest import meant

SDP = "application/sdp"
JSON = "application/json"
TEXT = "text/plain"
FORM = "multipart/form-data"
URL_FORM = "application/x-www-form-urlencoded"

CONTENT_TYPES = (JSON, SDP, TEXT, FORM, URL_FORM)
METHODS = ("POST", "PUT", "PATCH")
OWN = "own"  # the name of a dialect that is described and not named
ANYWHERE = "*"  # an answer that is taken wherever it is: for a search

_PATH = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")


@dataclass(frozen=True)
class Dialect:
    """How an offer travels to a relay, and where its answer is.

    `offer`: where it goes: a dotted path in JSON, a form's part; empty where it is the body. `fields` go
    beside it in JSON or a form, `query` into the URL, `headers` along. `answer`: where that is: a dotted path
    in JSON (`.` for JSON that is a text), empty where the body is the SDP. `statuses` that bring an
    answer: none for any 2xx. `sessions`: the answer's Location is a session, at which the call is ended with
    DELETE (RFC 9725), and a redirection of the offer is followed; `session_origins`: where else than at the
    target's own origin sessions are, and its credentials may go. Raises UsageError for what cannot be sent.
    """

    name: str
    description: str = ""
    method: str = "POST"
    content_type: str = JSON
    offer: str = "sdp"
    fields: Mapping[str, object] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: str = ""
    statuses: tuple[int, ...] = ()
    sessions: bool = False
    session_origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.content_type not in CONTENT_TYPES:
            raise UsageError(
                f"an offer cannot be sent as {self.content_type!r}",
                f"choose one of {', '.join(CONTENT_TYPES)}",
            )
        if self.method not in METHODS:
            raise UsageError(
                f"an offer cannot be sent with {self.method!r}", f"choose one of {', '.join(METHODS)}"
            )
        if not self.has_fields and (self.offer or self.fields):
            raise UsageError(
                f"with {self.content_type} the offer is the body itself",
                'leave out `fields`, and `offer` or set it to ""; or choose another content_type',
            )
        if self.has_fields and not self.offer:
            raise UsageError(
                f"with {self.content_type} the offer needs a place",
                'say where it goes, such as offer = "sdp"; "" is for application/sdp',
            )
        if self.content_type == JSON and not _PATH.fullmatch(self.offer):
            raise UsageError(f"{self.offer!r} is no place in JSON", 'write it so: "sdp", "data.offer.sdp"')
        if self.answer not in ("", ".", ANYWHERE) and not _PATH.fullmatch(self.answer):
            raise UsageError(
                f"{self.answer!r} is no place in JSON",
                'write it so: "sdp", "data.answer.sdp"; "" is the body',
            )
        if self.session_origins and not self.sessions:
            raise UsageError(
                "`session_origins` is for targets whose calls are sessions",
                'say so: like = "whip", or sessions = true',
            )
        if any(not 200 <= status < 300 for status in self.statuses):
            raise UsageError("only a status from 200 to 299 brings an answer", "look at `statuses`")

    @property
    def has_fields(self) -> bool:
        """Whether anything can travel beside the offer in the body."""
        return self.content_type not in (SDP, TEXT)

    @property
    def accept(self) -> str:
        """What the Accept header says."""
        if self.answer == ANYWHERE:
            return "*/*"
        return JSON if self.answer else f"{SDP}, {TEXT}, */*" if self.content_type == JSON else SDP

    @property
    def shown(self) -> str:
        """What it sends, in short: `PUT {"sdpOffer", "session"} ?model=`."""
        named = ", ".join(f'"{name}"' for name in dict.fromkeys([self.offer, *self.fields]))
        what = {JSON: f"{{{named}}}", FORM: f"form {{{named}}}", URL_FORM: f"urlencoded {{{named}}}"}
        query = "".join(f" ?{name}=" for name in self.query)
        return f"{self.method} {what.get(self.content_type, self.content_type)}{query}"

    @property
    def taken_fields(self) -> frozenset[str]:
        """What extra fields may not be called: the offer's own place, and its type, which a search adds."""
        return frozenset({self.offer.partition(".")[0], "type"})

    def takes(self, status: int) -> bool:
        """Whether a response of this status brings an answer."""
        return status in self.statuses if self.statuses else 200 <= status < 300


# What a page sends that brings a session of its own, where a relay insists on one.
PAGE_SESSION: Mapping[str, object] = {
    "type": "realtime",
    "model": "gpt-realtime-2.1",
    "audio": {"output": {"voice": "marin"}},
}
_TYPED = {"type": "offer"}

DIALECTS: Mapping[str, Dialect] = {
    row.name: row
    for row in (
        Dialect("json", '{"sdp"} in, SDP text out'),
        Dialect("sdp-both", '{"sdp"} both ways', answer="sdp"),
        Dialect("sdp", "raw application/sdp both ways", content_type=SDP, offer=""),
        Dialect("json-answer", '{"type", "sdp"} both ways', fields=_TYPED, answer="sdp"),
        Dialect("multipart", "a form with the field sdp in, SDP text out", content_type=FORM),
        Dialect("offer", '{"offer": text} in, {"answer": text} out', offer="offer", answer="answer"),
        Dialect(
            "offer-object",
            '{"offer": {"type", "sdp"}} in, {"answer": {"type", "sdp"}} out',
            offer="offer.sdp",
            fields={"offer": _TYPED},
            answer="answer.sdp",
        ),
        Dialect("sdp-offer", '{"sdpOffer"} in, {"sdpAnswer"} out', offer="sdpOffer", answer="sdpAnswer"),
        Dialect("offer-sdp", '{"offerSdp"} in, {"answerSdp"} out', offer="offerSdp", answer="answerSdp"),
        Dialect("sdp_offer", '{"sdp_offer"} in, {"sdp_answer"} out', offer="sdp_offer", answer="sdp_answer"),
        Dialect("offer_sdp", '{"offer_sdp"} in, {"answer_sdp"} out', offer="offer_sdp", answer="answer_sdp"),
        Dialect(
            "put",
            '{"sdp"} in with PUT, {"sdpResponse"} out',
            method="PUT",
            fields=_TYPED,
            answer="sdpResponse",
        ),
        Dialect(
            "put-sdp", "raw application/sdp both ways, with PUT", method="PUT", content_type=SDP, offer=""
        ),
        Dialect("text", "SDP as text/plain both ways", content_type=TEXT, offer=""),
        Dialect(
            "sdp-query",
            "raw application/sdp both ways, model and voice in the URL",
            content_type=SDP,
            offer="",
            query={"model": "gpt-realtime-2.1", "voice": "marin"},
        ),
        Dialect(
            "json-session",
            '{"sdp", "session"} in, SDP text out',
            fields={"session": PAGE_SESSION},
        ),
        # OpenAI's own endpoint, and what speaks like it: Azure's below /openai/v1, LiteLLM's proxy.
        Dialect(
            "openai",
            "OpenAI's /v1/realtime/calls and gateways like it: a form with sdp and session in, SDP text out",
            content_type=FORM,
            fields={"session": PAGE_SESSION},
            statuses=(200, 201),
        ),
        # What it says of HTTP: the area `whip`. Its media is one-way, a call's is not.
        Dialect(
            "whip",
            "WHIP (RFC 9725): raw application/sdp both ways, and a session that DELETE ends",
            content_type=SDP,
            offer="",
            statuses=(201, 200),
            sessions=True,
        ),
        Dialect(
            "live",
            'OpenAI\'s GPT-Live: {"session", "transport": {"type", "sdp"}} in, the same place out',
            offer="transport.sdp",
            fields={"session": {"model": "gpt-live-1"}, "transport": {"type": "webrtc"}},
            answer="transport.sdp",
        ),
    )
}
DEFAULT_DIALECT = "json"


def check_dialect(name: str) -> None:
    """Raises UsageError, with near matches, for a dialect that there is not."""
    if name not in DIALECTS:
        raise UsageError(f"there is no dialect {name!r}", meant(name, DIALECTS))


def dialect_named(name: str) -> Dialect:
    """The built-in dialect of that name. Raises UsageError with near matches."""
    check_dialect(name)
    return DIALECTS[name]
