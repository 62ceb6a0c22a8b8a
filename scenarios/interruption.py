from harness.call import Caller, scenario


@scenario(areas=("turns", "lifecycle", "cost"))
async def interruption(caller: Caller) -> None:
    """A caller speaks into the reply: it stops, and the caller is answered anew."""
    await caller.connect()
    await caller.say("en-f-order")
    await caller.interrupt("en-f-wait")
    await caller.hear_reply()
    await caller.hang_up()
