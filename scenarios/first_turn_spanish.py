from harness.call import Caller, scenario


@scenario(areas=("signaling", "connectivity", "session", "turns", "audio", "lifecycle", "cost"))
async def first_turn_spanish(caller: Caller) -> None:
    """A caller asks in Spanish where her order is, and is answered."""
    await caller.connect()
    await caller.update_session(instructions="Responde siempre en español y con brevedad.")
    await caller.say("es-f-order")
    await caller.hear_reply()
    await caller.hang_up()
