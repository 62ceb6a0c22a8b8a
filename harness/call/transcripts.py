"""What the upstream wrote down of what the caller said, against the words of the recordings."""

from __future__ import annotations

import re
import unicodedata

from harness.core.events import TranscriptCompared, UtteranceStarted
from harness.core.extras import is_installed
from harness.core.fields import text
from harness.core.timeline import Timeline
from harness.core.turns import turns
from harness.speech.library import Library

COMPLETED = "conversation.item.input_audio_transcription.completed"
_WORD = re.compile(r"[\w']+")


def compare_transcripts(timeline: Timeline, library: Library) -> None:
    """Add the word error rate of each utterance that was said alone, and was transcribed."""
    if not is_installed("quality"):
        return
    written = {
        item: (event.at, text(event.event, "transcript"))
        for event in timeline.server_events(COMPLETED)
        if (item := text(event.event, "item_id"))
    }
    spoken = {event.clip: event.transcript for event in timeline.all(UtteranceStarted) if not event.muted}
    for turn in turns(timeline):
        found = [written[d.item_id] for d in turn.detections if d.item_id in written]
        if turn.utterance is None or len(turn.utterance.clips) != 1 or not found:
            continue
        name = turn.utterance.clips[0]
        said, heard = spoken.get(name, ""), " ".join(words for _, words in found)
        clip = library.get(name)
        if said:
            timeline.append(
                TranscriptCompared(
                    at=max(at for at, _ in found),
                    clip=name,
                    language=clip.language if clip is not None else "",
                    said=said,
                    heard=heard,
                    word_error_rate=round(word_error_rate(said, heard), 3),
                    first_words_missing=first_words_missing(said, heard),
                )
            )


def word_error_rate(said: str, heard: str) -> float:
    """Words put in, left out and put in place of others, over the words that were said; 0 is perfect.

    Case and punctuation do not count; accents do, and so does a number written in digits.
    """
    from jiwer import wer

    return float(wer(_words(said), _words(heard)))


def first_words_missing(said: str, heard: str) -> int:
    """Words left out at the beginning; 0 where too little of the rest is alike to say."""
    from jiwer import process_words

    found = process_words(_words(said), _words(heard))
    left_out = found.alignments[0][0] if found.alignments[0] else None
    if left_out is None or left_out.type != "delete" or found.hits < found.substitutions + found.insertions:
        return 0
    return int(left_out.ref_end_idx - left_out.ref_start_idx) if found.hits else 0


def _words(said: str) -> str:
    plain = unicodedata.normalize("NFKC", said).replace("\u2019", "'")  # an apostrophe as it is printed
    return " ".join(_WORD.findall(plain.casefold()))
