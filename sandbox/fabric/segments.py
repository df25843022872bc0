"""The wires of the lab: one bridge per segment, and guests plugged into them with their MAC and address.

A segment is a node's bridge with a VLAN tag, or without one. All bridges live in one namespace of the
checkout, each guest in a namespace of its own, so that the machine's interfaces, routes, sysctls and firewall
stay untouched. There is no 802.1Q here: a tag selects the bridge, and frames carry none. Bridges of the same
name on several nodes are one segment per tag, as nodes on one switch are. Nothing routes between segments.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.fabric.kernel import NAMESPACES, Kernel
from sandbox.proxmox.guests import GuestSpec, NicSpec

# IFNAMSIZ is 16 with the terminating zero (linux/if.h).
LONGEST_LINK_NAME = 15


class Fabric:
    """The segments and guests of one checkout.

    Args:
        kernel: bound to the checkout's prefix.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self.namespace = f"{kernel.prefix}net"

    def guest_namespace(self, guest: str) -> str:
        """The name of the network namespace that is this guest."""
        return f"{self._kernel.prefix}guest-{guest}"

    def guest_path(self, guest: str) -> Path:
        """The file through which a process enters a guest's network namespace."""
        return NAMESPACES / self.guest_namespace(guest)

    def plug(self, guest: GuestSpec) -> None:
        """Make the guest's namespace and NICs as declared; whatever was there before is replaced.

        Raises:
            FabricError: when the kernel refuses.
        """
        namespace = self.guest_namespace(guest.name)
        self._make_fabric()
        self.unplug(guest.name)
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
        return {name for name in self._kernel.links(self.namespace) if name != "lo"}

    def _make_fabric(self) -> None:
        if self._kernel.exists(self.namespace):
            return
        self._kernel.add(self.namespace)
        if Path("/proc/sys/net/ipv6").exists():
            # The wires themselves have no address: only guests talk.
            off = [(f"net.ipv6.conf.{scope}.disable_ipv6", "1") for scope in ("all", "default")]
            self._kernel.write_sysctls(self.namespace, off)


def segment_name(bridge: str, tag: int | None) -> str:
    """The link name of a segment: `vmbr0.20`, or `vmbr0` untagged; long names are cut and stay distinct."""
    name = bridge if tag is None else f"{bridge}.{tag}"
    if len(name) <= LONGEST_LINK_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST_LINK_NAME - 7]}-{digest}"


def port_name(guest: GuestSpec, number: int) -> str:
    """The fabric's end of a NIC, named as on Proxmox VE: `tap201i0`, or `veth201i0` for a container."""
    return f"{'tap' if guest.kind == 'qemu' else 'veth'}{guest.vmid}i{number}"


def _bridge_lines(bridge: str) -> list[str]:
    return [f"link add name {bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up"]


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
