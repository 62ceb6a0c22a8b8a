"""The networks that callers sit in, as nftables rulesets of the router in front of them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.network.nat.addresses import STUN

# Linux keeps a source port where it can, so the mapping does not depend on the destination; only who was
# sent something may answer. What most home routers do.
PORT_RESTRICTED = """
  chain translate {
    type nat hook postrouting priority srcnat
    oifname "wan" masquerade
  }
"""

# A port of its own for each destination: address and port dependent mapping (RFC 4787, section 4.1).
SYMMETRIC = PORT_RESTRICTED.replace("masquerade", "masquerade fully-random")

# Whoever sends to a port that the caller has sent from, reaches the caller (RFC 4787, section 5).
FULL_CONE = (
    PORT_RESTRICTED
    + """
  map opened {
    type inet_service : ipv4_addr
    flags dynamic,timeout
    timeout 2m
  }
  chain open {
    type filter hook postrouting priority srcnat - 1
    oifname "wan" meta l4proto udp update @opened { udp sport : ip saddr }
  }
  chain deliver {
    type nat hook prerouting priority dstnat
    iifname "wan" meta l4proto udp dnat to udp dport map @opened
  }
"""
)


@dataclass(frozen=True)
class Network:
    """`translation`: how the router's NAT works, empty for a caller with a public address and no router.

    `blocked`: what the router drops, as conditions of nftables rules.
    """

    name: str
    what: str
    translation: str = PORT_RESTRICTED
    blocked: tuple[str, ...] = ()

    @property
    def ruleset(self) -> str:
        """For nft: translate, drop what is blocked, and let in what was asked for or translated."""
        drops = "".join(f"    {condition} drop\n" for condition in self.blocked)
        return f"""table ip router {{{self.translation}
  chain forwarding {{
    type filter hook forward priority filter
    policy drop
{drops}    ct state established,related accept
    ct status dnat accept
    iifname "lan" accept
  }}
}}
"""


NETWORKS = (
    Network("open", "a public address and nothing in between", translation=""),
    Network("full-cone-nat", "a NAT that lets anybody in at a port in use", FULL_CONE),
    Network("port-restricted-nat", "a NAT that lets in whom the caller wrote to, as home routers do"),
    Network(
        "symmetric-nat", "a NAT with a new port for each destination, as in offices and mobile", SYMMETRIC
    ),
    Network(
        "dead-stun-server",
        "an ordinary NAT, and a STUN server that does not answer",
        blocked=(f"ip daddr {STUN}",),
    ),
    Network(
        "udp-3478-only",
        "a firewall that lets no UDP out but to port 3478",
        blocked=("meta l4proto udp iifname lan udp dport != 3478",),
    ),
    Network("udp-blocked", "a firewall that drops all UDP", blocked=("meta l4proto udp",)),
    Network(
        "tcp-443-only",
        "a firewall that drops all but TCP to port 443",
        blocked=("iifname lan meta l4proto != tcp", "iifname lan tcp dport != 443"),
    ),
    Network(
        "half-open-firewall",
        "UDP leaves, and what comes back is dropped",
        blocked=("iifname wan meta l4proto udp",),
    ),
)
