"""A relay that takes WebSockets: they open, messages pass whole, pings are answered, closes are told."""

from importlib import import_module

# In the order of a call; later modules need requirements of earlier ones.
for _module in ("opening", "flow", "messages", "closing", "guarding"):
    import_module(f"{__name__}.{_module}")
