from __future__ import annotations

import pytest

from harness.core.errors import UsageError
from harness.core.timeline import Timeline
from harness.requirements import AREAS, REGISTRY, Because, Cause, Level, Registry, Severity, Source
from harness.requirements.model import Finding

SOURCE = Source("RFC 0", "nothing")
MENDED = {"broken": Cause("it is broken", "fix it")}

# The contract of the catalogue: these ids and causes are never renamed.
CONTRACT = {
    "signaling.offer-accepted": {
        "unreachable",
        "timeout",
        "not-found",
        "method-not-allowed",
        "unauthorized",
        "login-page",
        "relay-error",
        "upstream-unauthorized",
        "upstream-rate-limited",
        "upstream-offer-rejected",
    },
    "signaling.offer-reaches-upstream": {
        "retired-endpoint",
        "path-without-v1",
        "path-doubled",
        "path-unknown",
        "wrong-method",
        "form-sent-as-text",
        "form-urlencoded",
        "object-as-text",
        "offer-undefined",
        "offer-empty",
        "json-instead-of-sdp",
        "wrong-content-type",
        "cached-answer",
        "nothing-arrived",
    },
    "signaling.answer-is-sdp": {"upstream-error-as-sdp", "html-page", "json-wrapped", "empty-body"},
    "signaling.answer-media-type": {"wrong-media-type"},
    "signaling.answer-has-data-channel": {"data-section-missing", "data-section-rejected"},
    "signaling.answer-has-audio": {"audio-section-missing", "audio-rejected", "audio-direction"},
    "signaling.answer-mirrors-offer": {"sections-differ", "setup-not-chosen", "no-fingerprint", "no-opus"},
    "signaling.answer-line-endings": {"bare-line-feeds", "no-final-newline"},
    "signaling.answer-has-candidates": {"no-candidates"},
    "signaling.answer-time": {"slow-answer"},
    "signaling.preflight": {"cors-preflight"},
    "signaling.offer-forwarded-intact": {
        "offer-trimmed",
        "offer-line-endings",
        "data-section-stripped",
        "candidates-stripped",
        "offer-mutated",
    },
    "signaling.answer-returned-intact": {"answer-mutated"},
    "signaling.session-forwarded": {
        "session-missing",
        "session-type-missing",
        "beta-shape",
        "session-not-json",
        "multipart-invalid",
        "retired-model",
    },
    "signaling.one-call-per-offer": {"duplicate-call"},
    "signaling.upstream-failure-reported": {"upstream-error-as-sdp", "failure-hidden", "hangs"},
    "signaling.bad-offer-refused": {"bad-offer-accepted", "bad-offer-crash", "hangs", "stack-trace-exposed"},
    "connectivity.gathering": {"gathering-slow", "stun-unreachable", "turn-refused", "host-candidates-only"},
    "connectivity.ice-connects": {
        "no-candidates",
        "candidate-unroutable",
        "no-answer-to-checks",
        "credentials-mismatch",
        "udp-blocked",
    },
    "connectivity.dtls-connects": {"fingerprint-mismatch", "dtls-timeout"},
    "connectivity.data-channel-opens": {
        "ice-connected-but-channel-closed",
        "channel-late",
        "ice-not-connected",
    },
    "session.created": {"session-created-missing"},
    "session.update-accepted": {"update-ignored", "update-refused", "update-not-applied"},
    "session.vad-configured": {"vad-disabled"},
    "session.events-valid": {"event-malformed", "event-unknown"},
    "session.large-update": {"message-too-large"},
    "session.prompt-exposure": set(),
    "session.error-reported": {"error-not-reported"},
    "turns.speech-detected": {"vad-deaf", "vad-disabled"},
    "turns.speech-ends": {"vad-never-ends"},
    "turns.one-turn-per-utterance": {"utterance-split", "utterances-merged"},
    "turns.no-turn-on-silence": {"turn-on-silence"},
    "turns.no-turn-when-muted": {"turn-when-muted"},
    "turns.boundaries": {"start-off", "end-off"},
    "turns.response-completes": {"response-missing", "response-failed", "response-incomplete"},
    "turns.interruption": {"barge-in-ignored", "self-interruption"},
    "turns.latency": {"too-slow"},
    "audio.comes-back": {"no-packets", "silent-audio"},
    "audio.complete": {"truncated-audio"},
    "audio.clean": {"packet-loss", "jitter", "gaps", "clipping", "wrong-pace"},
    "audio.own-audio": {"cross-talk"},
    "audio.intelligible": {"garbled-audio"},
    "lifecycle.hang-up-releases-call": {"call-leaked"},
    "lifecycle.abandoned-offer-released": {"call-leaked"},
    "lifecycle.session-expiry": {"expiry-unannounced"},
    "security.key-not-exposed": {"key-exposed"},
    "security.auth-required": {"relay-open"},
    "security.session-not-injectable": {"session-injected"},
    "security.errors-reveal-nothing": {"stack-trace-exposed"},
    "cost.usage-reported": set(),
    "cost.per-call": {"budget-exceeded"},
    "cost.per-run": {"budget-exceeded"},
    "cost.usage-agrees": {"usage-differs"},
}


def declare(
    registry: Registry, requirement_id: str, *, needs: tuple[str, ...] = (), causes: dict[str, Cause] = MENDED
) -> None:
    @registry.requirement(
        requirement_id,
        "A title",
        level=Level.MUST,
        because=Because.CLAUSE,
        severity=Severity.NORMAL,
        source=SOURCE,
        needs=needs,
        causes=causes,
    )
    def check(timeline: Timeline) -> Finding:
        return None


@pytest.mark.parametrize("requirement_id", CONTRACT)
def test_ids_and_causes_of_the_contract_are_declared(requirement_id: str) -> None:
    assert CONTRACT[requirement_id] <= set(REGISTRY.get(requirement_id).causes)


def test_areas_are_the_packages_modules_in_the_order_of_a_call() -> None:
    assert REGISTRY.areas == list(AREAS)


def test_what_a_requirement_needs_is_declared_before_it() -> None:
    """So the order of the catalogue is the order of a call, and no requirement needs itself."""
    seen: set[str] = set()
    for requirement in REGISTRY:
        assert {need.id for need in requirement.needs} <= seen
        seen.add(requirement.id)


def test_an_id_is_declared_once() -> None:
    registry = Registry()
    declare(registry, "area.slug")
    with pytest.raises(ValueError, match="declared twice"):
        declare(registry, "area.slug")


@pytest.mark.parametrize(
    "name", ["slug", "area.", ".slug", "area.Slug", "area.two words", "area.-x", "a.b.c", "area.x_y"]
)
def test_an_id_out_of_shape_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="kebab-case"):
        declare(Registry(), name)


def test_an_id_out_of_place_is_refused() -> None:
    """The area is where the reader looks for it."""
    with pytest.raises(ValueError, match="its area must be its module's name"):
        declare(Registry(root="tests"), "audio.slug")
    declare(Registry(root="tests"), "requirements.slug")


def test_a_need_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="which is not declared before it"):
        declare(Registry(), "area.slug", needs=("area.other",))


@pytest.mark.parametrize(
    "causes", [{"Broken": Cause("a", "b")}, {"broken": Cause("", "b")}, {"broken": Cause("a", " ")}]
)
def test_a_cause_without_words_or_shape_is_refused(causes: dict[str, Cause]) -> None:
    with pytest.raises(ValueError, match="cause"):
        declare(Registry(), "area.slug", causes=causes)


def test_an_unknown_id_is_answered_with_near_ones() -> None:
    with pytest.raises(UsageError, match=r"did you mean .*signaling\.answer-is-sdp"):
        REGISTRY.get("signaling.answer-is-spd")


def test_a_slug_in_the_wrong_area_is_found_too() -> None:
    with pytest.raises(UsageError, match=r"session\.created"):
        REGISTRY.get("turns.created")


def test_an_id_like_nothing_points_to_the_list() -> None:
    with pytest.raises(UsageError, match="harness catalogue"):
        REGISTRY.get("zzzz")


def test_an_unknown_area_is_answered_with_near_ones() -> None:
    with pytest.raises(UsageError, match=r"no area 'signalling'.*signaling"):
        REGISTRY.select(areas=["signalling"])


def test_selection_is_by_id_and_by_area_in_the_order_of_the_catalogue() -> None:
    found = REGISTRY.select(ids=["turns.latency", "session.created"], areas=["audio"])
    assert found == [
        r for r in REGISTRY if r.id in ("session.created", "turns.latency") or "audio" in (r.area, *r.also_in)
    ]
    assert {"session.created", "turns.latency", "audio.comes-back"} < {r.id for r in found}
    assert REGISTRY.select() == list(REGISTRY)


@pytest.mark.parametrize("because", [Because.ADVICE, Because.MEASURED])
def test_a_must_needs_a_clause_or_something_that_is_lost(because: Because) -> None:
    with pytest.raises(ValueError, match="is no MUST, because"):

        @Registry().requirement(
            "area.slug",
            "A title",
            level=Level.MUST,
            because=because,
            severity=Severity.NORMAL,
            source=SOURCE,
            causes=MENDED,
        )
        def check(timeline: Timeline) -> Finding:
            return None


def test_what_only_a_probe_provokes_says_whom_it_would_hit() -> None:
    """So that a first run does not take its own probes for callers who are hurt."""
    provoked = [r for r in REGISTRY if any("sent" in c.text and "offer" in c.text for c in r.when)]
    ordinary = {"an ordinary offer was sent", "both ends are seen, and the relay sent an offer upstream"}
    probing = [r for r in provoked if not ordinary & {c.text for c in r.when}]
    assert probing
    assert [r.id for r in probing if not r.hits and r.level != Level.OBSERVE] == []
