"""From the answer to an open data channel: gathering, ICE, DTLS, SCTP."""

from importlib import import_module

# In the order of a call; later modules need requirements of earlier ones.
for _module in ("gathering", "ice", "channel"):
    import_module(f"{__name__}.{_module}")
