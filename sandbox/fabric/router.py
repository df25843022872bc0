"""Who has the address of the guests' gateway and routes nothing: one namespace with a leg on each segment.

A guest that sends a query to its name server finds somebody here, also where that is no neighbour: the query goes to
the gateway, which has the name server's address as well. Anything else that is sent through it is lost, as before
there was a gateway. A guest or a peer that has one of these addresses itself keeps it: the router then is not there.

Nothing of it is remembered: what is plugged is read from the kernel, so that the next daemon goes on after a kill. No
port of a leg is filtered, as that of no peer is.
"""

import hashlib
import ipaddress
import re
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from sandbox.fabric.kernel import NAMESPACES, FabricError, Kernel
from sandbox.fabric.segments import Fabric, segment_name
from sandbox.proxmox.guests import GuestSpec, NicSpec

_LOOPBACK = "lo"
_NIC = re.compile(r"eth\d+")
_SETTINGS = (
    ("net/ipv4/ip_forward", "0"),
    # Each leg answers for its own addresses: those of other segments are not to be found on this one.
    ("net/ipv4/conf/all/arp_ignore", "1"),
    # A leg that loses the gateway's address keeps those of name servers.
    ("net/ipv4/conf/all/promote_secondaries", "1"),
    # Two segments may use the same subnet; a query is answered through the leg that it came from.
    ("net/ipv4/conf/all/rp_filter", "0"),
    ("net/ipv4/conf/default/rp_filter", "0"),
)
_IPV6_OFF = tuple((f"net/ipv6/conf/{scope}/disable_ipv6", "1") for scope in ("all", "default"))

Addresses = dict[str, list[str]]
"""Addresses with their lengths, by the link that shall have them."""


class Router:
    """The router of one checkout.

    Args:
        kernel: bound to the checkout's prefix.
        fabric: whose segments.
        internet: addresses far behind it, of somebody in its own namespace.
    """

    def __init__(self, kernel: Kernel, fabric: Fabric, internet: Sequence[str] = ()) -> None:
        self._kernel = kernel
        self._fabric = fabric
        self._internet = tuple(internet)
        self._name = f"{kernel.prefix}router"
        self.namespace = NAMESPACES / self._name
        # Guests start side by side.
        self._lock = threading.Lock()

    def exists(self) -> bool:
        """Whether a guest had a use for it."""
        return self._kernel.exists(self._name)

    def attach(self, guest: GuestSpec) -> bool:
        """Be the gateway and the name servers of a plugged guest; answers whether the router is there.

        Raises:
            FabricError: the kernel refuses.
        """
        with self._lock:
            taken = self._taken()
            self._give_up(taken)
            wanted = self._wanted(guest, taken)
            if wanted:
                self._kernel.add(self._name)
                # Also to one that is there: whoever made it may have been killed in between.
                self._kernel.write_sysctls(self._name, _SETTINGS)
                if Path("/proc/sys/net/ipv6").exists():
                    self._kernel.write_sysctls(self._name, _IPV6_OFF)
                self._add(wanted)
        return self.exists()

    def serves(self, guest: GuestSpec) -> bool:
        """Whether a plugged guest finds everything that `attach` makes for it."""
        taken = self._taken()
        own, wanted = self._own(), self._wanted(guest, taken)
        has_all = all(address in own.get(link, []) for link, found in wanted.items() for address in found)
        return has_all and not any(_bare(address) in taken for found in own.values() for address in found)

    def make_room(self) -> None:
        """Give up each address that a guest or a peer has; it comes back with the next start of a guest."""
        with self._lock:
            self._give_up(self._taken())

    def _add(self, wanted: Addresses) -> None:
        own = self._own()
        for link, addresses in wanted.items():
            if link != _LOOPBACK:
                self._add_leg(link, is_there=link in own)
            missing = [address for address in addresses if address not in own.get(link, [])]
            self._kernel.batch(
                self._name,
                [f"link set {link} up", *(f"address add {address} dev {link}" for address in missing)],
            )

    def _add_leg(self, segment: str, *, is_there: bool) -> None:
        port, wires = _port_name(segment), self._fabric.namespace
        if not is_there:
            # The kernel removes the port of a removed namespace at a moment of its own.
            self._kernel.delete_link(wires, port)
            self._kernel.batch(
                wires, [f"link add name {port} type veth peer name {segment} netns {self._name}"]
            )
        self._kernel.batch(wires, [f"link set {port} master {segment} up"])

    def _give_up(self, taken: set[str]) -> None:
        for link, addresses in self._own().items():
            lost = [address for address in addresses if _bare(address) in taken]
            if lost and lost == addresses and link != _LOOPBACK:
                self._kernel.delete_link(self._fabric.namespace, _port_name(link))
            else:
                self._kernel.batch(self._name, [f"address delete {address} dev {link}" for address in lost])

    def _own(self) -> Addresses:
        return self._kernel.all_addresses(self._name) if self.exists() else {}

    def _wanted(self, guest: GuestSpec, taken: set[str]) -> Addresses:
        """What the router has for a guest."""
        servers = [server for server in _ipv4(guest.name_servers) if str(server) not in taken]
        wanted: Addresses = {}
        for nic in guest.nics:
            if addresses := _of_leg(nic, servers, taken):
                leg = wanted.setdefault(segment_name(nic.bridge, nic.tag), [])
                leg += [address for address in addresses if address not in leg]
        far = dict.fromkeys([*map(str, servers), *(one for one in self._internet if one not in taken)])
        if wanted and far:
            wanted[_LOOPBACK] = [f"{address}/32" for address in far]
        return wanted

    def _taken(self) -> set[str]:
        """The addresses of all guests and peers."""
        found: set[str] = set()
        for name in self._kernel.namespaces():
            if name.startswith((self._fabric.guest_namespace(""), f"{self._kernel.prefix}peer-")):
                try:
                    links = self._kernel.all_addresses(name)
                except FabricError:
                    # It is being removed.
                    continue
                found |= {_bare(one) for link, all_ in links.items() if _NIC.fullmatch(link) for one in all_}
        return found


def _of_leg(nic: NicSpec, servers: list[ipaddress.IPv4Address], taken: set[str]) -> list[str]:
    """The addresses of a NIC's neighbour: its gateway, and the name servers that it does not ask through that."""
    interface = ipaddress.ip_interface(nic.address) if nic.address else None
    if not isinstance(interface, ipaddress.IPv4Interface):
        return []
    network = interface.network
    # Where the gateway is a guest or a peer, that one is the router.
    gateway = [nic.gateway] if nic.gateway and nic.gateway not in taken else []
    neighbours = [*_ipv4(gateway), *servers]
    return [f"{address}/{network.prefixlen}" for address in dict.fromkeys(neighbours) if address in network]


def _ipv4(texts: Iterable[str]) -> list[ipaddress.IPv4Address]:
    """The IPv4 addresses among some texts; a guest that is its own name server asks nobody."""
    found = []
    for text in texts:
        try:
            address = ipaddress.IPv4Address(text)
        except ValueError:
            continue
        if not address.is_loopback:
            found.append(address)
    return found


def _bare(address: str) -> str:
    return address.partition("/")[0]


def _port_name(segment: str) -> str:
    return f"router-{hashlib.sha256(segment.encode()).hexdigest()[:8]}"
