from harness.call import Caller, scenario


@scenario(
    requirements=(
        "lifecycle.comes-back",
        "lifecycle.lost-call-released",
        "lifecycle.time-to-notice",
        "lifecycle.time-to-recover",
        "lifecycle.turns-lost",
        "lifecycle.audio-lost",
    ),
    lasts=50,
    bad_network=True,
)
async def reconnect_long_blackout(caller: Caller) -> None:
    """The network is gone for 35 seconds: the caller notices, cleans up, and calls again."""
    await caller.connect()
    caller.network.blackout(35)
    await caller.say("en-m-yes")
    await caller.reconnect.come_back()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.hang_up()
