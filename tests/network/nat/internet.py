"""An internet in namespaces: one switch, servers on it, and callers behind routers of their own."""

from __future__ import annotations

from pathlib import Path

from tests.network.nat import addresses
from tests.network.nat.networks import Network
from tests.support.coturn import Coturn
from tests.support.netns import Namespace, Namespaces


class Internet:
    """`openai`, `relay` and `turn` are the servers' machines; `attach` adds a caller's network."""

    def __init__(self, namespaces: Namespaces) -> None:
        self._namespaces = namespaces
        self._switch = namespaces.add("internet")
        self._switch.bridge("switch")
        self._attached = 0
        self.openai = self._public("openai", addresses.OPENAI)
        self.relay = self._public("relay", addresses.RELAY)
        self.turn = self._public("turn", addresses.STUN, addresses.TURN)

    def attach(self, network: Network) -> Namespace:
        """The caller's machine in this network."""
        address = addresses.PUBLIC.format(addresses.FIRST_ROUTER + self._attached)
        if not network.translation:
            return self._public(f"{network.name}-caller", address)
        router = self._public(f"{network.name}-router", address, interface="wan")
        caller = self._namespaces.add(f"{network.name}-caller")
        self._namespaces.link(router, "lan", caller, "eth0")
        router.address("lan", f"{addresses.HOME_ROUTER}/24")
        router.forward()
        router.firewall(network.ruleset)
        caller.address("eth0", f"{addresses.CALLER}/24")
        caller.route("default", via=addresses.HOME_ROUTER)
        return caller

    def coturn(self, folder: Path, *, discovery: bool = False) -> Coturn:
        """STUN and TURN on 3478, and on 443, which firewalls let through that let nothing else."""
        return Coturn(
            folder,
            addresses=(addresses.STUN, addresses.TURN),
            port=3478,
            tls_port=5349,
            prefix=self.turn.prefix,
            discovery=discovery,
            more=(f"aux-server={addresses.TURN}:443",),
        )

    def _public(self, role: str, *public: str, interface: str = "eth0") -> Namespace:
        """A machine at the switch."""
        self._attached += 1
        port = f"port{self._attached}"
        namespace = self._namespaces.add(role)
        self._namespaces.link(self._switch, port, namespace, interface)
        self._switch.join("switch", port)
        namespace.address(interface, *(f"{address}/24" for address in public))
        return namespace
