from harness.call import Caller, scenario


@scenario(areas=("turns", "lifecycle"))
async def muted_speech(caller: Caller) -> None:
    """A caller speaks with the microphone muted: no turn may begin."""
    await caller.connect()
    caller.mute()
    await caller.say("en-f-order")
    await caller.stay_silent(1)
    await caller.hang_up()
