"""What was made of an offer or an answer on its way, by the look of it.

So one knows which line of code to look for.
"""

from __future__ import annotations

import base64
import binascii
import re
from urllib.parse import unquote_plus

BYTE_ORDER_MARK = "\ufeff"
AS_LINES = re.compile(r"v=0\r*\n")
AS_ESCAPES = re.compile(r"v=0(?:\\+r)?\\+n")
PRINTED_OBJECT = re.compile(
    r"\[object \w+\]"  # JavaScript
    r"|<(?:[\w.]+ )*object [\w.]+ at 0x\w+>|<(?:[\w.]+ )+at 0x\w+>|<Response \[.*\]>"  # Python
    r"|#<\w+.*>"  # Ruby
    r"|[\w.$]+@[0-9a-f]+"  # Java
)
EVENT_STREAM = re.compile(r"(?:event:[^\r\n]*\r?\n)?data: ?v=0\b")
PRINTED_NOTHING = ("null", "undefined", "None", "nil", "NaN")
PRINTED_BYTES = re.compile(r"\[?118, ?61, ?48,")  # v=0
GZIP, ZLIB, ZSTD = "\x1f", "x\x9c", "(\ufffd/\ufffd"


def what_was_made_of_it(text: str) -> str:
    """In words, with what to do; empty where nothing is recognised."""
    body = text.strip()
    if text.startswith(BYTE_ORDER_MARK) and AS_LINES.match(text[1:]):
        return "a byte-order mark stands before the SDP: write UTF-8 without one"
    if EVENT_STREAM.match(body):
        return "it is sent as server-sent events: send it in one piece, as a plain body"
    if (found := AS_LINES.search(text)) is not None and found.start():
        return f"the SDP begins only behind {found.start()} other characters: send it alone"
    if AS_ESCAPES.search(body):
        return (
            "its line ends are written out as \\r\\n: a string was printed (repr, JSON.stringify, str of "
            "bytes) where it should be sent as it is"
        )
    if AS_LINES.search(unquote_plus(body)):
        return "it is URL-encoded: encode no body, and decode a form's field before it is passed on"
    if PRINTED_OBJECT.fullmatch(body):
        return "that is what a language prints for an object: read its text first, and await it"
    if body in PRINTED_NOTHING:
        return "that is what a language prints for nothing: nothing was ever put there"
    if PRINTED_BYTES.match(body):
        return "those are its bytes as numbers: decode them, or send the bytes"
    if _is_base64(body):
        return "it is Base64: send what it stands for"
    if text.startswith((GZIP, ZLIB, ZSTD)):
        return "it is compressed, and no Content-Encoding says so: pass the header on too, or decompress"
    if re.match(r"v=0[^\r\n]*m=audio", body):
        return "its line ends are gone: each line of SDP ends with CRLF"
    if re.match(r"V=0\s", body):
        return "its letters were changed: SDP tells capitals from others"
    return ""


def _is_base64(body: str) -> bool:
    try:
        return base64.b64decode(body[:8] + "=" * (-len(body[:8]) % 4), validate=True).startswith(b"v=0")
    except (binascii.Error, ValueError):
        return False
