"""Offers alone, as they arrive: an open load of a relay's signaling, from one process on asyncio."""
