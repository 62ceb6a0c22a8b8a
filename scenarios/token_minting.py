from harness.call import Caller, scenario


@scenario(areas=("token",))
async def token_minting(caller: Caller) -> None:
    """Keys are asked for by nobody in particular, from another page, and twice; then one is used."""
    if not caller.probe.gets_keys:
        return
    await caller.probe.mint_without_credentials()
    await caller.probe.mint_from_elsewhere()
    await caller.connect()
    await caller.probe.mint_again()
    await caller.hang_up()
