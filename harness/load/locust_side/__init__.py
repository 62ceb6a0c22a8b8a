"""Locust's process: users, rows and the searches over them. gevent's patches live here, asyncio does not."""
