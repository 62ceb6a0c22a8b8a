from harness.call import Caller, scenario


@scenario(requirements=("lifecycle.time-limit-kept",))
async def time_limit(caller: Caller) -> None:
    """A caller stays on the line past the target's own time limit, where `longest_call_s` gives one."""
    await caller.connect()
    await caller.probe.outstay()
    await caller.hang_up()
