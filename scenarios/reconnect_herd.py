from harness.call import Caller, scenario


@scenario(
    requirements=(
        "lifecycle.herd-served",
        "lifecycle.herd-at-once",
        "lifecycle.herd-jittered",
    ),
    alone=True,
)
async def reconnect_herd(caller: Caller) -> None:
    """Six callers come back at once, then six each at its own moment."""
    await caller.reconnect.come_back_as_herd(6, spread=0)
    await caller.reconnect.come_back_as_herd(6, spread=2)
    await caller.hang_up()
