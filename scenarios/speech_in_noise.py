from harness.call import Caller, scenario


@scenario(
    requirements=(
        "turns.speech-detected",
        "turns.speech-ends",
        "turns.one-turn-per-utterance",
        "turns.response-completes",
        "turns.transcribed",
    )
)
async def speech_in_noise(caller: Caller) -> None:
    """A caller speaks in a room with noise, 20, 10 and 5 dB below the voice: each turn is answered."""
    await caller.connect()
    for below in (20, 10, 5):
        await caller.say(f"en-m-yes-in-noise-{below}")
        await caller.hear_reply()
    await caller.hang_up()
