"""Which line of an answer a browser cannot read: what libwebrtc's parser demands of SDP, line by line.

`harness.core.sdp` reads what it can; this refuses what Chromium refuses, and is held against it answer by
answer (docs/answers.md). What no RFC says (16 channels, extensions below 256) was measured there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

# RFC 8866, section 5: the types of the session's lines in their order, each once.
_SESSION = re.compile(r"vosi?u?e?p?c?b?tz?k?a?")
_NAME = re.compile(r"[^: ]*")
_TOKEN = re.compile(r"[!#-'*+\-.0-9A-Z^-~]*")
_NUMBER = re.compile(r"-?[0-9]{1,20}")
_DIGEST = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2})*")
_RTP = re.compile(r"(?<![A-Za-z])RTP/")

# Bytes of a digest.
DIGESTS: Mapping[str, int] = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64}
SETUPS = ("active", "passive", "actpass", "holdconn")
DTLS_SCTP = ("UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP")
CANDIDATE_TYPES = ("host", "srflx", "prflx", "relay")
CANDIDATE_PROTOCOLS = ("udp", "tcp", "ssltcp")
TCP_TYPES = ("active", "passive", "so")
ENCRYPTED = "urn:ietf:params:rtp-hdrext:encrypt"
# RFC 3551, table 4: the names that numbers have without an a=rtpmap.
_STATIC = (
    *("pcmu", "reserved", "reserved", "gsm", "g723", "dvi4", "dvi4", "lpc", "pcma", "g722"),
    *("l16", "l16", "qcelp", "cn", "mpa", "g728", "dvi4", "dvi4", "g729"),
)
INT32, UINT32, UINT16 = 2**31 - 1, 2**32 - 1, 2**16 - 1
PAYLOAD_TYPES, EXTENSIONS, CHANNELS = 127, 255, 16


class _UnreadableError(Exception):
    """A line that is refused: why."""


@dataclass
class _Place:
    """What is known of the session, or of the section that is being read."""

    attributes: Mapping[str, Callable[[str, _Place], None]]
    is_session: bool = False
    formats: tuple[int, ...] = ()
    names: dict[int, str] = field(default_factory=dict)  # of payload types; empty until an a=rtpmap names one
    has_port: bool = False  # m=application names an SCTP port, as of old
    track: str = ""
    fingerprints: int = 0
    extensions: int = 0


def unreadable(text: str) -> str:
    """The first line that a browser cannot read, and why; empty where it reads all."""
    where = 0, ""
    try:
        for where in _reading(text):  # noqa: B007  (how far it came)
            pass
    except _UnreadableError as reason:
        number, line = where
        twice = "; it ends with CR CR LF, as a file in text mode does" if line.endswith("\r") else ""
        return f"line {number}, {line[:80]!r}: {reason}{twice}" if number else str(reason)
    return ""


def _reading(text: str) -> Iterator[tuple[int, str]]:
    """Each line, with its number, before it is read; 0 before what is said of a whole section."""
    *lines, unended = [line.removesuffix("\r") for line in text.split("\n")]
    place, types, of_session = _Place(_OF_SESSION, is_session=True), "", 0
    for number, line in enumerate(lines, start=1):
        yield number, line
        if line.startswith("m=") and _is_line(line) and _SESSION.fullmatch(types):
            yield 0, ""
            _close(place)
            yield number, line
            of_session = of_session or (place.extensions if place.is_session else 0)
            place = _section(line)
        elif place.is_session:
            types = _with(types, line)
            _read(line, place)
        elif not _is_line(line):
            raise _UnreadableError("it is no SDP line")
        else:
            _read(line, place)
            if of_session and place.extensions:
                raise _UnreadableError("a=extmap stands in the session too")
    yield 0, ""
    _close(place)
    if place.is_session and not _SESSION.fullmatch(types):
        raise _UnreadableError(f"{_due(types)} was due")
    yield len(lines) + 1, unended
    if unended:
        raise _UnreadableError("the last line has no end" if _is_line(unended) else "it is no SDP line")


def _with(types: str, line: str) -> str:
    """The types of the session's lines with one more; what may come again and again stands once."""
    if not _is_line(line):
        raise _UnreadableError("it is no SDP line")
    if line[0] == types[-1:] in ("a", "b") or (line[0] in "rt" and types.endswith("t")):
        return types
    more = types + line[0]
    # It is the beginning of a session, if what is left of one can follow.
    if not any(_SESSION.fullmatch(more + rest) for rest in ("osta", "sta", "ta", "")):
        due = "it does not belong there" if _SESSION.fullmatch(types) else f"{_due(types)} was due"
        raise _UnreadableError(due)
    if line[0] == "o" and len(line[2:].split(" ")) != 6:
        raise _UnreadableError("o= has six fields")
    return more


def _due(types: str) -> str:
    return ("v=", "o=", "s=")[len(types)] if len(types) < 3 else "t="


def _is_line(line: str) -> bool:
    """A small letter, =, and something that is no space; s= alone may have one (RFC 8866, section 5.3)."""
    return len(line) >= 3 and "a" <= line[0] <= "z" and line[1] == "=" and (line[0] == "s" or line[2] != " ")


def _section(line: str) -> _Place:
    """Of its m= line."""
    fields = line[2:].split(" ")
    if len(fields) < 4:
        raise _UnreadableError("m= has four fields at least")
    kind, port, protocol, *formats = fields
    if not _TOKEN.fullmatch(kind):
        raise _UnreadableError("its kind is a word")
    _number(port, UINT16, "port")
    if _RTP.search(protocol) or not protocol:
        numbers = tuple(_number(each, PAYLOAD_TYPES, "payload type") for each in formats)
        names = {n: _STATIC[n] for n in numbers if n < len(_STATIC)} if kind == "audio" else {}
        return _Place({**_OF_SECTIONS, **_OF_RTP}, formats=numbers, names=names)
    if kind in ("audio", "video"):
        raise _UnreadableError("no protocol for audio")
    if kind == "application" and protocol in DTLS_SCTP:
        return _Place({**_OF_SECTIONS, **_OF_DATA}, has_port=formats[0] != "webrtc-datachannel")
    return _Place(_OF_SECTIONS)


def _close(place: _Place) -> None:
    if unnamed := [number for number, name in place.names.items() if not name]:
        raise _UnreadableError(f"payload type {unnamed[0]} has parameters and no a=rtpmap of its own")


def _read(line: str, place: _Place) -> None:
    if line.startswith("a="):
        if read := place.attributes.get(_NAME.match(line, 2).group()):  # type: ignore[union-attr]  # it fits anything
            read(line, place)
    elif line.startswith("c="):
        _connection(line)
    elif line.startswith("b=") and not place.is_session:
        kind, colon, value = line[2:].partition(":")
        if not colon:
            raise _UnreadableError("b= is a type, a colon and a number")
        if kind in ("AS", "TIAS"):
            _number(value.lstrip(":"), INT32, "bandwidth")


def _connection(line: str) -> None:
    network, _, rest = line[2:].partition(" ")
    kind, space, address = rest.lstrip(" ").partition(" ")
    address = address.lstrip(" ")
    if network != "IN" or not space:
        raise _UnreadableError("c= is IN, an address type and an address")
    if "/" in address:
        raise _UnreadableError("no multicast")
    try:
        version = ipaddress.ip_address(address).version
    except ValueError:
        return  # a name, for all that is known
    if kind != f"IP{version}":
        raise _UnreadableError(f"{address} is no {kind} address")


# --- attributes ---


def _number(text: str, largest: int, what: str, least: int = 0) -> int:
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= largest:
        raise _UnreadableError(f"{text[:20]!r} is no {what}")
    return int(text)


def _value(text: str, name: str) -> str:
    """What follows the colon."""
    head, colon, value = text.partition(":")
    if not colon or not head.endswith(name):
        raise _UnreadableError(f"a={name} has no value")
    return value.lstrip(":")


def _valued(name: str) -> Callable[[str, _Place], None]:
    """An attribute of which no more is asked than a value."""

    def read(line: str, _: _Place) -> None:
        _value(line, name)

    return read


def _fields(line: str, least: int, most: int | None = None) -> list[str]:
    fields = line[2:].split(" ")
    if len(fields) < least or (most and len(fields) > most):
        raise _UnreadableError(f"it has {len(fields)} fields of {least}")
    return fields


def _group(line: str, _: _Place) -> None:
    first, *mids = _fields(line, 1)
    _value(first, "group")
    if not all(map(_TOKEN.fullmatch, mids)):
        raise _UnreadableError("a mid is a token")


def _mid(line: str, _: _Place) -> None:
    if not _TOKEN.fullmatch(_value(line, "mid")):
        raise _UnreadableError("a mid is a token")


def _fingerprint(line: str, place: _Place) -> None:
    place.fingerprints += 1
    if place.is_session and place.fingerprints > 1:
        raise _UnreadableError("the session has two fingerprints")
    algorithm, digest = _fields(line, 2, 2)
    if _value(algorithm, "fingerprint").lower() not in DIGESTS or not _DIGEST.fullmatch(digest):
        raise _UnreadableError("it is no fingerprint")


def _setup(line: str, _: _Place) -> None:
    fields = line[2:].split(":")
    if len(fields) != 2 or fields[1].lower() not in SETUPS:
        raise _UnreadableError("it is no role")


def _extmap(line: str, place: _Place) -> None:
    place.extensions += 1
    number, uri, *_rest = _fields(line, 2)
    _number(_value(number, "extmap").split("/")[0], EXTENSIONS, "number of an extension", least=1)
    if uri == ENCRYPTED:
        _fields(line, 3)


def _candidate(line: str, _: _Place) -> None:
    """RFC 8839, section 5.1."""
    head, colon, value = line[2:].partition(":")
    fields = value.split(" ")
    if head != "candidate" or not colon or len(fields) < 8 or fields[6] != "typ":
        raise _UnreadableError("a candidate has eight fields at least, the seventh is typ")
    _number(fields[1], INT32, "component", least=-INT32)
    _number(fields[3], UINT32, "priority")
    _number(fields[5], UINT16, "port")
    protocol = fields[2].lower()
    if protocol not in CANDIDATE_PROTOCOLS:
        raise _UnreadableError(f"{fields[2][:20]!r} is no protocol of a candidate")
    if fields[7] not in CANDIDATE_TYPES:
        raise _UnreadableError(f"{fields[7][:20]!r} is no type of a candidate")
    more = fields[8:]
    if len(more) >= 2 and more[0] == "raddr":
        more = more[2:]
    if len(more) >= 2 and more[0] == "rport":
        _number(more[1], UINT16, "port")
        more = more[2:]
    if len(more) >= 2 and more[0] == "tcptype" and (more[1] not in TCP_TYPES or protocol == "udp"):
        raise _UnreadableError(f"{more[1][:20]!r} is no type of a TCP candidate")
    for name, given in zip(more[::2], more[1::2], strict=False):
        if name in _NUMBERED:
            _number(given, _NUMBERED[name], name)


_NUMBERED = {"generation": UINT32, "network-id": UINT16, "network-cost": UINT16}


def _payload_type(text: str) -> int:
    return _number(text, PAYLOAD_TYPES, "payload type")


def _rtpmap(line: str, place: _Place) -> None:
    first, codec, *_rest = _fields(line, 2)
    number = _payload_type(_value(first, "rtpmap"))
    if number not in place.formats:
        return
    name, *rest = codec.lower().split("/")
    if not 1 <= len(rest) <= 2:
        raise _UnreadableError("a codec is its name, its clock rate and perhaps its channels")
    _number(rest[0], INT32, "clock rate", least=-INT32)
    if len(rest) == 2:
        _number(rest[1], CHANNELS, "number of channels")
    if place.names.get(number) not in (None, "", name):
        raise _UnreadableError(f"payload type {number} has two names")
    place.names[number] = name


def _fmtp(line: str, place: _Place) -> None:
    first, _, _rest = " ".join(_fields(line, 2)).partition(" ")
    place.names.setdefault(_payload_type(_value(first, "fmtp")), "")


def _feedback(line: str, place: _Place) -> None:
    number = _value(_fields(line, 2)[0], "rtcp-fb")
    if number != "*":
        place.names.setdefault(_payload_type(number), "")


def _ssrc(line: str, _: _Place) -> None:
    first, space, rest = line[2:].partition(" ")
    if not space:
        raise _UnreadableError("a=ssrc is a number and an attribute")
    _number(_value(first, "ssrc"), UINT32, "SSRC")
    name, colon, value = rest.lstrip(" ").partition(":")
    if not colon or (name == "msid" and value.count(" ") > 1):
        raise _UnreadableError("an attribute of a stream is a name, a colon and a value")


def _ssrc_group(line: str, _: _Place) -> None:
    first, *numbers = _fields(line, 2)
    _value(first, "ssrc-group")
    streams = [_number(each, UINT32, "SSRC") for each in numbers]
    if len(set(streams)) < len(streams):
        raise _UnreadableError("a stream is in the group twice")


def _msid(line: str, place: _Place) -> None:
    fields = [each for each in line[2:].split(" ") if each]
    if len(fields) > 2 or (len(fields) == 1 and line.endswith(" ")):
        raise _UnreadableError("a=msid is a stream and perhaps a track")
    track = fields[1] if len(fields) == 2 else place.track
    if place.track and track != place.track:
        raise _UnreadableError("the section has two tracks")
    place.track = track
    if not _value(fields[0], "msid"):
        raise _UnreadableError("a=msid names no stream")


def _sctp_port(line: str, place: _Place) -> None:
    if place.has_port:
        raise _UnreadableError("m=application has a port already, or is no webrtc-datachannel")
    fields = line[2:].split(":") if ":" in line else _fields(line, 2)
    _number(fields[1], UINT16, "SCTP port")


def _message_size(line: str, _: _Place) -> None:
    fields = line[2:].split(":")
    _number(fields[1] if len(fields) > 1 else "", INT32, "size of a message")


_OF_BOTH: Mapping[str, Callable[[str, _Place], None]] = {
    "ice-ufrag": _valued("ice-ufrag"),
    "ice-pwd": _valued("ice-pwd"),
    "ice-options": _valued("ice-options"),
    "fingerprint": _fingerprint,
    "setup": _setup,
}
_OF_SESSION = {**_OF_BOTH, "group": _group, "msid-semantic": _valued("msid-semantic"), "extmap": _extmap}
_OF_SECTIONS = {**_OF_BOTH, "mid": _mid, "candidate": _candidate}
_OF_DATA = {"sctp-port": _sctp_port, "max-message-size": _message_size}
_OF_RTP = {
    "ssrc-group": _ssrc_group,
    "ssrc": _ssrc,
    "rtpmap": _rtpmap,
    "fmtp": _fmtp,
    "rtcp-fb": _feedback,
    "maxptime": _valued("maxptime"),
    "ptime": _valued("ptime"),
    "x-google-flag": _valued("x-google-flag"),
    "extmap": _extmap,
    "msid": _msid,
}
