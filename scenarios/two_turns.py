from harness.call import Caller, scenario


@scenario(areas=("turns", "audio", "lifecycle", "cost"))
async def two_turns(caller: Caller) -> None:
    """A caller asks, is answered, asks again, and is answered again."""
    await caller.connect()
    await caller.say("es-f-order")
    await caller.hear_reply()
    await caller.say("es-f-followup")
    await caller.hear_reply()
    await caller.hang_up()
