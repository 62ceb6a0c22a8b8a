"""The fake answers with an SDP that is wrong in one way."""

from __future__ import annotations

import re

from harness.fakes.openai.media.hooks import ANSWER, AnswerFault

fault = ANSWER.fault


@fault("answer-without-data-section", "drops m=application from the answer", stage="answer")
class AnswerWithoutDataSection(AnswerFault):
    def answer(self, answer: str) -> str:
        return _without_section(answer, "application")


@fault("answer-data-section-rejected", "rejects the data section: port 0", stage="answer")
class AnswerDataSectionRejected(AnswerFault):
    def answer(self, answer: str) -> str:
        return re.sub(r"^m=application \d+", "m=application 0", answer, flags=re.MULTILINE)


@fault("answer-without-audio-section", "drops m=audio from the answer", stage="answer")
class AnswerWithoutAudioSection(AnswerFault):
    def answer(self, answer: str) -> str:
        return _without_section(answer, "audio")


@fault("answer-audio-rejected", "rejects the audio section: port 0", stage="answer")
class AnswerAudioRejected(AnswerFault):
    def answer(self, answer: str) -> str:
        return re.sub(r"^m=audio \d+", "m=audio 0", answer, flags=re.MULTILINE)


@fault(
    "answer-audio-direction",
    "answers sendrecv audio with another direction",
    stage="answer",
    default="inactive",
    value_help="inactive, sendonly or recvonly",
)
class AnswerAudioDirection(AnswerFault):
    def answer(self, answer: str) -> str:
        return answer.replace("a=sendrecv\r\n", f"a={self.value}\r\n")


@fault("answer-without-rtcp-mux", "bundles its sections, and does not accept rtcp-mux", stage="answer")
class AnswerWithoutRtcpMux(AnswerFault):
    def answer(self, answer: str) -> str:
        return answer.replace("a=rtcp-mux\r\n", "")


@fault("answer-sections-swapped", "answers the sections in another order than offered", stage="answer")
class AnswerSectionsSwapped(AnswerFault):
    def answer(self, answer: str) -> str:
        session, *sections = _split(answer)
        return session + "".join(reversed(sections))


@fault("answer-without-candidates", "answers without a single candidate", stage="answer")
class AnswerWithoutCandidates(AnswerFault):
    silent = True

    def answer(self, answer: str) -> str:
        return re.sub(r"^a=candidate:[^\r\n]*\r\n", "", answer, flags=re.MULTILINE)


@fault("answer-tcp-candidates", "answers with TCP candidates alone", stage="answer")
class AnswerTcpCandidates(AnswerFault):
    silent = True

    def answer(self, answer: str) -> str:
        return re.sub(
            r"(?m)^(a=candidate:\S+ \d+) udp ([^\r\n]*)",
            r"\1 tcp \2 tcptype passive",
            answer,
            flags=re.IGNORECASE,
        )


@fault("answer-private-candidates", "answers with addresses of a network that is not ours", stage="answer")
class AnswerPrivateCandidates(AnswerFault):
    silent = True

    def answer(self, answer: str) -> str:
        return _with_address(answer, "10.255.255.1")


@fault("answer-unreachable-candidates", "answers with addresses that nobody has", stage="answer")
class AnswerUnreachableCandidates(AnswerFault):
    silent = True

    def answer(self, answer: str) -> str:
        return _with_address(answer, "192.0.2.1")  # RFC 5737: for documentation only


@fault(
    "answer-max-message-size",
    "announces that it takes only short messages",
    stage="answer",
    default=32768,
    value_help="bytes",
)
class AnswerMaxMessageSize(AnswerFault):
    def answer(self, answer: str) -> str:
        line = f"a=max-message-size:{int(self.value)}"
        return re.sub(r"(?m)^a=max-message-size:\d+", line, answer)


@fault("wrong-fingerprint", "announces another certificate than it has", stage="answer")
class WrongFingerprint(AnswerFault):
    def answer(self, answer: str) -> str:
        other = ":".join(f"{self.rng.randrange(256):02X}" for _ in range(32))
        return re.sub(r"(?m)^a=fingerprint:sha-256 [^\r\n]*", f"a=fingerprint:sha-256 {other}", answer)


@fault("no-fingerprint", "announces no certificate", stage="answer")
class NoFingerprint(AnswerFault):
    def answer(self, answer: str) -> str:
        return re.sub(r"(?m)^a=fingerprint:[^\r\n]*\r\n", "", answer)


@fault("wrong-ufrag", "announces ICE credentials that it does not accept", stage="answer")
class WrongUfrag(AnswerFault):
    silent = True

    def answer(self, answer: str) -> str:
        return re.sub(r"(?m)^a=ice-ufrag:[^\r\n]*", "a=ice-ufrag:another0", answer)


@fault("no-ice-credentials", "announces no ICE credentials", stage="answer")
class NoIceCredentials(AnswerFault):
    silent = True

    def answer(self, answer: str) -> str:
        return re.sub(r"(?m)^a=ice-(?:ufrag|pwd):[^\r\n]*\r\n", "", answer)


@fault("setup-actpass", "leaves open who begins the DTLS handshake", stage="answer")
class SetupActpass(AnswerFault):
    def answer(self, answer: str) -> str:
        return re.sub(r"(?m)^a=setup:[^\r\n]*", "a=setup:actpass", answer)


@fault("answer-without-opus", "answers with a codec that was not offered", stage="answer")
class AnswerWithoutOpus(AnswerFault):
    def answer(self, answer: str) -> str:
        answer = re.sub(r"(?m)^(m=audio \d+ \S+) [^\r\n]*", r"\1 9", answer)
        answer = re.sub(r"(?m)^a=fmtp:[^\r\n]*\r\n", "", answer)
        return re.sub(r"(?m)^a=rtpmap:[^\r\n]*", "a=rtpmap:9 G722/8000", answer)


@fault("answer-bare-line-feeds", "ends the answer's lines with LF alone", stage="answer")
class AnswerBareLineFeeds(AnswerFault):
    def answer(self, answer: str) -> str:
        return answer.replace("\r\n", "\n")


@fault("answer-no-final-newline", "does not end the answer's last line", stage="answer")
class AnswerNoFinalNewline(AnswerFault):
    def answer(self, answer: str) -> str:
        return answer.rstrip("\r\n")


def _split(sdp: str) -> list[str]:
    """The session part, then each media section with its m= line."""
    return re.split(r"(?m)(?=^m=)", sdp)


def _without_section(sdp: str, kind: str) -> str:
    session, *sections = _split(sdp)
    kept = [s for s in sections if not s.startswith(f"m={kind} ")]
    mids = " ".join(m for s in kept for m in re.findall(r"(?m)^a=mid:(\S+)", s))
    session = re.sub(r"(?m)^a=group:BUNDLE[^\r\n]*", f"a=group:BUNDLE {mids}", session)
    return session + "".join(kept)


def _with_address(sdp: str, address: str) -> str:
    return re.sub(r"(?m)^(a=candidate:\S+ \d+ \S+ \d+) \S+", rf"\1 {address}", sdp)
