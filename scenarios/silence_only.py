from harness.call import Caller, scenario


@scenario(areas=("turns", "lifecycle"))
async def silence_only(caller: Caller) -> None:
    """A caller says nothing at all: no turn may begin."""
    await caller.connect()
    await caller.stay_silent(5)
    await caller.hang_up()
