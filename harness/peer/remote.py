"""What an answer (or an offer) tells us about the other end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from harness.core.bounds import MOST_CANDIDATES
from harness.core.caller_end import SdpUnusableError
from harness.core.sdp import Candidate, SessionDescription


@dataclass(frozen=True)
class Remote:
    """The other end's transport parameters. `sctp_port` is None without a data section."""

    ufrag: str
    pwd: str
    candidates: tuple[Candidate, ...]
    fingerprints: tuple[tuple[str, str], ...]
    setup: str
    sctp_port: int | None
    max_message_size: int
    ice_lite: bool
    payload_type: int

    def answered(self, our_setup: str) -> Remote:
        """The offerer's parameters once we answered with `our_setup`: its own role is then the other one."""
        return replace(self, setup="passive" if our_setup == "active" else "active")

    @classmethod
    def from_sdp(cls, description: SessionDescription) -> Remote:
        """Read the bundled transport out of a description; raises SdpUnusableError naming what is missing."""
        _check_sdp(description)
        live = [s for s in description.sections if not s.rejected]
        if not live:
            raise SdpUnusableError("it has no media section that is not rejected")
        first = live[0]
        if not first.ice_ufrag or not first.ice_pwd:
            raise SdpUnusableError("a=ice-ufrag or a=ice-pwd is missing")
        if not first.fingerprints:
            raise SdpUnusableError("a=fingerprint is missing")
        data = next((s for s in live if s.kind == "application"), None)
        audio = next((s for s in live if s.kind == "audio"), None)
        opus = audio.codec("opus") if audio else None
        return cls(
            ufrag=first.ice_ufrag,
            pwd=first.ice_pwd,
            # RFC 9143, section 7.3.3: in a bundle, the candidates are those of the tagged (first) section.
            # A browser's offer has others for each; whoever puts all into another one is taken at that.
            candidates=_best(first.candidates or [c for s in live for c in s.candidates]),
            fingerprints=tuple(first.fingerprints),
            setup=(first.setup or "").lower(),  # a word of ABNF: its case says nothing (RFC 4145, section 4)
            sctp_port=data.sctp_port if data else None,
            max_message_size=data.max_message_size if data else 0,
            ice_lite=description.ice_lite,
            payload_type=opus.payload_type if opus else 111,
        )


def _best(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """In their order, each once; of very many those of the highest priority, as an agent would keep."""
    each = tuple(dict.fromkeys(candidates))
    if len(each) <= MOST_CANDIDATES:
        return each
    return tuple(sorted(each, key=lambda c: -c.priority)[:MOST_CANDIDATES])


def _check_sdp(description: SessionDescription) -> None:
    if description.excess:
        raise SdpUnusableError(f"it has {description.excess}")
    if not description.is_sdp:
        raise SdpUnusableError("it does not begin with v=0, so it is not SDP")
