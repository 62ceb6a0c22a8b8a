from harness.call import Caller, scenario


@scenario(requirements=("lifecycle.short-blackout-survived",), bad_network=True)
async def reconnect_short_blackout(caller: Caller) -> None:
    """The network is gone for two seconds while a caller speaks: the call goes on."""
    await caller.connect()
    await caller.network.blackout_during(caller.say("en-f-order"), after=0.8, seconds=2)
    await caller.hear_reply_or_ask_again("en-f-order")
    await caller.hang_up()
