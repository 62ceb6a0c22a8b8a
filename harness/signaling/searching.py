"""The search for a relay's dialect: which shape to try next, learned from how the last one was refused.

Pure: it sends nothing. What the refusals say comes first, then the words that the field uses.
"""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from harness.config.hooks import TokenMint
from harness.core.dialects import (
    ANYWHERE,
    DIALECTS,
    FORM,
    JSON,
    METHODS,
    OWN,
    PAGE_SESSION,
    SDP,
    TEXT,
    URL_FORM,
    Dialect,
)
from harness.core.json_paths import merged, place_of_sdp, put
from harness.signaling.wanted import Wanted, types_in, unwanted_in, wanted_in

MOST_TRIES = 80  # offers; each that is refused costs a request
NOT_HERE = (404, 405)  # Express says 404 where only another method has a handler

_TYPED = {"type": "offer"}
# What the field calls an offer, beside the words of the table.
_WORDS = (
    *("localDescription", "description", "sessionDescription", "session_description", "local_description"),
    *(
        "webrtcOffer",
        "webrtc_offer",
        "rtcOffer",
        "offerSDP",
        "SDP",
        "jsep",
        "rtc",
        "webrtc",
        "data",
        "payload",
    ),
)
_OBJECTS = frozenset(
    {"offer", "localDescription", "description", "sessionDescription", "session_description", "jsep"}
    | {"local_description", "rtc", "webrtc", "data", "payload"}
)
_OFFERISH = re.compile(r"sdp|offer|description|jsep|^rtc$|^webrtc$", re.IGNORECASE)
_MODEL, _VOICE = str(PAGE_SESSION["model"]), "marin"
# What a page would give where a relay insists on it.
_VALUES: Mapping[str, object] = {
    "type": "offer",
    "session": PAGE_SESSION,
    "sessionconfig": PAGE_SESSION,
    "config": PAGE_SESSION,
    "model": _MODEL,
    "voice": _VOICE,
    "language": "en",
    "lang": "en",
    "locale": "en",
    "instructions": "Answer briefly.",
    "prompt": "Answer briefly.",
    "systemprompt": "Answer briefly.",
}


class DialectSearch:
    """`next` gives a dialect to try, `refused` says how that went. `only_with_fields`: others are left out.

    Its dialects take the answer wherever it is; `settled` says what the dialect is once one came.
    """

    def __init__(self, *, only_with_fields: bool = False) -> None:
        self._only_with_fields = only_with_fields
        self._waiting = deque(_by_habit())
        self._tried: set[tuple[object, ...]] = set()
        self._method = ""
        self._beside: dict[str, object] = {}
        self._query: dict[str, str] = {}
        self._is_second_round = False
        self.unknown: list[str] = []  # what the relay wants and no page is known to send

    def next(self) -> Dialect | None:
        """What to try; None where there is nothing left."""
        while len(self._tried) < MOST_TRIES:
            if not self._waiting and not self._begin_second_round():
                return None
            draft = self._as_learned(self._waiting.popleft())
            key = _key(draft)
            if key in self._tried or (self._only_with_fields and not draft.has_fields):
                continue
            self._tried.add(key)
            return draft
        return None

    def method_after(self, dialect: Dialect, status: int, allow: str) -> Dialect | None:
        """The same with another method, where a refusal may be about that; asked once."""
        if status not in NOT_HERE or self._method:
            return None
        allowed = [method for method in METHODS if method in re.findall(r"[A-Z]+", allow.upper())]
        others = [method for method in (allowed if allow else ["PUT"]) if method != dialect.method]
        if not others:
            return None
        self._method = others[0]
        self._tried.add(_key(replace(dialect, method=self._method)))
        return replace(dialect, method=self._method)

    def refused(self, dialect: Dialect, body: str) -> None:
        """Learn from what the relay said: what it names is tried next."""
        wanted = wanted_in(body)
        for name in unwanted_in(body):
            self._beside.pop(name, None)
            dialect = replace(dialect, fields={n: v for n, v in dialect.fields.items() if n != name})
        all_at_once = [self._with(dialect, wanted)] if wanted else []
        unknown = [each.path for each in wanted if _given(each)[1] is None]
        elsewhere = [draft for path in unknown for draft in _places(dialect, path)]
        otherwise = [draft for kind in types_in(body) for draft in _of_type(dialect, kind)]
        self._waiting.extendleft(reversed([*all_at_once, *elsewhere, *otherwise]))

    def _with(self, dialect: Dialect, wanted: Sequence[Wanted]) -> Dialect:
        """The refused one with everything that was named at once."""
        draft = dialect
        place = next((w for w in wanted if w.place == "body" and _OFFERISH.search(w.name)), None)
        for each in wanted:
            path, value = _given(each)
            if each.place == "query":
                if isinstance(value, str):
                    self._query[path] = value
            elif value is not None and draft.has_fields:
                if path != "type":
                    self._beside = put(self._beside, path, value)
                draft = replace(draft, fields=put(draft.fields, path, value))
            elif value is None and not _OFFERISH.search(each.name) and path not in self.unknown:
                self.unknown.append(path)
        draft = self._as_learned(draft)
        if place is not None and draft.has_fields and place.path != draft.offer:
            moved = _moved(draft, place.path)
            return moved if moved is not None else draft
        return draft

    def _as_learned(self, draft: Dialect) -> Dialect:
        """With the method and whatever else the relay has already asked for."""
        beside = self._beside if draft.has_fields else {}
        return replace(
            draft,
            method=self._method or draft.method,
            fields=merged(beside, draft.fields) if beside else draft.fields,
            query={**self._query, **draft.query},
        )

    def _begin_second_round(self) -> bool:
        """Where refusals said nothing of use: all once more with what relays want of pages by default."""
        if self._is_second_round:
            return False
        self._is_second_round = True
        query = {"model": _MODEL, "voice": _VOICE}
        more = {"session": PAGE_SESSION, "model": _MODEL, "voice": _VOICE}
        self._waiting.extend(
            replace(draft, fields=merged(more, draft.fields) if draft.has_fields else {}, query=query)
            for draft in _by_habit()
            if draft.name != OWN
        )
        return bool(self._waiting)


def settled(dialect: Dialect, body: str) -> Dialect:
    """The dialect in which the offer was sent, with the place where the response has the answer.

    It is the built-in one where there is one that does just this, or without an answer one that asks so.
    """
    if dialect.answer != ANYWHERE:
        return dialect
    place = place_of_sdp(body)
    has_answer = bool(place) or body.startswith("v=0")
    found = replace(dialect, answer=place)
    rows = DIALECTS.values()
    row = next((r for r in rows if _key(r, answer=has_answer) == _key(found, answer=has_answer)), None)
    return row or replace(found, name=OWN, description="found by search")


def lines_to_paste(dialect: Dialect) -> list[str]:
    """The dialect as harness.toml has it."""
    if dialect.name in DIALECTS and DIALECTS[dialect.name] == dialect:
        return [f'dialect = "{dialect.name}"']
    plain = Dialect(OWN)
    said: list[str] = []
    for name in ("method", "content_type", "offer", "answer"):
        value = getattr(dialect, name)
        if value != getattr(plain, name) and not (name == "offer" and not dialect.has_fields):
            said.append(f"{name} = {_toml(value)}")
    tables = {name: getattr(dialect, name) for name in ("fields", "query", "headers")}
    said += [f"{name} = {_toml(table)}" for name, table in tables.items() if table]
    if dialect.sessions:
        said.append("sessions = true")
    if dialect.statuses:
        said.append(f"statuses = {_toml(list(dialect.statuses))}")
    return [f"dialect = {{ {', '.join(said)} }}"]


def token_lines(token: TokenMint) -> list[str]:
    """How a key is minted, as harness.toml has it below the target."""
    lines = ["[targets.NAME.token]"]
    lines += [f"method = {_toml(token.method)}"] if token.method != "POST" else []
    lines += [f"value = {_toml(token.value)}"]
    lines += [f"body = {_toml(token.body)}"] if token.body else []
    return lines


def _toml(value: object) -> str:
    """A TOML value on one line; basic strings are escaped as JSON's are."""
    if isinstance(value, Mapping):
        pairs = (
            f"{k if re.fullmatch(r'[A-Za-z0-9_-]+', k) else json.dumps(k)} = {_toml(v)}"
            for k, v in value.items()
        )
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _by_habit() -> Iterator[Dialect]:
    """What is likely first, whatever a relay says."""
    first = ("json", "json-answer", "sdp", "multipart", "offer-object", "offer", "sdp-offer", "sdp_offer")
    for name in first:
        yield replace(DIALECTS[name], answer=ANYWHERE, statuses=())
    plain = Dialect(OWN, answer=ANYWHERE)
    yield replace(plain, content_type=TEXT, offer="")
    for name in ("openai", "json-session", "sdp-query", "offer-sdp", "offer_sdp"):
        yield replace(DIALECTS[name], answer=ANYWHERE, statuses=())
    yield replace(plain, content_type=FORM, offer="offer")
    yield replace(plain, content_type=URL_FORM)
    for word in _WORDS:
        if word in _OBJECTS:
            yield replace(plain, offer=f"{word}.sdp", fields={word: _TYPED})
        yield replace(plain, offer=word)
    yield replace(DIALECTS["live"], answer=ANYWHERE, statuses=())


def _places(dialect: Dialect, path: str) -> Iterator[Dialect]:
    """The offer at a place that was named, as a text and as a description."""
    base = dialect if dialect.has_fields else Dialect(OWN, answer=ANYWHERE, method=dialect.method)
    if path != base.offer and (moved := _moved(base, path)) is not None:
        yield moved
    if base.content_type == JSON and not path.endswith(".sdp"):
        as_object = _moved(base, f"{path}.sdp")
        if as_object is not None:
            yield replace(as_object, fields=merged(put({}, path, _TYPED), as_object.fields))


def _moved(dialect: Dialect, path: str) -> Dialect | None:
    """With the offer elsewhere; None where that is no place."""
    if not re.fullmatch(r"[\w-]+(\.[\w-]+)*", path):
        return None
    fields = {n: v for n, v in dialect.fields.items() if n not in ("offer", "localDescription", path)}
    return replace(dialect, name=OWN, offer=path, fields=fields)


def _of_type(dialect: Dialect, kind: str) -> Iterator[Dialect]:
    """The same offer in another content type."""
    if kind == dialect.content_type:
        return
    if kind in (SDP, TEXT):
        yield replace(dialect, name=OWN, content_type=kind, offer="", fields={})
        return
    for place in dict.fromkeys([dialect.offer or "sdp", "sdp", "offer"]):
        yield replace(dialect, name=OWN, content_type=kind, offer=place)


def _given(wanted: Wanted) -> tuple[str, object | None]:
    """Where to put what: of a known thing all, also where only a part was missed."""
    root = wanted.path.partition(".")[0]
    if isinstance(_value_of(root), Mapping):
        return root, _value_of(root)
    return wanted.path, _value_of(wanted.name)


def _value_of(name: str) -> object | None:
    return _VALUES.get(name.replace("_", "").replace("-", "").lower())


def _key(dialect: Dialect, *, answer: bool = False) -> tuple[object, ...]:
    return (
        *(dialect.method, dialect.content_type, dialect.offer, repr(sorted(dialect.fields.items()))),
        *(repr(sorted(dialect.query.items())), repr(sorted(dialect.headers.items()))),
        *((dialect.answer,) if answer else ()),
    )
