"""The reply's audio: it comes, whole, clean, from this call, and can be understood."""

from importlib import import_module

# In the order in which one explains the next.
for _module in ("coming", "quality", "between", "hearing"):
    import_module(f"{__name__}.{_module}")
