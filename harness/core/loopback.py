"""Which hosts are this machine itself: who may be let in without a token, and what can be served by us."""

from __future__ import annotations

import ipaddress


def is_loopback(host: str) -> bool:
    """Whether an address, or the name `localhost`, leads to this machine only: `127.example.com` does not."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    # A socket for both kinds writes those of IPv4 as ::ffff:127.0.0.1 (RFC 4291, section 2.5.5.2).
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
