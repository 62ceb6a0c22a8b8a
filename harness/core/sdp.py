"""Reading SDP (RFC 8866) as it came: tolerant, so that what is wrong can be named rather than refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property

from harness.core.bounds import MOST_SDP_BYTES, MOST_SDP_LINES, MOST_SECTIONS

Attributes = dict[str, list[str]]  # name → the values of all its lines

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")

# Digits as SDP means them: `str.isdigit` also takes ² and ٣, and `int` refuses thousands of digits.
_NUMBER = re.compile(r"[0-9]{1,20}")
_RTPMAP = re.compile(r"([0-9]{1,3}) ([^/ ]+)/([0-9]{1,9})(?:/([0-9]{1,3}))?")


@dataclass(frozen=True)
class Codec:
    """One payload type of a section: `opus`, 48000 Hz, 2 channels, its fmtp."""

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: str = ""


@dataclass(frozen=True)
class Candidate:
    """One `a=candidate` line (RFC 8839, section 5.1)."""

    foundation: str
    component: int
    protocol: str
    priority: int
    address: str
    port: int
    type: str
    tcp_type: str | None = None

    def __str__(self) -> str:
        return f"{self.type} {self.protocol} {self.address}:{self.port}"


@dataclass(frozen=True)
class Section:
    """One media section: its m= line and all lines up to the next. `port` is -1 where it is no number."""

    kind: str
    port: int
    protocol: str
    formats: tuple[str, ...]
    lines: tuple[str, ...]
    session_lines: tuple[str, ...] = ()
    of_session: Attributes = field(default_factory=dict, repr=False, compare=False)  # one for all sections
    _own: Attributes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_own", _attributes(self.lines))

    def attribute(self, name: str) -> str | None:
        """The first `a=name` of the section, else of the session; `""` for a flag, None where absent."""
        found = self._own.get(name) or self.of_session.get(name)
        return found[0] if found else None

    def attributes(self, name: str) -> list[str]:
        """All values of `a=name` in the section; the session's where the section has none."""
        return list(self._own.get(name) or self.of_session.get(name) or ())

    @property
    def rejected(self) -> bool:
        """Port 0 rejects a section (RFC 3264, section 6), unless it is bundle-only (RFC 9143)."""
        return self.port == 0 and "bundle-only" not in self._own

    @property
    def mid(self) -> str | None:
        return self.attribute("mid")

    @property
    def direction(self) -> str:
        """sendrecv where nothing is said (RFC 8866, section 6.7)."""
        for attributes in (self._own, self.of_session):
            found = [name for name in DIRECTIONS if "" in attributes.get(name, ())]
            if found:
                return min(found, key=list(attributes).index)
        return "sendrecv"

    @property
    def setup(self) -> str | None:
        """active, passive, actpass or holdconn (RFC 4145)."""
        return self.attribute("setup")

    @property
    def ice_ufrag(self) -> str | None:
        return self.attribute("ice-ufrag")

    @property
    def ice_pwd(self) -> str | None:
        return self.attribute("ice-pwd")

    @property
    def fingerprints(self) -> list[tuple[str, str]]:
        """(algorithm, value) pairs, algorithm in lower case."""
        found = []
        for value in self.attributes("fingerprint"):
            algorithm, _, digest = value.partition(" ")
            found.append((algorithm.lower(), digest.strip()))
        return found

    @cached_property
    def candidates(self) -> list[Candidate]:
        """Candidates that can be read; a malformed line is left out."""
        return [c for c in map(_candidate, self._own.get("candidate", ())) if c is not None]

    @cached_property
    def codecs(self) -> list[Codec]:
        """Codecs of the section's formats, in order of preference."""
        fmtp = dict(value.partition(" ")[::2] for value in self.attributes("fmtp"))
        found: dict[str, Codec] = {}
        for value in self.attributes("rtpmap"):
            match = _RTPMAP.fullmatch(value.strip())
            if match:
                pt, name, rate, channels = match.groups()
                found[pt] = Codec(int(pt), name.lower(), int(rate), int(channels or 1), fmtp.get(pt, ""))
        return [found[fmt] for fmt in self.formats if fmt in found]

    def codec(self, name: str) -> Codec | None:
        """The first codec of that name."""
        return next((c for c in self.codecs if c.name == name.lower()), None)

    @property
    def sctp_port(self) -> int | None:
        """`a=sctp-port` (RFC 8841), or the port of an old `a=sctpmap`."""
        value = self.attribute("sctp-port") or (self.attribute("sctpmap") or "").partition(" ")[0]
        return _number(value)

    @property
    def max_message_size(self) -> int:
        """Bytes; 65536 where nothing is said (RFC 8841, section 6.1); 0 means no limit."""
        size = _number(self.attribute("max-message-size") or "")
        return 65536 if size is None else size


@dataclass(frozen=True)
class SessionDescription:
    """An SDP as a whole. `text` is what came, unchanged."""

    text: str
    session_lines: tuple[str, ...]
    sections: tuple[Section, ...]
    excess: str = ""  # what it has too much of to be read as a whole

    @property
    def is_sdp(self) -> bool:
        """Whether it begins as every SDP must, with `v=0` (RFC 8866, section 5.1)."""
        return bool(self.session_lines) and self.session_lines[0].strip() == "v=0"

    def section(self, kind: str) -> Section | None:
        """The first section of a kind: audio, video, application."""
        return next((s for s in self.sections if s.kind == kind), None)

    @property
    def ice_ufrag(self) -> str | None:
        """The ufrag of the first section that has one: the call's name at both ends."""
        return next((s.ice_ufrag for s in self.sections if s.ice_ufrag), None)

    @property
    def ice_lite(self) -> bool:
        return "a=ice-lite" in self.session_lines

    @property
    def bundle(self) -> tuple[str, ...]:
        """The mids of the first BUNDLE group."""
        for value in _attributes(self.session_lines).get("group", ()):
            words = value.split()
            if words and words[0] == "BUNDLE":
                return tuple(words[1:])
        return ()

    @property
    def bare_line_feeds(self) -> int:
        """Lines that end in LF without CR."""
        return len(re.findall(r"(?<!\r)\n", self.text))

    @property
    def ends_with_newline(self) -> bool:
        """Every line of an SDP is terminated, the last one too (RFC 8866, section 9)."""
        return self.text.endswith("\n")


def parse_sdp(text: str) -> SessionDescription:
    """Read an SDP, in linear time, up to `harness.core.bounds`. Never raises: ask `is_sdp` first."""
    session: list[str] = []
    sections: list[tuple[str, list[str]]] = []
    lines = re.split(r"\r\n|\n|\r", text[:MOST_SDP_BYTES])
    for line in lines[:MOST_SDP_LINES]:
        if line.startswith("m="):
            sections.append((line, []))
        elif line:
            (sections[-1][1] if sections else session).append(line)
    excess = ""
    if len(text) > MOST_SDP_BYTES:
        excess = f"{len(text):,} characters, where {MOST_SDP_BYTES:,} are the most that are read"
    elif len(lines) > MOST_SDP_LINES:
        excess = f"{len(lines):,} lines, where {MOST_SDP_LINES:,} are the most that are read"
    elif len(sections) > MOST_SECTIONS:
        excess = f"{len(sections):,} media sections, where {MOST_SECTIONS} are the most that are read"
    session_lines = tuple(session)
    of_session = _attributes(session_lines)
    return SessionDescription(
        text=text,
        session_lines=session_lines,
        sections=tuple(
            _section(m_line, own, session_lines, of_session) for m_line, own in sections[:MOST_SECTIONS]
        ),
        excess=excess,
    )


def _section(
    m_line: str, lines: list[str], session_lines: tuple[str, ...], of_session: Attributes
) -> Section:
    words = [*m_line[2:].split(), "", "", ""]
    port = _number(words[1].partition("/")[0])
    return Section(
        kind=words[0],
        port=-1 if port is None else port,
        protocol=words[2],
        formats=tuple(w for w in words[3:] if w),
        lines=tuple(lines),
        session_lines=session_lines,
        of_session=of_session,
    )


def _attributes(lines: tuple[str, ...]) -> Attributes:
    """Name → the values of all its lines."""
    found: Attributes = {}
    for line in lines:
        if line.startswith("a="):
            name, _, value = line[2:].partition(":")
            found.setdefault(name, []).append(value)
    return found


def _candidate(value: str) -> Candidate | None:
    words = value.split()
    if len(words) < 8 or words[6] != "typ":
        return None
    component, priority, port = map(_number, (words[1], words[3], words[5]))
    if component is None or priority is None or port is None:
        return None
    extra = dict(zip(words[8::2], words[9::2], strict=False))
    return Candidate(
        foundation=words[0],
        component=component,
        protocol=words[2].lower(),
        priority=priority,
        address=words[4],
        port=port,
        type=words[7],
        tcp_type=extra.get("tcptype"),
    )


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None
