from harness.call import Caller, scenario


@scenario(requirements=("lifecycle.abandoned-offer-released",))
async def abandoned_offer(caller: Caller) -> None:
    """A caller closes the page before the answer has come: no call may be left running."""
    await caller.probe.abandon_offer()
    await caller.hang_up()
