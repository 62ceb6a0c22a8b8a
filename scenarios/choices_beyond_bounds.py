from harness.call import Caller, scenario


@scenario(requirements=("security.choices-bounded",))
async def choices_beyond_bounds(caller: Caller) -> None:
    """A caller goes beyond what the target lets callers choose: it must not get through."""
    await caller.probe.offer_beyond_bounds()
    await caller.hang_up()
