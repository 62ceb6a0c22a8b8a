"""Turns: speech is detected, ends, makes one turn, and is answered."""

from importlib import import_module

# In the order of a turn; later modules need requirements of earlier ones.
for _module in (
    "detecting",
    "boundaries",
    "transcribing",
    "silence",
    "replying",
    "interrupting",
    "tools",
    "remote_tools",
):
    import_module(f"{__name__}.{_module}")
