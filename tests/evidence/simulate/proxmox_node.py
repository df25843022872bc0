"""A small Proxmox VE node to ask: two guests on vmbr0, and the text of whatever file a test is about."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from lab.simulate.proxmox import Decision, Firewall, Packet, read_firewall

MAC, OTHER_MAC = "BC:24:11:00:00:01", "BC:24:11:00:00:02"
NICS: Mapping[str, Mapping[str, str]] = {
    "100": {
        "net0": f"virtio={MAC},bridge=vmbr0,firewall=1",
        "net1": "virtio=BC:24:11:00:01:01,bridge=vmbr1,firewall=1",
    },
    "200": {"net0": f"name=eth0,hwaddr={OTHER_MAC},bridge=vmbr0,firewall=1,ip=10.0.0.200/24,ip6=auto"},
}
LOCAL_NETWORK = "10.0.0.0/24"
ON = "[OPTIONS]\nenable: 1\n"


def rules(*lines: str, options: str = "") -> str:
    """A file that is on, with options and rules."""
    return f"{ON}{options}\n[RULES]\n" + "\n".join(lines)


def node(
    files: Mapping[str, str] | None = None,
    nics: Mapping[str, Mapping[str, str]] = NICS,
    local_network: str = LOCAL_NETWORK,
    name: str = "",
) -> Firewall:
    """A node; the cluster's firewall is on unless the files say otherwise."""
    return read_firewall({"cluster.fw": ON} | dict(files or {}), nics, local_network=local_network, node=name)


def guest(*lines: str, options: str = "") -> Firewall:
    """A node on which guest 100 has these rules."""
    return node({"100.fw": rules(*lines, options=options)})


def packet(start: str = "outside", target: str = "vm100", port: int | None = None, **changes: Any) -> Packet:
    """A packet; addresses may be given as text."""
    fields: dict[str, Any] = {"source": "198.51.100.7", "destination": "10.0.0.100"} | changes
    for end in ("source", "destination"):
        fields[end] = ip_address(fields[end])
    return Packet(from_zone=start, to_zone=target, destination_port=port, **fields)


def ask(
    firewall: Firewall,
    start: str = "outside",
    target: str = "vm100",
    port: int | None = None,
    **changes: Any,
) -> Decision:
    """The verdict on such a packet."""
    return firewall.verdict(packet(start, target, port, **changes))


def unflagged(nic: str) -> dict[str, Mapping[str, str]]:
    """The guests, with a NIC of guest 100 that has no firewall flag."""
    return {**NICS, "100": {**NICS["100"], nic: NICS["100"][nic].replace(",firewall=1", "")}}
