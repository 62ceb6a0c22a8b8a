from harness.call import Caller, scenario


@scenario(requirements=("signaling.upstream-failure-reported",), areas=("security",))
async def upstream_failures(caller: Caller) -> None:
    """OpenAI refuses, fails, hangs and drops the line: the caller is told each time."""
    await caller.probe.offer_while_upstream_fails()
    await caller.hang_up()
