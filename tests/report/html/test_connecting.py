from __future__ import annotations

from harness.core.events import CallEnded, Event, HttpFailed, HttpRequest, HttpResponse, StateChanged
from harness.core.timeline import Timeline
from harness.report.html.connecting import connecting
from harness.report.html.lanes import Lane
from tests.support.timelines import healthy_call, healthy_events, server


def lanes(events: list[Event]) -> dict[str, Lane]:
    return {lane.name: lane for lane in connecting(Timeline(events)).lanes}


def test_a_healthy_call_shows_each_stage_where_it_was() -> None:
    found = {lane.name: lane for lane in connecting(healthy_call()).lanes}
    assert list(found) == [
        "gathering",
        "offer → answer",
        "relay → upstream",
        "ICE",
        "DTLS",
        "SCTP",
        "data channel",
        "session.created",
        "session.update",
    ]
    assert found["offer → answer"].note == "200, 90 ms"
    ice = found["ICE"].spans[0]
    assert (ice.start, ice.end, ice.tone) == (0.16, 0.2, "calm")
    assert found["gathering"].note == "1 host, 30 ms"


def test_a_layer_that_never_came_up_lasts_to_the_end_and_those_behind_never_began() -> None:
    kept = [
        e
        for e in healthy_events()
        if not (isinstance(e, StateChanged) and e.layer in ("dtls", "sctp", "channel"))
        and not (isinstance(e, StateChanged) and e.layer == "ice" and e.state != "checking")
    ]
    found = lanes(kept)
    assert found["ICE"].note.startswith("did not end within ")
    assert found["ICE"].spans[0].tone == "bad"
    assert found["DTLS"].note == "never began"
    assert found["DTLS"].spans == ()


def test_a_layer_that_failed_says_so_where_it_did() -> None:
    kept: list[Event] = [
        e
        for e in healthy_events()
        if not (isinstance(e, StateChanged) and e.layer == "dtls" and e.state != "connecting")
    ]
    kept.append(StateChanged(at=3.0, layer="dtls", state="failed", detail="fingerprint"))
    dtls = lanes(kept)["DTLS"]
    assert dtls.note == "failed fingerprint after 2,799 ms"
    assert dtls.spans[0].end == 3.0


def test_an_offer_that_is_refused_is_bad_and_nothing_is_said_of_what_would_follow() -> None:
    found = lanes(
        [
            HttpRequest(at=0.1, method="POST", url="http://relay/"),
            HttpResponse(at=0.4, status=500),
            CallEnded(at=0.5, reason="no answer"),
        ]
    )
    assert list(found) == ["offer → answer"]
    assert found["offer → answer"].spans[0].tone == "bad"
    assert found["offer → answer"].note == "500, 300 ms"


def test_a_probe_that_is_refused_is_as_it_should_be() -> None:
    found = lanes(
        [
            HttpRequest(at=0.1, method="POST", url="http://relay/", purpose="bad-offer", case="empty"),
            HttpResponse(at=0.2, status=400, purpose="bad-offer"),
            HttpRequest(at=0.3, method="POST", url="http://relay/", purpose="bad-offer", case="binary"),
            HttpFailed(at=0.4, failure="dropped", purpose="bad-offer"),
        ]
    )
    assert found["bad-offer empty"].spans[0].tone == "calm"
    assert found["bad-offer binary"].spans[0].tone == "bad"


def test_a_request_that_nothing_answered_lasts_to_the_end_of_the_call() -> None:
    found = lanes([HttpRequest(at=1.0, method="POST", url="u"), CallEnded(at=4.0, reason="")])
    assert found["offer → answer"].note == "no response, 3,000 ms"


def test_many_requests_are_counted_and_not_all_drawn() -> None:
    events: list[Event] = [
        HttpRequest(at=i / 10, method="POST", url="u", purpose="bad-offer", case=str(i)) for i in range(30)
    ]
    assert "6 more requests" in lanes(events)["…"].note


def test_updates_share_a_lane() -> None:
    more = [server(0.7, "error", error={"message": "no"})]
    found = lanes([*healthy_events(), *more])
    assert found["session.update"].note == "60 ms"
