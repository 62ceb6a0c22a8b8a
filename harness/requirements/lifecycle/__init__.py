"""Calls end when they should, and everywhere; and one that is lost can be had anew."""

from importlib import import_module

# Later modules need requirements of earlier ones.
for _module in ("ending", "limiting", "losing", "returning"):
    import_module(f"{__name__}.{_module}")
