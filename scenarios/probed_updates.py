from harness.call import Caller, scenario


@scenario(areas=("session", "lifecycle"))
async def probed_updates(caller: Caller) -> None:
    """A page configures the session wrongly once, then with prompts of up to 200 KiB."""
    await caller.connect()
    await caller.update_wrongly()
    await caller.climb_updates()
    await caller.hang_up()
