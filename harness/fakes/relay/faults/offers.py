"""Faults in how the relay reads an offer: each holds for one browser's and not for another's."""

from __future__ import annotations

import re
from collections.abc import Callable

from harness.fakes.relay.hooks import RelayFault, relay_fault
from harness.fakes.relay.refusal import Refusal, bad_offer

KINDS_OF_CANDIDATES: dict[str, Callable[[str], bool]] = {
    "tcp": lambda line: line.split()[2].lower() == "tcp",
    "ipv6": lambda line: ":" in line.split()[4],
    "local": lambda line: line.split()[4].endswith(".local"),
    "rtcp": lambda line: line.split()[1] == "2",
    "capitals": lambda line: line.split()[2] == "UDP",
}
KINDS_HELP = "tcp, ipv6, local (a name), rtcp (the second component) or capitals (UDP)"


class OfferReadingFault(RelayFault):
    """Refuses the offers that it cannot read."""

    def offer(self, offer: bytes) -> bytes:
        if complaint := self.complaint(offer.decode()):
            raise bad_offer(complaint)
        return offer

    def complaint(self, offer: str) -> str:
        """What is said to be wrong with the offer; empty where nothing is."""
        raise NotImplementedError


@relay_fault(
    "offer-length-limited",
    "refuses offers over a length",
    stage="offer",
    default=1500,
    value_help="characters",
)
class OfferLengthLimited(OfferReadingFault):
    def complaint(self, offer: str) -> str:
        return f"the offer has over {self.value} characters" if len(offer) > int(self.value) else ""


@relay_fault("candidate-demanded", "refuses offers without a candidate", stage="offer")
class CandidateDemanded(OfferReadingFault):
    def complaint(self, offer: str) -> str:
        return "" if "a=candidate:" in offer else "the offer is invalid"


@relay_fault(
    "candidate-refused",
    "refuses offers with a kind of candidate",
    stage="offer",
    default="tcp",
    value_help=KINDS_HELP,
)
class CandidateRefused(OfferReadingFault):
    def complaint(self, offer: str) -> str:
        return "cannot parse candidate" if any(map(_kind(self.value), candidates(offer))) else ""


@relay_fault(
    "codec-demanded",
    "refuses offers whose m=audio is not as its regular expression has it",
    stage="offer",
    default="one",
    value_help="one (a single codec) or 111 (Opus as payload type 111 comes first)",
)
class CodecDemanded(OfferReadingFault):
    def complaint(self, offer: str) -> str:
        wanted = r"m=audio \d+ \S+ 111\b" if self.value == "111" else r"m=audio \d+ \S+ \d+\r"
        return "" if re.search(wanted, offer) else "the offer is invalid"


@relay_fault(
    "line-refused",
    "refuses offers with attributes that its SDP library does not know",
    stage="offer",
    default="extmap",
    value_help="names of attributes, with + between them",
)
class LineRefused(OfferReadingFault):
    def complaint(self, offer: str) -> str:
        unknown = [n for n in str(self.value).split("+") if re.search(rf"(?m)^a={n}[:\r]", offer)]
        return "unexpected token in SDP" if unknown else ""


@relay_fault(
    "line-refused-as-success",
    "says 200 and an error to offers with attributes that its SDP library does not know",
    stage="offer",
    default="extmap",
    value_help="names of attributes, with + between them",
)
class LineRefusedAsSuccess(LineRefused):
    def offer(self, offer: bytes) -> bytes:
        if complaint := self.complaint(offer.decode()):
            raise Refusal(200, "invalid_offer", complaint)
        return offer


@relay_fault(
    "candidates-filtered",
    "drops a kind of candidate from the offer",
    stage="offer",
    default="tcp",
    value_help=KINDS_HELP,
)
class CandidatesFiltered(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        unwanted = _kind(self.value)
        return _without(offer, lambda line: line.startswith("a=candidate:") and unwanted(line))


@relay_fault(
    "lines-dropped",
    "writes the offer anew, without attributes that its SDP library does not know",
    stage="offer",
    default="ssrc",
    value_help="names of attributes, with + between them",
)
class LinesDropped(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        unknown = tuple(f"a={name}" for name in str(self.value).split("+"))
        return _without(offer, lambda line: line.partition(":")[0] in unknown)


@relay_fault("lines-reordered", "writes the offer anew, its lines in an order of its own", stage="offer")
class LinesReordered(RelayFault):
    def offer(self, offer: bytes) -> bytes:
        """The attributes of each section by name."""
        sections = re.split(r"(?m)(?=^m=)", offer.decode())
        return "".join(map(_in_order, sections)).encode()


def candidates(offer: str) -> list[str]:
    """The lines of its candidates."""
    return re.findall(r"(?m)^a=candidate:[^\r\n]*", offer)


def _kind(value: object) -> Callable[[str], bool]:
    return KINDS_OF_CANDIDATES.get(str(value), KINDS_OF_CANDIDATES["tcp"])


def _without(offer: bytes, unwanted: Callable[[str], bool]) -> bytes:
    lines = offer.decode().splitlines(keepends=True)
    return "".join(line for line in lines if not unwanted(line.rstrip("\r\n"))).encode()


def _in_order(section: str) -> str:
    lines = section.splitlines(keepends=True)
    attributes = sorted(line for line in lines if line.startswith("a="))
    return "".join([*(line for line in lines if not line.startswith("a=")), *attributes])
