"""How a page asks for the microphone, what it is given, and what it makes of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.core.events import (
    MicrophoneGiven,
    MicrophoneRefused,
    PageErred,
    PageOpened,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import last_moment
from harness.requirements.model import (
    Because,
    Cause,
    Condition,
    Evidence,
    Finding,
    Inconclusive,
    Level,
    NotApplicable,
    Severity,
    Source,
    Violation,
)
from harness.requirements.page.seen import PAGE, STARTED, asked, pressed, shown, the_connection, uses
from harness.requirements.registry import requirement

PATIENCE = 5.0  # seconds from the button to the question for the microphone
TOLD_WITHIN = 3.0  # seconds in which a page says what went wrong
SLOW = 0.5  # seconds from the question to a microphone
UNMEETABLE = ("OverconstrainedError", "ConstraintNotSatisfiedError")


@requirement(
    "page.asks-for-microphone",
    "The page asks for the microphone",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.MICROPHONE,
    source=Source(
        "Media Capture and Streams, section 10.2",
        "getUserMedia() asks for permission to use a microphone; it is there in secure contexts only.",
        "https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia",
    ),
    needs=("page.stays",),
    when=(PAGE, STARTED),
    causes={
        "not-asked": Cause(
            "the button was pressed, and the page never asked for the microphone",
            "call navigator.mediaDevices.getUserMedia({audio: true}) in the button's handler, and look "
            "at the "
            "console for what stopped the handler before; name another button with --start",
        ),
        "insecure-page": Cause(
            "the page is served without TLS and not from localhost, so its browser gives it no microphone",
            "serve it over https, or open it as http://localhost while you develop (an address such as "
            "0.0.0.0 or 192.168.1.20 is no localhost): elsewhere navigator.mediaDevices is undefined",
        ),
    },
)
def asks_for_microphone(timeline: Timeline) -> Finding:
    """getUserMedia is called with audio."""
    if asked(timeline) is not None:
        return None
    press = pressed(timeline, "start")
    since = press.at if press else 0.0
    errors = timeline.all(PageErred)
    evidence = (
        Evidence(since, f"pressed {press.text!r}" if press else "started"),
        *(Evidence(e.at, f"{e.source}: {e.message}") for e in errors[:3]),
    )
    opened = timeline.last(PageOpened, where=lambda e: not e.frame)
    if opened is not None and not opened.secure:
        url = urlsplit(opened.url)
        return Violation("insecure-page", f"{url.scheme}://{url.netloc} is no secure context", evidence)
    waited = last_moment(timeline) - since
    if the_connection(timeline):
        return Violation("not-asked", "it makes a connection that nothing is said into", evidence)
    if waited < PATIENCE:
        return Inconclusive(f"the call was given up {waited:.1f} s after the button")
    blamed = f"; the page's code broke: {errors[0].message}" if errors else ""
    return Violation("not-asked", f"not within {waited:.1f} s{blamed}", evidence)


@requirement(
    "page.microphone-constraints",
    "Echo is cancelled",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    stage=CallStage.MICROPHONE,
    source=Source(
        "Media Capture and Streams, section 4.3.6",
        "echoCancellation removes what the loudspeaker plays from the microphone; else the assistant hears, "
        "and interrupts, itself.",
        "https://www.w3.org/TR/mediacapture-streams/#dfn-echocancellation",
    ),
    hits="every caller without a headset",
    needs=("page.asks-for-microphone",),
    when=(PAGE, STARTED),
    causes={
        "echo-cancellation-off": Cause(
            "the page turns echo cancellation off",
            "ask for {audio: {echoCancellation: true, noiseSuppression: true, autoGainControl: true}}, "
            "or for "
            "{audio: true}, which means the same in browsers",
        )
    },
)
def microphone_constraints(timeline: Timeline) -> Finding:
    """echoCancellation is not refused."""
    question = asked(timeline)
    audio = question.constraints.get("audio") if question else None
    wanted = audio.get("echoCancellation") if isinstance(audio, dict) else None
    if isinstance(wanted, dict):
        wanted = wanted.get("exact", wanted.get("ideal"))
    if question is None or wanted is not False:
        return None
    return Violation("echo-cancellation-off", "echoCancellation: false", (Evidence(question.at, str(audio)),))


def _refused_on_purpose(timeline: Timeline) -> NotApplicable | None:
    refused = timeline.first(MicrophoneRefused)
    return NotApplicable("the microphone was refused on purpose") if refused and refused.planned else None


@requirement(
    "page.microphone-given",
    "A microphone that is there and allowed is given to the page",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.MICROPHONE,
    source=Source(
        "Media Capture and Streams, section 10.2",
        "A document whose permissions policy does not allow the microphone is refused it with "
        "NotAllowedError, without the user being asked; constraints that no device meets end in "
        "OverconstrainedError.",
        "https://www.w3.org/TR/mediacapture-streams/#permissions-policy-integration",
    ),
    needs=("page.asks-for-microphone",),
    when=(PAGE, STARTED, Condition("the harness did not refuse the microphone itself", _refused_on_purpose)),
    causes={
        "policy-forbids": Cause(
            "the page's permissions policy forbids the microphone, so the browser refuses it to everyone",
            "send Permissions-Policy: microphone=(self) with the page (a framework's or a proxy's set of "
            "security headers often has microphone=()); where the page stands in an iframe, give that "
            'allow="microphone"',
        ),
        "constraints-unmeetable": Cause(
            "the page demands a microphone that no caller has",
            "ask for {audio: true}; name a wish as ideal and not as exact (a stored deviceId is another's "
            "on every machine and after clearing the site's data)",
        ),
    },
)
def microphone_given(timeline: Timeline) -> Finding:
    """The browser refuses nothing that the harness did not refuse."""
    refused = timeline.first(MicrophoneRefused)
    question = asked(timeline)
    if refused is None or question is None:
        return None
    seen = f"{refused.error}: {refused.message}" if refused.message else refused.error
    evidence = (
        Evidence(question.at, f"getUserMedia({question.constraints})"),
        Evidence(refused.at, seen),
    )
    if refused.error in UNMEETABLE:
        return Violation("constraints-unmeetable", seen, evidence)
    if refused.policy_forbids:
        return Violation("policy-forbids", seen, evidence)
    # Nobody refused it, and nothing of the page's explains it: then it is our browser's doing.
    return Inconclusive(f"the browser gave no microphone: {seen}")


def took_long(timeline: Timeline) -> bool:
    """Whether the microphone came, and not at once."""
    question, given = asked(timeline), timeline.first(MicrophoneGiven)
    return question is not None and given is not None and given.at - question.at >= SLOW


def _given_at_once(timeline: Timeline) -> NotApplicable | None:
    return None if took_long(timeline) else NotApplicable("the microphone was not slow")


def _not_refused(timeline: Timeline) -> NotApplicable | None:
    refused = timeline.first(MicrophoneRefused)
    return None if refused else NotApplicable("the microphone was not refused")


@requirement(
    "page.refusal-told",
    "A page that gets no microphone says so",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.MICROPHONE,
    source=Source(
        "Media Capture and Streams, section 10.2",
        "The promise is rejected with NotAllowedError or NotFoundError; what the user then reads is the "
        "page's.",
        "https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia",
    ),
    hits="every caller who refuses the microphone, or has none",
    needs=("page.asks-for-microphone",),
    when=(PAGE, STARTED, Condition("the microphone was refused", _not_refused)),
    causes={
        "refusal-not-told": Cause(
            "the microphone was refused, and nothing on the page says so",
            "catch the rejection of getUserMedia and tell by error.name what to do: NotAllowedError "
            "(allow it "
            "in the browser's settings), NotFoundError (plug one in), NotReadableError (another program "
            "has it)",
        )
    },
)
def refusal_told(timeline: Timeline) -> Finding:
    """Some new text appears within 3 s."""
    refused = timeline.first(MicrophoneRefused)
    if refused is None:
        return None
    # What appears at once may still be of the question: a page shows that it asks, then what came of it.
    texts = shown(timeline, refused.at, refused.at + TOLD_WITHIN)
    if any(len(text.text) >= 10 for text in texts):
        return None
    watched = last_moment(timeline) - refused.at
    if watched < TOLD_WITHIN:
        return Inconclusive(f"the page was left {watched:.1f} s after the refusal")
    quotes = (Evidence(refused.at, f"{refused.error}: {refused.message}"), *_texts(timeline, refused.at))
    return Violation("refusal-not-told", f"{refused.error}, and no new text in {TOLD_WITHIN:g} s", quotes)


@requirement(
    "page.waits-for-microphone",
    "The page waits for a microphone that is slow",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.CRITICAL,
    stage=CallStage.MICROPHONE,
    source=Source(
        "Media Capture and Streams, section 10.2",
        "getUserMedia() may take as long as it takes: a user reads the question, a Bluetooth headset takes "
        "300 ms and more to become a microphone.",
        "https://www.w3.org/TR/mediacapture-streams/#dom-mediadevices-getusermedia",
    ),
    hits="every caller with a Bluetooth headset, and everyone who is asked for the first time",
    needs=("page.asks-for-microphone",),
    when=(PAGE, STARTED, Condition("the microphone took 0.5 s or more", _given_at_once)),
    causes={
        "gave-up-on-microphone": Cause(
            "the page gave up before its microphone was there, which then nobody has and nobody stops",
            "await getUserMedia() without a time-out of your own; if there must be one, stop the tracks that "
            "come after it",
        ),
        "offered-without-microphone": Cause(
            "the page made its offer before its microphone was there, so nothing of it is sent",
            "await getUserMedia(), then addTrack(), then createOffer()",
        ),
    },
)
def waits_for_microphone(timeline: Timeline) -> Finding:
    """The track is there before the offer, and an offer follows the track."""
    question, given = asked(timeline), timeline.first(MicrophoneGiven)
    if question is None or given is None:
        return None
    took = f"the microphone took {given.at - question.at:.1f} s"
    offers = uses(timeline, "createOffer")
    evidence = (Evidence(question.at, "getUserMedia()"), Evidence(given.at, "the microphone was given"))
    if not offers:
        watched = last_moment(timeline) - given.at
        if watched < TOLD_WITHIN:
            return Inconclusive(f"the page was left {watched:.1f} s after it had its microphone")
        return Violation("gave-up-on-microphone", f"{took}, and no offer was made", evidence)
    sends = uses(timeline, "addTrack", "addStream")
    if offers[0].at < given.at and not any(s.at < offers[0].at for s in sends):
        seen = f"{took}, the offer was made {given.at - offers[0].at:.1f} s before"
        return Violation(
            "offered-without-microphone", seen, (*evidence, Evidence(offers[0].at, "createOffer()"))
        )
    return None


def _texts(timeline: Timeline, after: float) -> tuple[Evidence, ...]:
    return tuple(Evidence(text.at, f"shown: {text.text}") for text in shown(timeline, after)[:3])
