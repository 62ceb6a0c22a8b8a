from harness.call import Caller, scenario


@scenario(areas=("session", "lifecycle"))
async def probed_updates(caller: Caller) -> None:
    """A page configures the session wrongly once, then with prompts of up to 200 KiB."""
    await caller.connect()
    await caller.probe.update_wrongly()
    await caller.probe.climb_updates()
    await caller.hang_up()
