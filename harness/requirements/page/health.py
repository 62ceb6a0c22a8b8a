"""The page's own health: that it stays, and that nothing goes wrong in its code."""

from __future__ import annotations

from harness.core.events import HttpFailed, PageErred, PageLeft, PageOpened
from harness.core.stages import CallStage
from harness.core.timeline import Timeline
from harness.requirements.conditions import hang_up_at
from harness.requirements.model import Because, Cause, Evidence, Finding, Level, Severity, Source, Violation
from harness.requirements.page.seen import PAGE, STARTED, pressed
from harness.requirements.registry import requirement


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
