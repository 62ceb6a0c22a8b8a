from harness.call import Caller, scenario


@scenario(
    requirements=(
        "lifecycle.comes-back",
        "lifecycle.lost-call-released",
        "lifecycle.time-to-notice",
        "lifecycle.time-to-recover",
        "lifecycle.turns-lost",
        "lifecycle.audio-lost",
    )
)
async def reconnect_session_expired(caller: Caller) -> None:
    """The session ends by its age: the caller is told, calls again, and is answered."""
    if not await caller.reconnect.will_lose_call("session-expired", 1.5):
        return
    await caller.connect()
    await caller.reconnect.come_back()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()
