from harness.call import Caller, scenario

NOTHING_INTERRUPTS = {"type": "semantic_vad", "interrupt_response": False}
REST_OF_REPLY = 8.0  # seconds


@scenario(areas=("turns", "audio"))
async def hum_over_the_reply(caller: Caller) -> None:
    """A caller hums in agreement while the reply plays, in a session that nothing interrupts: it goes on."""
    await caller.connect()
    await caller.update_session(audio={"input": {"turn_detection": NOTHING_INTERRUPTS}})
    await caller.say("en-f-order")
    await caller.interrupt("en-m-hum")
    await caller.stay_silent(REST_OF_REPLY)
    await caller.hang_up()
