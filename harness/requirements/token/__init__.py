"""Keys that a back end mints for its pages, which then call upstream themselves."""

from importlib import import_module

for _module in ("minting", "using"):
    import_module(f"{__name__}.{_module}")
