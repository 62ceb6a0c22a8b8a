from harness.call import Caller, scenario


@scenario(areas=("signaling",))
async def preflight(caller: Caller) -> None:
    """A page of the configured origin asks before it posts, as browsers do."""
    await caller.probe.preflight()
    await caller.connect()
    await caller.hang_up()
