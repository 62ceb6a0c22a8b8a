from harness.call import Caller, scenario


@scenario(areas=("turns", "lifecycle"))
async def cough_over_the_reply(caller: Caller) -> None:
    """A caller coughs while the reply plays: it goes on, for nobody spoke."""
    await caller.connect()
    await caller.say("en-f-order")
    await caller.interrupt("cough")
    await caller.hang_up()
