from harness.call import Caller, scenario


@scenario(areas=("signaling", "connectivity", "session", "turns", "audio", "lifecycle", "cost"))
async def first_turn_english(caller: Caller) -> None:
    """A caller asks in English to move an appointment, and is answered."""
    await caller.connect()
    await caller.update_session(instructions="Answer in English, briefly.")
    await caller.say("en-m-appointment")
    await caller.hear_reply()
    await caller.hang_up()
