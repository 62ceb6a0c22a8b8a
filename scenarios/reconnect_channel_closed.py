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
async def reconnect_channel_closed(caller: Caller) -> None:
    """The upstream closes the channel in mid-call: the caller calls again, and is answered."""
    if not await caller.reconnect.will_lose_call("channel-closed", 1.5):
        return
    await caller.connect()
    await caller.reconnect.come_back()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()
