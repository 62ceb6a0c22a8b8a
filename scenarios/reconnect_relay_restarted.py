from harness.call import Caller, scenario


@scenario(requirements=("lifecycle.relay-restart-survived",), restarts_relay=True)
async def reconnect_relay_restarted(caller: Caller) -> None:
    """The relay is restarted in mid-call: the call goes on, and the next one is taken."""
    await caller.connect()
    await caller.reconnect.restart_relay()
    await caller.say("en-m-yes")
    await caller.hear_reply()
    await caller.reconnect.make_another_call()
    await caller.hang_up()
