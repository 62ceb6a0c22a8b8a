from harness.call import Caller, scenario


@scenario(requirements=("lifecycle.ice-restart",))
async def reconnect_ice_restart(caller: Caller) -> None:
    """A page restarts ICE in mid-call: what does this relay make of the second offer?"""
    await caller.connect()
    await caller.reconnect.restart_ice()
    await caller.hang_up()
