from harness.call import Caller, scenario


@scenario(areas=("session", "lifecycle"))
async def session_update_only(caller: Caller) -> None:
    """A caller configures the session and hangs up without a word."""
    await caller.connect()
    await caller.update_session(
        instructions="Answer as a pirate would.",
        audio={"input": {"turn_detection": {"type": "server_vad", "silence_duration_ms": 600}}},
    )
    await caller.hang_up()
