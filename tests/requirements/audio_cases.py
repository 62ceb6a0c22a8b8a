"""What provokes each cause in audio."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from harness.core.events import (
    AudioCompared,
    AudioPlayed,
    BeginningCompared,
    Event,
    MarkHeard,
    Packet,
    PacketsReceived,
)
from tests.requirements.cases import case
from tests.support.editing import a, changed, told, without
from tests.support.timelines import healthy_events, packets

Events = list[Event]
HEARD_AT = 4.15


def received(change: Callable[[int, Packet], Packet | None]) -> Events:
    """The healthy call with its packets changed one by one; None loses one."""

    def each(given: tuple[Packet, ...]) -> tuple[Packet, ...]:
        kept = (change(i, p) for i, p in enumerate(given))
        return tuple(sorted((p for p in kept if p is not None), key=lambda p: p.at))

    return changed(healthy_events(), a(PacketsReceived), packets=each)


def arriving(delay: Callable[[int], float]) -> Events:
    """The healthy call with each packet later by so many seconds."""
    return received(lambda i, p: msgspec.structs.replace(p, at=p.at + delay(i)))


@case("audio.comes-back", "no-packets")
def no_packet_at_all() -> Events:
    return without(healthy_events(), a(PacketsReceived))


@case("audio.comes-back", "silent-audio")
def packets_of_silence() -> Events:
    return received(lambda _, p: msgspec.structs.replace(p, dbfs=-96.0))


@case("audio.comes-back", "too-quiet")
def as_from_far_away() -> Events:
    return received(lambda _, p: msgspec.structs.replace(p, dbfs=-64.0))


@case("audio.complete", "first-words-lost")
def the_first_second_and_a_half_of_three() -> Events:
    return received(lambda i, p: None if i < 75 else p)


@case("audio.complete", "first-words-lost")
def a_syllable_by_the_fakes_clip() -> Events:
    return changed(healthy_events(), a(BeginningCompared), lost_ms=240)


@case("audio.complete", "truncated-audio")
def a_second_of_three_by_the_fakes_clip() -> Events:
    return [*without(healthy_events(), a(PacketsReceived)), packets(HEARD_AT, 1000)]


@case("audio.complete", "truncated-audio")
def a_second_of_three_by_its_tokens() -> Events:
    return without(a_second_of_three_by_the_fakes_clip(), a(AudioPlayed))


@case("audio.complete", "truncated-audio")
def a_moment_by_its_transcript() -> Events:
    events = without(healthy_events(), a(PacketsReceived), a(AudioPlayed))
    long = "a reply that is long enough to tell, " * 3

    def edit(event: dict[str, dict[str, object]]) -> None:
        details = {"text_tokens": 20, "audio_tokens": 0}
        event["response"]["usage"] = {
            "total_tokens": 80,
            "input_tokens": 60,
            "output_tokens": 20,
            "input_token_details": {},
            "output_token_details": details,
        }

    events = told(events, "response.done", edit)
    events = told(events, "response.output_audio_transcript.done", lambda e: e.update(transcript=long))
    return [*events, packets(HEARD_AT, 1000)]


@case("audio.clean", "packet-loss")
def one_packet_of_ten_is_lost() -> Events:
    return received(lambda i, p: None if i % 10 == 5 else p)


@case("audio.clean", "wrong-pace")
def ten_packets_at_a_time() -> Events:
    return arriving(lambda i: (9 - i % 10) * 0.02)


@case("audio.clean", "wrong-pace")
def twice_as_fast_as_it_plays() -> Events:
    return received(lambda i, p: msgspec.structs.replace(p, at=HEARD_AT + i * 0.01))


@case("audio.clean", "gaps")
def a_stall_in_the_middle() -> Events:
    return arriving(lambda i: 0.4 if i >= 75 else 0.0)


@case("audio.clean", "gaps")
def a_hole_between_two_words() -> Events:
    """The timestamps go on with the clock, as after silence; but nobody was silent."""

    def later(index: int, packet: Packet) -> Packet:
        if index < 75:
            return packet
        return msgspec.structs.replace(packet, at=packet.at + 0.4, timestamp=packet.timestamp + 20 * 960)

    return received(later)


@case("audio.clean", "jitter")
def every_other_packet_is_late() -> Events:
    return arriving(lambda i: 0.05 * (i % 2))


@case("audio.clean", "clipping")
def a_tenth_of_the_samples_at_full_scale() -> Events:
    return received(lambda _, p: msgspec.structs.replace(p, clipped=0.1, dbfs=-3.0))


@case("audio.silent-between-replies", "noise-between-replies")
def hiss_before_anybody_speaks() -> Events:
    silence = packets(3.15, 1000, dbfs=-96.0, sequence=50)
    return [*healthy_events(), packets(2.15, 1000, dbfs=-38.0, sequence=0), silence]


@case("audio.silent-between-replies", "noise-between-replies")
def words_of_an_old_reply() -> Events:
    silence = packets(7.15, 2400, dbfs=-96.0, sequence=250)
    return [*healthy_events(end=12.0), silence, packets(9.55, 400, sequence=370)]


@case("audio.own-audio", "cross-talk")
def the_tone_of_another_call() -> Events:
    return [*healthy_events(), MarkHeard(at=6.0, heard="mark-7", expected="mark-200")]


@case("audio.intelligible", "garbled-audio")
def not_what_was_played() -> Events:
    return changed(healthy_events(), a(AudioCompared), stoi=0.31)
