"""What an answer says of the call: its sections, names, keys and codecs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tests.peer.answers.parts import END, PLACES, Mutation, Parts, written


def sections(answer: str) -> Iterator[Mutation]:
    """Sections that are missing, too many, or in another order."""
    session, audio, data = Parts.of(answer).all
    video = ["m=video 0 UDP/TLS/RTP/SAVPF 96", "c=IN IP4 0.0.0.0", "a=mid:2", "a=inactive"]
    orders: dict[str, list[Sequence[str]]] = {
        "no section": [],
        "audio alone": [audio],
        "data alone": [data],
        "data before audio": [data, audio],
        "audio twice": [audio, audio],
        "data twice": [data, data],
        "audio, audio, data": [audio, audio, data],
        "audio, data, data": [audio, data, data],
        "audio, data, rejected video": [audio, data, video],
        "rejected video first": [video, audio, data],
        "audio, rejected video, data": [audio, video, data],
        "both twice": [audio, data, audio, data],
    }
    for name, order in orders.items():
        yield name, written(session, *order)
        mids = [line[6:] for part in order for line in part if line.startswith("a=mid:")]
        group = [f"a=group:BUNDLE {' '.join(mids)}" if g.startswith("a=group") else g for g in session]
        yield f"{name}, bundled so", written(group, *order)
    yield "session twice", written(session, session, audio, data)
    yield "session last", written(audio, data, session)
    yield "answer twice", answer + answer
    yield "sections without lines", written(session, audio[:1], data[:1])
    many = [line for n in range(60) for line in (video[0], f"a=mid:{n + 2}")]
    yield "sixty rejected videos more", written(session, audio, data, many)


# Words of an m= line, by spaces; a - alone is none.
PORTS = "0 1 443 65535 65536 -1 x 9/2 9/0 09 0x9 99999999999999999999 ٩"
KINDS = "- audio video application text message image Audio data " + "x" * 300
PROTOCOLS = (
    "- UDP/TLS/RTP/SAVPF UDP/TLS/RTP/SAVP TCP/TLS/RTP/SAVPF RTP/SAVPF RTP/SAVP RTP/AVP RTP/AVPF "
    "udp/tls/rtp/savpf UDP/DTLS/SCTP TCP/DTLS/SCTP DTLS/SCTP udp/dtls/sctp SCTP UDP x UDP/BFCP"
)
FORMATS = "- 111 0 8 13 63 96 109 999 -1 128 x * webrtc-datachannel webrtc-DataChannel 5000"
SEVERAL = ("111 111", "111 0 8", "111 x", "0 8 111", "111 999", "webrtc-datachannel x")
DYNAMIC = " ".join(map(str, range(96, 128)))


def _words(text: str) -> list[str]:
    return ["" if word == "-" else word for word in text.split()]


def media_lines(answer: str) -> Iterator[Mutation]:
    """Other words in m=."""
    parts = Parts.of(answer)
    for place, where in ((1, "audio"), (2, "data")):
        first, *rest = parts.all[place]
        kind, port, protocol, text = first[2:].split(" ", 3)
        variants = [f"m={kind} {each} {protocol} {text}" for each in _words(PORTS)]
        variants += [f"m={each} {port} {protocol} {text}" for each in _words(KINDS)]
        variants += [f"m={kind} {port} {each} {text}" for each in _words(PROTOCOLS)]
        formats = (*_words(FORMATS), *SEVERAL, DYNAMIC, f"{text} ", f" {text}", f"{text} 96")
        variants += [f"m={kind} {port} {protocol} {each}" for each in formats]
        variants += ["m=", f"m={kind}", f"m={kind} {port}", f"m={kind} {port} {protocol}", f"m= {first[2:]}"]
        variants += [first.replace(" ", "  "), first.replace(" ", "\t"), f"M={first[2:]}"]
        for variant in variants:
            yield f"{where}: {variant!r}", parts.having(place, [variant, *rest])
        rejected = f"m={kind} 0 {protocol} {text}"
        yield f"{where}: port 0, bundle-only", parts.having(place, [rejected, "a=bundle-only", *rest])
        mid = next(line for line in rest if line.startswith("a=mid"))
        bare = parts.having(place, [rejected, "c=IN IP4 0.0.0.0", mid, "a=inactive"])
        yield f"{where}: rejected, and no more said", bare
        other = "0" if mid == "a=mid:1" else "1"
        yield f"{where}: rejected, and not bundled", re.sub("BUNDLE.*", f"BUNDLE {other}\r", bare)
    nothing = re.sub(r"(?m)^(m=\w+) \d+", r"\1 0", answer)
    yield "both: port 0", nothing
    yield "both: port 0, no BUNDLE", re.sub(r"a=group:BUNDLE.*\n", "", nothing)


def mids(answer: str) -> Iterator[Mutation]:
    """Names of sections that are swapped, or others."""
    swapped = answer.replace("a=mid:0", "a=mid:x").replace("a=mid:1", "a=mid:0")
    yield "swapped", swapped.replace("a=mid:x", "a=mid:1")
    named = answer.replace("a=mid:0", "a=mid:audio").replace("a=mid:1", "a=mid:data")
    yield "audio and data", named
    yield "audio and data, bundled so", named.replace("BUNDLE 0 1", "BUNDLE audio data")


def setups(answer: str) -> Iterator[Mutation]:
    """One of the session's, with those of the sections or instead of them."""
    for text, how in ((re.sub("a=setup:.*\r\n", "", answer), "alone"), (answer, "too")):
        parts = Parts.of(text)
        for value in ("active", "passive", "actpass", "holdconn", "", "ACTIVE"):
            yield f"session {how}: a=setup:{value}", parts.having(0, [*parts.session, f"a=setup:{value}"])


def _hex(count: int, byte: str = "AA") -> str:
    return ":".join([byte] * count)


HASHES = {"sha-1": 20, "sha-224": 28, "sha-256": 32, "sha-384": 48, "sha-512": 64, "md5": 16, "md2": 16} | {
    "SHA-256": 32,
    "Sha-1": 20,
    "sha256": 32,
    "sha-3": 32,
    "x": 32,
}
WRONG_SIZES = (
    ("sha-256", 31),
    ("sha-256", 33),
    ("sha-256", 1),
    ("sha-256", 64),
    ("sha-1", 32),
    ("sha-512", 32),
)


def fingerprints(answer: str) -> Iterator[Mutation]:
    """Other algorithms, digests, and several of them, in the place of all."""
    true = re.search(r"a=fingerprint:sha-256 (\S+)", answer)
    assert true is not None
    digest = true[1]
    values = {
        f"{name}, {size} bytes": f"{name} {_hex(size)}" for name, size in (*HASHES.items(), *WRONG_SIZES)
    }
    values |= {
        f"digest {name}": f"sha-256 {text}"
        for name, text in {
            "in small letters": digest.lower(),
            "without colons": digest.replace(":", ""),
            "with spaces": digest.replace(":", " "),
            "with dashes": digest.replace(":", "-"),
            "a digit short": digest[:-1],
            "two digits short": digest[:-2],
            "with a colon more": digest + ":",
            "after a colon": ":" + digest,
            "no hexadecimal": "G" + digest[1:],
            "missing": "",
            "of zeros": _hex(32, "00"),
            "and a space": digest + " ",
            "and a word": digest + " x",
            "a byte long": digest + ":00",
            "of letters": _hex(32, "éé"),
            "with two colons": digest.replace(":", "::"),
        }.items()
    }
    values |= {
        f"written {text[:20]!r}": text
        for text in (
            "sha-256",
            "",
            f"sha-256  {digest}",
            f" sha-256 {digest}",
            f"sha-256:{digest}",
            f"sha-256\t{digest}",
            digest,
        )
    }
    more = (f"sha-1 {_hex(20)}", f"sha-256 {_hex(32)}", "x", f"sha-256 {digest}", f"md5 {_hex(16)}")
    values |= {f"and {text[:20]}": f"sha-256 {digest}{END}a=fingerprint:{text}" for text in more}
    values |= {f"after {text[:20]}": f"{text}{END}a=fingerprint:sha-256 {digest}" for text in more}
    without = Parts.of(re.sub("a=fingerprint:.*\r\n", "", answer))
    for place, where in enumerate(PLACES):
        for name, value in values.items():
            line = f"a=fingerprint:{value}"
            yield f"{where} alone: {name}", without.having(place, [*without.all[place], *line.split(END)])
        whole = Parts.of(answer)
        differs = f"a=fingerprint:sha-256 {_hex(32, 'BB')}"
        yield f"{where} has another one too", whole.having(place, [*whole.all[place], differs])
        for line in ("a=fingerprint", f"a=Fingerprint:sha-256 {digest}"):
            yield f"{where} alone: {line}", without.having(place, [*without.all[place], line])


# --- audio ---

# Formats of m=audio, and the payload types' names.
CODECS = {
    "0": "",
    "8": "",
    "0 8": "",
    "96": "",
    "111": "",
    "18": "",
    "3": "",
    "0 ": "0 PCMU/8000",
    "8 ": "8 PCMA/8000",
    "9": "9 G722/8000",
    "13": "13 CN/8000",
    "63": "63 red/48000/2",
    "126": "126 telephone-event/8000",
    "96 ": "96 speex/16000",
    "96  ": "96 VP8/90000",
    "0  ": "0 opus/48000/2",
    "8  ": "8 opus/48000/2",
    "35": "35 opus/48000/2",
    "72": "72 opus/48000/2",
    "111 96": "111 opus/48000/2, 96 speex/16000",
    "111 63": "111 opus/48000/2, 63 red/48000/2",
    "111 ": "111 opus/48000/2, 111 opus/48000/2",
    "0 111": "111 opus/48000/2",
    "111 112": "111 opus/48000/2, 112 opus/48000/2",
}


def codecs(answer: str) -> Iterator[Mutation]:
    """Opus by other numbers, and other codecs."""
    for number in ("96", "109", "110", "63", "0", "8", "127", "128", "34"):
        other = re.sub(r"(?m)^(m=audio \d+ \S+) 111", rf"\1 {number}", answer)
        yield f"Opus has {number}", re.sub(r"(?m)^(a=(?:rtpmap|fmtp|rtcp-fb)):111 ", rf"\1:{number} ", other)
    parts = Parts.of(answer)
    rest = [line for line in parts.sections[0] if not re.match(r"a=(rtpmap|fmtp|rtcp-fb):", line)][1:]
    for formats, names in CODECS.items():
        m_line = " ".join([*parts.sections[0][0].split(" ")[:3], formats.strip()])
        lines = [f"a=rtpmap:{name}" for name in names.split(", ") if name]
        yield (
            f"codecs {formats.strip()}, named {names or 'nothing'}",
            parts.having(1, [m_line, *rest, *lines]),
        )
