"""The Realtime session: created, updated, valid events in order, alive until hang-up."""

from importlib import import_module

# In the order of a call; later modules need requirements of earlier ones.
for _module in ("configuring", "probing", "lasting", "events", "refusals"):
    import_module(f"{__name__}.{_module}")
