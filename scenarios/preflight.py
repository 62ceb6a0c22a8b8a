from harness.call import Caller, scenario


@scenario(areas=("signaling", "security"))
async def preflight(caller: Caller) -> None:
    """A page of the configured origin asks before it posts, as browsers do; so does one of another origin."""
    await caller.probe.preflight()
    await caller.probe.preflight_from_elsewhere()
    await caller.connect()
    await caller.hang_up()
