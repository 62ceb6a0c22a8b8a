from harness.call import Caller, scenario


@scenario(areas=("security",))
async def no_credentials(caller: Caller) -> None:
    """Somebody without credentials asks for ICE servers and sends an offer, where the target wants some."""
    await caller.probe.ice_servers_without_credentials()
    await caller.probe.offer_without_credentials()
    await caller.hang_up()
