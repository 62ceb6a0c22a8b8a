import politeness  # noqa: F401  (declares the requirement that is named below)

from harness.call import Caller, scenario


@scenario(areas=("signaling", "session"), requirements=("politeness.speaks-in-sentences",))
async def says_yes(caller: Caller) -> None:
    """A caller says one word, in a recording of ours, and is answered."""
    await caller.connect()
    await caller.say("clips/yes.flac")
    await caller.hear_reply()
    await caller.hang_up()
