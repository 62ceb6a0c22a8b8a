from harness.call import Caller, scenario


@scenario(areas=("whip",))
async def whip_session(caller: Caller) -> None:
    """A WHIP session is made, asked in every way that the RFC has, and ended by DELETE alone."""
    if not caller.whip.is_spoken:
        return
    await caller.whip.ask_endpoint()
    await caller.whip.connect()
    await caller.whip.ask_session()
    await caller.whip.restart_ice()
    await caller.whip.end_as_stranger()
    await caller.whip.end()
    await caller.whip.end_again()
    await caller.hang_up()
