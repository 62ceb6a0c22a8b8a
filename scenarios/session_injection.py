from harness.call import Caller, scenario


@scenario(areas=("security",), requirements=("token.session-not-chosen",))
async def session_injection(caller: Caller) -> None:
    """A caller brings model and instructions of its own: they must not get through."""
    await caller.probe.offer_with_session()
    await caller.hang_up()
