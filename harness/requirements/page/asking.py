"""The page's own health, and how it asks for the microphone."""

from __future__ import annotations

from urllib.parse import urlsplit

from harness.core.events import (
    HttpFailed,
    MicrophoneGiven,
    MicrophoneRefused,
    PageErred,
    PageLeft,
    PageOpened,
)
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import hang_up_at, last_moment
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
LOOPBACK = ("localhost", "127.0.0.1", "[::1]", "::1")
NO_DEVICES = ("mediaDevices", "getUserMedia")


@requirement(
    "page.stays",
    "The page stays while the call lasts",
    level=Level.MUST,
    because=Because.CALLER,
    severity=Severity.BLOCKER,
    stage=CallStage.BUTTON,
    source=Source(
        "HTML Standard, unloading documents",
        "A document that is navigated away from is unloaded, and its connections are closed.",
        "https://html.spec.whatwg.org/multipage/document-lifecycle.html#unloading-documents",
    ),
    when=(PAGE, STARTED),
    causes={
        "navigated-away": Cause(
            "the page went to another document, which ended its call",
            "open the conversation in place (a modal, a client-side route) or start the call on the page "
            "that "
            "stays; a form's button needs type=button, or it submits and reloads",
        )
    },
)
def stays(timeline: Timeline) -> Finding:
    """No document is left between the button and the hang-up."""
    press = pressed(timeline, "start")
    began = press.at if press else 0.0
    end = hang_up_at(timeline)
    # The last words of a document that goes may be lost; the next one speaks for itself.
    left = timeline.first(PageLeft, after=began, before=end)
    opened = timeline.first(PageOpened, after=began, before=end, where=lambda e: not e.frame)
    if left is None and opened is None:
        return None
    at = min(e.at for e in (left, opened) if e is not None)
    to = f" for {opened.url}" if opened else ""
    evidence = (Evidence(began, "the button was pressed"), Evidence(at, f"the page was left{to}"))
    return Violation("navigated-away", f"{at - began:.1f} s after the button{to}", evidence)


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
            "the page is served without TLS, so its browser gives it no microphone",
            "serve it over https (or on localhost while you develop): navigator.mediaDevices is undefined "
            "in an insecure context",
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
    url = urlsplit(opened.url if opened else "")
    insecure = url.scheme == "http" and (url.hostname or "") not in LOOPBACK
    if insecure and any(word in e.message for e in errors for word in NO_DEVICES):
        return Violation("insecure-page", f"{url.scheme}://{url.netloc}", evidence)
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


@requirement(
    "page.no-uncaught-errors",
    "Nothing goes wrong in the page's own code",
    level=Level.SHOULD,
    because=Because.ADVICE,
    severity=Severity.NORMAL,
    stage=CallStage.PAGE,
    source=Source(
        "HTML Standard, runtime script errors",
        "What is thrown and not caught, or rejected and not handled, is reported to the window.",
        "https://html.spec.whatwg.org/multipage/webappapis.html#runtime-script-errors",
    ),
    when=(PAGE,),
    causes={
        "uncaught-error": Cause(
            "an error of the page's code was caught by nobody",
            "see the line that it names; what follows it in the same handler was not done",
        ),
        "unhandled-rejection": Cause(
            "a promise of the page's was rejected, and nobody handled it",
            "await it inside try/catch, or give it a catch: a call that fails in silence looks like a "
            "slow one",
        ),
    },
)
def no_uncaught_errors(timeline: Timeline) -> Finding:
    """Neither an error nor a rejection reaches the window."""
    errors = timeline.all(PageErred, where=lambda e: e.source != "console")
    if not errors:
        return None
    cause = "uncaught-error" if errors[0].source == "uncaught" else "unhandled-rejection"
    more = f", and {len(errors) - 1} more" if len(errors) > 1 else ""
    return Violation(
        cause,
        f"{errors[0].message}{more}",
        tuple(Evidence(e.at, f"{e.source}: {e.message}") for e in errors[:5]),
    )


def blocked_by_browser(timeline: Timeline) -> HttpFailed | None:
    """The offer that the browser would not let out, or whose answer it kept."""
    return timeline.first(HttpFailed, where=lambda e: e.purpose == "offer" and e.failure == "blocked")
