"""Whether an SCTP packet, or a data channel's message, is what its RFC allows. Pure, linear in its size.

What arrives here has passed DTLS, so that it is the call's other end who sent it and nobody else. aiortc
trusts the lengths that it reads: a short chunk raises in its task, a parameter of length 0 never ends.
"""

from __future__ import annotations

from struct import unpack_from

COMMON_HEADER = 12
CHUNK_HEADER = 4

DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = 0, 1, 2, 3, 4, 5, 6, 7
ERROR, RECONFIG, FORWARD_TSN = 9, 130, 192
NAMES = {
    DATA: "DATA",
    INIT: "INIT",
    INIT_ACK: "INIT ACK",
    SACK: "SACK",
    HEARTBEAT: "HEARTBEAT",
    HEARTBEAT_ACK: "HEARTBEAT ACK",
    ABORT: "ABORT",
    SHUTDOWN: "SHUTDOWN",
    ERROR: "ERROR",
    RECONFIG: "RE-CONFIG",
    FORWARD_TSN: "FORWARD TSN",
}
# Bytes of a chunk at the least, its header included (RFC 9260, section 3.3; RFC 6525; RFC 3758).
SHORTEST = {DATA: 17, INIT: 20, INIT_ACK: 20, SACK: 16, SHUTDOWN: 8, FORWARD_TSN: 8}
# Where a chunk's parameters begin behind its header; error causes and heartbeat info are shaped alike.
PARAMETERS_AT = {INIT: 16, INIT_ACK: 16, HEARTBEAT: 0, HEARTBEAT_ACK: 0, ABORT: 0, ERROR: 0, RECONFIG: 0}
# Re-configuration parameters: type and shortest value (RFC 6525, section 4).
RECONFIG_SHORTEST = {13: 12, 16: 8, 17: 8}
NEEDS_ASSOCIATION = (DATA, SACK, FORWARD_TSN, RECONFIG)

DCEP, TEXT = 50, 51  # payload protocol identifiers (RFC 8831, section 8)
TSN_MODULO = 2**32
FARTHEST = 16384  # chunks: more than fit our receive window of 1 MiB, and than a SACK could tell of

OPEN, ACK = b"\x03", b"\x02"
OPEN_HEADER = 12


def packet_problem(packet: bytes, *, last_tsn: int | None) -> str:
    """What is wrong with a packet, in words; empty where it is well formed.

    `last_tsn`: up to which data has come; None before the other end's INIT or INIT ACK.
    """
    if len(packet) < COMMON_HEADER + CHUNK_HEADER:
        return f"a packet of {len(packet)} bytes, shorter than a header and a chunk"
    kinds = []
    at = COMMON_HEADER
    while at < len(packet):
        if len(packet) - at < CHUNK_HEADER:
            return f"{len(packet) - at} bytes behind the last chunk"
        kind, length = packet[at], int.from_bytes(packet[at + 2 : at + 4], "big")
        if length < CHUNK_HEADER or at + length > len(packet):
            left = len(packet) - at
            return f"{_name(kind)} chunk that says {length} bytes, where {left} are left"
        if problem := _chunk_problem(kind, packet[at + CHUNK_HEADER : at + length]):
            return problem
        if kind in NEEDS_ASSOCIATION:
            if last_tsn is None:
                return f"{_name(kind)} chunk before the association was set up"
            ahead = (int.from_bytes(packet[at + 4 : at + 8], "big") - last_tsn) % TSN_MODULO
            if kind == DATA and FARTHEST < ahead < TSN_MODULO // 2:
                return f"a DATA chunk that is {ahead} ahead of the last"
        kinds.append(kind)
        at += length + -length % 4
    if INIT in kinds and len(kinds) > 1:
        return "an INIT chunk that is not alone in its packet"  # RFC 9260, section 6.10
    return ""


def message_problem(protocol: int, message: bytes, *, is_open: bool) -> str:
    """What is wrong with a message; `is_open`: whether its stream has a channel already."""
    if protocol == TEXT:
        return "" if _is_utf8(message) else "a text message that is not UTF-8"
    if protocol != DCEP or message[:1] != OPEN:
        return ""
    if len(message) < OPEN_HEADER:
        return f"a DATA_CHANNEL_OPEN of {len(message)} bytes, shorter than its header of {OPEN_HEADER}"
    label, name = unpack_from("!HH", message, 8)
    if OPEN_HEADER + label + name > len(message):
        return f"a DATA_CHANNEL_OPEN whose label and protocol of {label + name} bytes are not all there"
    if not _is_utf8(message[OPEN_HEADER : OPEN_HEADER + label + name]):
        return "a DATA_CHANNEL_OPEN whose label or protocol is not UTF-8"
    return "a DATA_CHANNEL_OPEN for a channel that is open already" if is_open else ""


def _chunk_problem(kind: int, body: bytes) -> str:
    length, shortest = CHUNK_HEADER + len(body), SHORTEST.get(kind, CHUNK_HEADER)
    if length < shortest:
        return f"{_name(kind)} chunk of {length} bytes, where {shortest} are the least"
    if kind == SACK:
        return _sack_problem(body)
    if kind == FORWARD_TSN and len(body) % 4:
        return f"a FORWARD TSN chunk of {length} bytes, which cuts a stream's entry"
    if kind in PARAMETERS_AT:
        return _parameter_problem(kind, body[PARAMETERS_AT[kind] :])
    return ""


def _sack_problem(body: bytes) -> str:
    gaps, duplicates = unpack_from("!HH", body, 8)
    if len(body) != 12 + 4 * (gaps + duplicates):
        return f"a SACK chunk of {CHUNK_HEADER + len(body)} bytes for {gaps} gaps and {duplicates} duplicates"
    last = 0
    for number in range(gaps):
        start, end = unpack_from("!HH", body, 12 + 4 * number)
        if not last < start <= end:
            return f"a SACK chunk whose gap {start} to {end} does not follow {last}"
        last = end
    return ""


def _parameter_problem(kind: int, parameters: bytes) -> str:
    at = 0
    while at < len(parameters):
        left = len(parameters) - at
        if left < 4:
            return f"{_name(kind)} chunk with {left} bytes behind its last parameter"
        parameter, length = unpack_from("!HH", parameters, at)
        if not 4 <= length <= left:
            return f"a parameter of {_name(kind)} chunk that says {length} bytes, where {left} are left"
        if kind == RECONFIG and length - 4 < (least := RECONFIG_SHORTEST.get(parameter, 0)):
            return f"a RE-CONFIG parameter {parameter} of {length} bytes, where {least + 4} are the least"
        if kind == RECONFIG and parameter == 13 and length % 2:
            return f"a RE-CONFIG parameter {parameter} of {length} bytes, which cuts a stream's number"
        at += length + -length % 4
    return ""


def _name(kind: int) -> str:
    """With its article: a DATA, an INIT."""
    name = NAMES.get(kind, f"type-{kind}")
    return f"an {name}" if name[0] in "AEI" else f"a {name}"


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
