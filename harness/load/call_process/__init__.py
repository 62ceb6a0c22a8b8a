"""Makes the calls of a Locust process, on asyncio alone: `python -m harness.load.call_process`."""
