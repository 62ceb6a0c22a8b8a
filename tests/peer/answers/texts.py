"""Answers whose text is wrong: its line ends, sizes and letters, and where it is cut off."""

from __future__ import annotations

from collections.abc import Iterator

from tests.peer.answers.parts import END, PLACES, Mutation, Parts

ENDS = {
    "LF": "\n",
    "CR": "\r",
    "LF CR": "\n\r",
    "CR CR LF": "\r\r\n",
    "two CRLF": END * 2,
    "two LF": "\n\n",
    "nothing": "",
    "space CRLF": " \r\n",
    "tab CRLF": "\t\r\n",
    "vertical tab": "\v",
    "form feed": "\f",
    "U+2028": "\u2028",
    "U+0085": "\u0085",
    "NUL": "\0",
    "NUL CRLF": "\0\r\n",
    "escaped CRLF": "\\r\\n",
    "escaped LF": "\\n",
    "HTML break": "<br>",
    "space": " ",
    "semicolon": ";",
}
LAST_ENDS = {
    "none": "",
    "LF": "\n",
    "CR": "\r",
    "CRLF CRLF": END * 2,
    "CRLF and five more": END * 6,
    "LF LF": "\n\n",
    "CRLF and a space": END + " ",
    "CRLF and NUL": END + "\0",
    "CRLF and a word": END + "x",
    "space": " ",
    "CRLF and HTML": END + "<p>",
    "a quote": '"',
    "CRLF and a quote": END + '"',
    "CRLF and LF": END + "\n",
    "CRLF and a=": END + "a=",
    "CRLF and a=x": END + "a=x",
    "CRLF and a=x LF": END + "a=x\n",
}
BEGINNINGS = {
    "CRLF": END,
    "LF": "\n",
    "space": " ",
    "tab": "\t",
    "BOM": "\ufeff",
    "BOM of Latin-1": "ï»¿",
    "NUL": "\0",
    "a quote": '"',
    "a=x": "a=x" + END,
    "JSON": '{"sdp":"',
    "text": "Here is your answer:\r\n",
    "HTTP": "HTTP/1.1 200 OK\r\n\r\n",
}


def line_ends(answer: str) -> Iterator[Mutation]:
    """Other ends of all lines, of the last and of some, and what stands before the first."""
    lines = answer.split(END)[:-1]
    for name, end in ENDS.items():
        yield f"each line ends in {name}", end.join(lines) + end
    for name, end in LAST_ENDS.items():
        yield f"the last line ends in {name}", END.join(lines) + end
    for name, beginning in BEGINNINGS.items():
        yield f"begins with {name}", beginning + answer
    for n in (1, 3, len(lines) // 2, len(lines) - 1):
        before, after = END.join(lines[:n]), END.join(lines[n:]) + END
        yield f"an empty line after {lines[n - 1]}", before + END + END + after
        yield f"LF after {lines[n - 1]}", before + "\n" + after
        yield f"CR after {lines[n - 1]}", before + "\r" + after
    yield "LF in the session alone", answer.replace(END, "\n", len(Parts.of(answer).session))
    yield "indented", "".join(f"  {line}{END}" for line in lines)
    yield "in JSON", answer.replace(END, "\\r\\n").join('""')
    yield "all in capitals", answer.upper()
    yield "all in small letters", answer.lower()


def sizes(answer: str) -> Iterator[Mutation]:
    """Long lines, many lines, and next to nothing."""
    parts = Parts.of(answer)
    for place, where in enumerate(PLACES):
        for count in (100, 1000):
            more = [f"a=x{n}:y" for n in range(count)]
            yield f"{where}: {count} attributes more", parts.having(place, [*parts.all[place], *more])
        for length in (1000, 20_000):
            yield (
                f"{where}: a line of {length}",
                parts.having(place, [*parts.all[place], "a=x:" + "y" * length]),
            )
    audio = parts.sections[0]
    digest = ":".join(["AA"] * 32)
    for name, more in {
        "500 codecs": [f"a=rtpmap:{n} x/8000" for n in range(500)],
        "127 codecs": [f"a=rtpmap:{n} x/8000" for n in range(127)],
        "100 fingerprints": [f"a=fingerprint:sha-256 {digest}"] * 100,
        "100 streams": [f"a=ssrc:{n} cname:x" for n in range(1, 101)],
        "1000 candidates": [f"a=candidate:{n} 1 udp {n} 192.0.2.1 {n + 1024} typ host" for n in range(1000)],
    }.items():
        yield f"audio: {name} more", parts.having(1, [*audio, *more])
    yield "nothing", ""
    yield "a line end", END
    yield "v=0 alone", "v=0" + END


CASES = (
    *(("a=mid", "a=MID"), ("a=setup", "a=Setup"), ("a=rtpmap", "a=RTPMAP"), ("a=candidate", "a=CANDIDATE")),
    *(("m=audio", "m=AUDIO"), ("m=application", "m=Application"), ("a=sctp-port", "a=SCTP-port")),
    *(("a=group", "a=Group"), (" typ ", " TYP "), ("IN IP4", "in ip4"), ("a=", "a= "), ("a=", "a =")),
)
LETTERS = ("é", "🎤", "\u200b", "\u202e", "ａ", "\u00a0", "\x7f", "\x01")
AFTER = ("a=mid:", "s=", "a=ice-ufrag:", "a=msid:", "cname:", "m=audio", "a=rtpmap:")


def letters(answer: str) -> Iterator[Mutation]:
    """Characters that are no ASCII or cannot be seen, and names in another case."""
    for before, after in CASES:
        yield f"{after!r} instead of {before!r}", answer.replace(before, after)
    for letter in LETTERS:
        for before in AFTER:
            yield f"{letter!r} after {before}", answer.replace(before, before + letter, 1)


def cut_off(answer: str) -> Iterator[Mutation]:
    """At each line's end, before its CRLF and within it; within lines at each kind of place."""
    at = 0
    for number, line in enumerate(answer.split(END)[:-1]):
        for name, length in {
            "CRLF": len(line) + 2,
            "CR": len(line) + 1,
            "its last letter": len(line),
        }.items():
            yield f"after {name} of line {number}, {line}", answer[: at + length]
        inside = {"letter": 1, "=": 2, "half": len(line) // 2, "last letter but one": len(line) - 1}
        for name, length in inside.items():
            if 0 < length < len(line):
                yield f"after the {name} of line {number}, {line}", answer[: at + length]
                yield f"with CRLF after the {name} of line {number}, {line}", answer[: at + length] + END
        at += len(line) + len(END)
