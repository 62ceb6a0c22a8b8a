from harness.call import Caller, scenario


@scenario(requirements=("signaling.bad-offer-refused", "security.key-not-exposed"))
async def bad_offers(caller: Caller) -> None:
    """A caller sends offers that nobody could answer: each is refused, and politely."""
    await caller.probe.send_bad_offers()
    await caller.hang_up()
