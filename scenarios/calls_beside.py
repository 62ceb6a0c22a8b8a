from harness.call import Caller, scenario


@scenario(requirements=("lifecycle.calls-per-caller",))
async def calls_beside(caller: Caller) -> None:
    """A caller has several calls, one after the other and then all at once, where it needs credentials."""
    await caller.probe.call_beside()
    await caller.hang_up()
