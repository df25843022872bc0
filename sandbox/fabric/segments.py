"""The wires of the lab: one bridge per segment, and guests plugged into them with their MAC and address.

A segment is a node's bridge with a VLAN tag, or without one. All bridges live in one namespace of the
checkout, each guest in a namespace of its own, so that the machine's interfaces, routes, sysctls and firewall
stay untouched. There is no 802.1Q here: a tag selects the bridge, and frames carry none. Bridges of the same
name on several nodes are one segment per tag, as nodes on one switch are. Nothing routes between segments.

What stands between the ports of a segment is in `port_rules`; who is on one beside guests, in `peers`.
"""

import hashlib
import ipaddress
import threading
import zlib
from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, Kernel
from sandbox.fabric.port_rules import PortRules
from sandbox.proxmox.guests import GuestSpec, NicSpec

# IFNAMSIZ is 16 with the terminating zero (linux/if.h).
LONGEST_LINK_NAME = 15
# The address from which a node without one answers by ICMP (RFC 7600); nobody can be reached at it.
_ANSWERS_FROM = "192.0.0.8/32"


class Fabric:
    """The segments and guests of one checkout.

    Args:
        kernel: bound to the checkout's prefix.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.namespace = f"{kernel.prefix}net"
        self._rules = PortRules(kernel, self.namespace)
        # Guests start side by side, and the first of them makes what all of them share.
        self._lock = threading.Lock()

    def guest_namespace(self, guest: str) -> str:
        """The name of the network namespace that is this guest."""
        return f"{self._kernel.prefix}guest-{guest}"

    def guest_path(self, guest: str) -> Path:
        """The file through which a process enters a guest's network namespace."""
        return NAMESPACES / self.guest_namespace(guest)

    def filter(self, rules: str) -> None:
        """Put other packet filter rules between the ports, at once and as a whole; established connections stay.

        Args:
            rules: see `PortRules.set`; empty for none.

        Raises:
            FabricError: they cannot be in force. Until they are, no guest is plugged.
        """
        with self._lock:
            self._rules.set(rules)

    def plug(self, guest: GuestSpec) -> None:
        """Make the guest's namespace and NICs as declared; whatever was there before is replaced.

        Raises:
            FabricError: when the kernel refuses, also when it refused the rules between the ports.
        """
        self.unplug(guest.name)
        with self._lock:
            self._make_fabric()
            # First: a port that is there passes packets.
            self._rules.require()
            self._plug(guest)

    def _plug(self, guest: GuestSpec) -> None:
        namespace = self.guest_namespace(guest.name)
        self._kernel.add(namespace)
        links = self._kernel.links(self.namespace)
        bridges = {segment_name(nic.bridge, nic.tag) for nic in guest.nics}
        for number in range(len(guest.nics)):
            self._kernel.delete_link(self.namespace, port_name(guest, number))
        lines = [line for bridge in sorted(bridges - links) for line in _bridge_lines(bridge)]
        for number, nic in enumerate(guest.nics):
            port = port_name(guest, number)
            lines.append(
                f"link add name {port} type veth peer name eth{number} address {nic.mac} netns {namespace}"
            )
            lines.append(f"link set {port} master {segment_name(nic.bridge, nic.tag)} up")
        self._kernel.batch(self.namespace, lines)
        self._kernel.batch(namespace, _guest_lines(guest.nics))

    def apply_settings(self, guest: str, settings: Sequence[tuple[str, str]]) -> list[str]:
        """Set network sysctls of a plugged guest; answers a sentence for each that could not be set.

        Args:
            guest: its name.
            settings: path below /proc/sys and value of each.
        """
        problems = []
        for path, value in settings:
            try:
                self._kernel.write_sysctls(self.guest_namespace(guest), [(path, value)])
            except OSError as error:
                problems.append(f"{path} could not be set to {value}: {error.strerror}")
        return problems

    def is_plugged(self, guest: GuestSpec) -> bool:
        """Whether the guest's namespace and all its ports are there."""
        if not (
            self._kernel.exists(self.namespace) and self._kernel.exists(self.guest_namespace(guest.name))
        ):
            return False
        links = self._kernel.links(self.namespace)
        return all(port_name(guest, number) in links for number in range(len(guest.nics)))

    def unplug(self, guest: str) -> None:
        """Remove a guest's namespace with its NICs; processes still in it are killed."""
        namespace = self.guest_namespace(guest)
        if self._kernel.exists(namespace):
            self._kernel.kill_processes(namespace)
        self._kernel.delete(namespace)

    def remove_all(self) -> None:
        """Remove every namespace of the checkout, found by name; running it again is no error."""
        for namespace in self._kernel.namespaces():
            self._kernel.kill_processes(namespace)
            self._kernel.delete(namespace)

    def segments(self) -> set[str]:
        """The names of the existing segments, such as `vmbr0.20`."""
        if not self._kernel.exists(self.namespace):
            return set()
        return self._kernel.links(self.namespace, "bridge")

    def _make_fabric(self) -> None:
        if self._kernel.exists(self.namespace):
            return
        self._kernel.add(self.namespace)
        self._rules.forget_loaded()
        self._kernel.batch(self.namespace, [f"address add {_ANSWERS_FROM} dev lo"])
        # An answer to a packet has its mark, by which `_bridge_lines` sends it.
        self._kernel.write_sysctls(self.namespace, [("net/ipv4/fwmark_reflect", "1")])
        if Path("/proc/sys/net/ipv6").exists():
            # The wires themselves have no address: only guests talk.
            off = [(f"net/ipv6/conf/{scope}/disable_ipv6", "1") for scope in ("all", "default")]
            self._kernel.write_sysctls(self.namespace, off)


def segment_name(bridge: str, tag: int | None) -> str:
    """The link name of a segment: `vmbr0.20`, or `vmbr0` untagged; long names are cut and stay distinct."""
    name = bridge if tag is None else f"{bridge}.{tag}"
    if len(name) <= LONGEST_LINK_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST_LINK_NAME - 7]}-{digest}"


def segment_mark(segment: str) -> int:
    """The packet mark, never below 2^31, with which an answer of the fabric itself leaves through a segment."""
    return 0x80000000 | zlib.crc32(segment.encode())


def port_name(guest: GuestSpec, number: int) -> str:
    """The fabric's end of a NIC, named as on Proxmox VE: `tap201i0`, or `veth201i0` for a container."""
    return f"{'tap' if guest.kind == 'qemu' else 'veth'}{guest.vmid}i{number}"


def _bridge_lines(bridge: str) -> list[str]:
    mark = segment_mark(bridge)
    return [
        f"link add name {bridge} type bridge forward_delay 0 mcast_snooping 0",
        f"link set {bridge} up",
        f"rule add fwmark {mark} lookup {mark}",
        f"route add default dev {bridge} table {mark}",
    ]


def _guest_lines(nics: Sequence[NicSpec]) -> list[str]:
    lines = [f"link set eth{number} up" for number in range(len(nics))]
    for number, nic in enumerate(nics):
        if nic.address is None:
            continue
        try:
            interface = ipaddress.ip_interface(nic.address)
        except ValueError as error:
            raise SandboxError(
                f"NIC {number} has the address {nic.address}: {error}; write it as a.b.c.d/len"
            ) from None
        lines.append(f"address add {interface} dev eth{number}")
        if nic.gateway and ipaddress.ip_address(nic.gateway) in interface.network:
            lines.append(f"route add default via {nic.gateway} dev eth{number} metric {100 + number}")
    return lines
