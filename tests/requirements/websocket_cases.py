"""What provokes each cause in websocket."""

from __future__ import annotations

from harness.core.events import (
    ArrivalsRead,
    CallEnded,
    CallStarted,
    ClientEvent,
    Event,
    HttpFailed,
    HttpRequest,
    HttpResponse,
    MessageOdd,
    PacingMeasured,
    RequestArrived,
    SendingStarted,
    ServerEvent,
    SocketClosed,
    SocketMeasured,
    StepEnded,
    StepStarted,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed, without
from tests.support.timelines import SENDING_AT, SESSION, a_turn, client, server, state

Events = list[Event]
URL = "wss://relay.example/api/voice"
UPSTREAM = "ws://127.0.0.1:8089/v1/realtime?model=gpt-realtime-2.1"
KEY_PROTOCOL = "openai-insecure-api-key.sk-[redacted]"


def socket_started(**limits: float) -> CallStarted:
    return CallStarted(
        at=0.0,
        call="001-first-turn",
        scenario="first-turn",
        limits=limits,
        ufrag="offerfrag",
        target=URL,
        dialect="websocket",
        caller="websocket",
    )


def arrival(status: int = 101, code: str = "") -> RequestArrived:
    return RequestArrived(
        at=0.1,
        side="upstream",
        id="req_1_1",
        method="WEBSOCKET",
        url="/v1/realtime?model=gpt-realtime-2.1",
        status=status,
        code=code,
        ufrag="offerfrag",
        tie="ufrag",
    )


def opening() -> Events:
    return [
        state(0.04, "channel", "connecting"),
        HttpRequest(at=0.05, method="GET", url=URL, headers=(("Upgrade", "websocket"),), purpose="upgrade"),
        HttpRequest(at=0.1, side="upstream", method="GET", url=UPSTREAM, purpose="upgrade"),
        arrival(),
        HttpResponse(at=0.11, side="upstream", status=101, purpose="upgrade"),
        HttpResponse(at=0.2, status=101, purpose="upgrade"),
        state(0.21, "channel", "open"),
        SendingStarted(at=SENDING_AT, ssrc=1),
        server(0.4, "session.created", session=SESSION),
    ]


def closing(at: float = 8.0) -> Events:
    return [
        StepStarted(at=at, step="hang up"),
        SocketClosed(at=at + 0.01, code=1000, by="caller"),
        state(at + 0.01, "channel", "closed"),
        SocketMeasured(
            at=at + 0.02,
            sent=200,
            received=60,
            bytes_sent=500_000,
            bytes_received=400_000,
            pings=3,
            pings_sent=4,
            pongs=4,
            pong_ms=2.0,
        ),
        PacingMeasured(at=at + 0.02, packets=400, p50=0.1, p99=1.2, max=3.0),
        SocketClosed(at=at + 0.02, side="upstream", code=1000, by="caller"),
        CallEnded(at=at + 0.05, side="upstream", reason="hang-up"),
        StepEnded(at=at + 0.06, step="hang up"),
        CallEnded(at=at + 0.07, reason="the scenario ran to its end"),
        ArrivalsRead(at=at + 0.1, base="http://127.0.0.1:8089", requests=1),
    ]


def healthy_socket(**limits: float) -> Events:
    """One turn over a WebSocket, in which nothing is wrong."""
    turn = [
        e for e in a_turn() if not (isinstance(e, ServerEvent) and e.type.startswith("output_audio_buffer"))
    ]
    seen = [e for e in (*opening(), *turn) if isinstance(e, ServerEvent)]
    theirs = [ServerEvent(at=e.at - 0.01, side="upstream", event=e.event, size=e.size) for e in seen]
    updates: Events = [
        client(0.5, "session.update", session={"type": "realtime", "instructions": "Be brief."}),
        server(0.55, "session.updated", session={**SESSION, "instructions": "Be brief."}),
    ]
    sent = [e for e in updates if isinstance(e, ClientEvent)]
    arrived = [ClientEvent(at=e.at + 0.01, side="upstream", event=e.event) for e in sent]
    return [socket_started(**limits), *opening(), *updates, *arrived, *turn, *theirs, *closing()]


def before_the_answer() -> Events:
    return [e for e in healthy_socket() if e.at < 0.09]


def refused(status: int, body: str = "", kind: str = "application/json") -> Events:
    """The upgrade is answered, and not with 101."""
    answered = HttpResponse(
        at=0.2, status=status, headers=(("content-type", kind),), body=body, purpose="upgrade"
    )
    return [
        *before_the_answer(),
        answered,
        state(0.21, "channel", "closed"),
        CallEnded(at=0.3, reason="the WebSocket did not open"),
    ]


def failed(failure: str, detail: str = "") -> Events:
    return [
        *before_the_answer(),
        HttpFailed(at=15.1, failure=failure, detail=detail, purpose="upgrade"),
        state(15.2, "channel", "closed"),
        CallEnded(at=15.3, reason="the WebSocket did not open"),
    ]


def silent() -> Events:
    """Open, and nothing comes."""
    return [
        socket_started(),
        *without(opening(), a(ServerEvent), a(RequestArrived), lambda e: e.side == "upstream"),
        *closing(),
    ]


# --- opening ---


@case("websocket.opens", "no-websocket")
def a_page_answers() -> Events:
    return refused(200, "<!doctype html><html></html>", "text/html")


@case("websocket.opens", "no-websocket")
def there_is_no_such_path() -> Events:
    return refused(404, '{"error": "not found"}')


@case("websocket.opens", "no-websocket")
def the_answer_proves_nothing() -> Events:
    return failed("handshake", "invalid Sec-WebSocket-Accept header")


@case("websocket.opens", "unauthorized")
def nobody_is_let_in() -> Events:
    return refused(401)


@case("websocket.opens", "relay-error")
def the_relay_breaks() -> Events:
    return refused(502)


@case("websocket.opens", "upstream-refused")
def the_upstream_refused_the_relay() -> Events:
    return [*refused(502), arrival(401, "invalid_api_key")]


@case("websocket.opens", "no-answer")
def nothing_is_answered() -> Events:
    return failed("timeout", "no answer to the upgrade within 15 s")


@case("websocket.opens", "no-answer")
def the_connection_is_cut() -> Events:
    return failed("dropped", "connection closed")


# --- the session ---


@case("websocket.session-begins", "upstream-never-opened")
def nothing_comes() -> Events:
    return silent()


@case("websocket.session-begins", "upstream-refused")
def the_upstream_refuses_behind_an_open_socket() -> Events:
    return [*silent(), arrival(401, "invalid_api_key")]


@case("websocket.session-begins", "upstream-refused")
def an_error_is_all_that_comes() -> Events:
    return [*silent(), server(0.5, "error", error={"type": "invalid_request_error", "message": "no"})]


@case("websocket.session-begins", "beta-header")
def the_beta_is_asked_for() -> Events:
    error = {"type": "invalid_request_error", "code": "beta_api_shape_disabled", "message": "no beta"}
    return [*silent(), server(0.5, "error", error=error)]


@case("websocket.session-begins", "closed-at-once")
def closed_before_anything_came() -> Events:
    return [*silent(), SocketClosed(at=0.4, code=1011, by="relay")]


@case("websocket.session-begins", "session-not-forwarded")
def the_first_event_is_kept_back() -> Events:
    began = server(0.4, "session.created", session=SESSION)
    return [*silent(), ServerEvent(at=0.4, side="upstream", event=began.event)]


# --- pace ---


def measured(**changes: object) -> Events:
    return changed(healthy_socket(), a(SocketMeasured), **changes)


@case("websocket.takes-audio", "reads-behind")
def pongs_come_late() -> Events:
    return measured(pong_ms=4200.0)


@case("websocket.answers-pings", "ping-unanswered")
def no_pong_comes() -> Events:
    return measured(pongs=0, pong_ms=6000.0)


@case("websocket.pings", "no-ping")
def nobody_pings() -> Events:
    return changed(healthy_socket(ping_s=5.0), a(SocketMeasured), pings=0)


# --- messages ---


@case("websocket.messages-whole", "messages-binary")
def events_come_as_blobs() -> Events:
    return [*healthy_socket(), MessageOdd(at=0.4, problem="binary", size=200, start="{")]


@case("websocket.messages-whole", "messages-merged")
def two_events_in_one() -> Events:
    return [*healthy_socket(), MessageOdd(at=0.4, problem="several-events", size=200, start="{}{}")]


@case("websocket.messages-whole", "messages-split")
def half_an_event() -> Events:
    return [*healthy_socket(), MessageOdd(at=0.4, problem="part-of-an-event", size=200, start="{")]


@case("websocket.messages-forwarded", "events-lost")
def a_delta_is_lost() -> Events:
    lost = server(2.0, "response.output_audio.delta", delta="(2560 characters of base64)")
    return [*healthy_socket(), ServerEvent(at=2.0, side="upstream", event=lost.event)]


@case("websocket.messages-forwarded", "events-reordered")
def one_delta_overtakes_another() -> Events:
    one, two = (server(at, "response.output_audio.delta", delta=str(at)) for at in (4.41, 4.42))
    theirs = [ServerEvent(at=e.at - 0.01, side="upstream", event=e.event) for e in (two, one)]
    swapped = [ServerEvent(at=4.40 + n / 1000, side="upstream", event=e.event) for n, e in enumerate(theirs)]
    return [*healthy_socket(), one, two, *swapped]


@case("websocket.messages-forwarded", "client-events-lost")
def what_the_caller_sent_is_lost() -> Events:
    other = client(0.7, "input_audio_buffer.clear")
    return [*healthy_socket(), other]


# --- the end ---


def ended_by_the_relay(code: int = 1000, by: str = "relay", problem: str = "") -> Events:
    """The session is over by its age, and so is the connection."""
    expired = server(7.4, "error", error={"code": "session_expired", "type": "x", "message": "over"})
    return [
        *without(healthy_socket(), a(SocketClosed)),
        expired,
        ServerEvent(at=7.39, side="upstream", event=expired.event),
        SocketClosed(at=7.5, code=code, by=by, problem=problem),  # type: ignore[arg-type]  # of its words
        SocketClosed(at=7.45, side="upstream", code=1001, by="upstream"),
    ]


@case("websocket.close-told", "no-close-frame")
def the_connection_breaks_off() -> Events:
    return ended_by_the_relay(1006, "nobody")


@case("websocket.close-told", "frames-invalid")
def a_frame_is_none() -> Events:
    return ended_by_the_relay(1006, "nobody", "reserved bits must be 0")


@case("websocket.close-told", "close-code-lost")
def the_code_is_another() -> Events:
    return ended_by_the_relay(1000)


# --- what must not be given away ---


def with_protocol(side: str) -> Events:
    headers = (("Sec-WebSocket-Protocol", f"realtime, {KEY_PROTOCOL}"),)
    return changed(healthy_socket(), lambda e: isinstance(e, HttpRequest) and e.side == side, headers=headers)


@case("websocket.key-not-in-subprotocol", "page-brings-key")
def the_page_has_a_secret_key() -> Events:
    return with_protocol("caller")


@case("websocket.key-not-in-subprotocol", "key-as-subprotocol")
def the_relay_sends_its_key_as_a_page_would() -> Events:
    return with_protocol("upstream")


@case("websocket.foreign-origin-refused", "foreign-origin-allowed")
def a_page_elsewhere_is_let_in() -> Events:
    return [
        socket_started(),
        HttpRequest(
            at=0.05,
            method="GET",
            url=URL,
            headers=(("Origin", "https://elsewhere.invalid"),),
            purpose="foreign-upgrade",
        ),
        HttpResponse(at=0.1, status=101, purpose="foreign-upgrade"),
        CallEnded(at=0.3, reason="the scenario ran to its end"),
    ]
