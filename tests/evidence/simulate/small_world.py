"""Artefacts written by hand: two segments, a Docker host, a guest on a Proxmox node, and whatever a test is about."""

from typing import Any

from lab.flows import Port
from lab.simulate.answers import Answer
from lab.simulate.world import World

Data = dict[str, Any]

OLD: Data = {"version": 20, "userland_proxy": True, "bridge_netfilter": True, "firewall": "iptables"}
NEW: Data = {**OLD, "version": 28, "userland_proxy": False}
GUEST_ON = "[OPTIONS]\nenable: 1\n\n[RULES]\n"
CLUSTER_ON = "[OPTIONS]\nenable: 1\n\n[IPSET management]\n192.168.1.5\n"
DROP_FORWARD = "table inet t {\n chain f { type filter hook forward priority -5; policy drop; }\n}\n"
DROP_INPUT = 'table inet t {\n chain i { type filter hook input priority -5; iifname "br-*" drop; }\n}\n'


def segment(name: str, subnet: str, **changes: Any) -> Data:
    """An untagged segment on no bridge in particular."""
    found: Data = {"name": name, "subnet": subnet, "gateway": None, "tag": None, "bridge": None}
    return {**found, "masqueraded": False, **changes}


def network(name: str, number: int, *, internal: bool = False) -> Data:
    """The Docker network 10.128.N.0/24 with bridge br-NAME."""
    subnet = f"10.128.{number}"
    return {
        "name": name,
        "interface": f"br-{name}",
        "subnet": f"{subnet}.0/24",
        "gateway": f"{subnet}.1",
        "internal": internal,
    }


def box(name: str, *, ports: list[Data] | None = None, host_network: bool = False, **addresses: str) -> Data:
    """A container `service:s/NAME` with its address in each network."""
    return {
        "endpoint": f"service:s/{name}",
        "host_network": host_network,
        "addresses": addresses,
        "ports": ports or [],
    }


def published(internal: int, external: int, address: str = "192.168.1.10", protocol: str = "tcp") -> Data:
    """A port that a container publishes."""
    return {"address": address, "external": external, "internal": internal, "protocol": protocol}


def docker(
    *containers: Data, networks: list[Data], engine: Data | None = None, guard: str | None = None
) -> Data:
    """Docker on device nas, 192.168.1.10."""
    return {
        "machine": "device:nas",
        "engine": engine or OLD,
        "guard": guard,
        "networks": networks,
        "containers": list(containers),
    }


def device(name: str, name_of_segment: str, address: str | None) -> Data:
    """A machine that nothing filters."""
    return {"endpoint": f"device:{name}", "segment": name_of_segment, "address": address}


def node(name: str = "pve", address: str = "192.168.1.2", **changes: Any) -> Data:
    """A node on segment lan whose settings are the lab's."""
    found: Data = {"endpoint": f"node:{name}", "name": name, "address": address, "segment": "lan"}
    return {**found, "bridge": "vmbr0", "vlan_aware": False, "host.fw": "[OPTIONS]\nenable: 1\n", **changes}


def guest(name: str = "web", vmid: int = 100, rules: str | None = "", **changes: Any) -> Data:
    """A VM at 192.168.2.20 on segment dmz with these firewall rules; None is a guest that is only observed."""
    found: Data = {"endpoint": f"guest:{name}", "node": "pve", "vmid": vmid, "kind": "vm"}
    found["config"] = {
        "net0": "virtio=02:00:00:00:00:01,bridge=vmbr0,firewall=1,tag=2",
        "ipconfig0": "ip=192.168.2.20/24,gw=192.168.2.1",
    }
    return {**found, "addresses": [], "firewall": None if rules is None else GUEST_ON + rules, **changes}


def lab(**changes: Any) -> Data:
    """Segments lan and dmz, a television on the first, and nothing that routes."""
    proxmox = {
        "switch_known": True,
        "cluster.fw": CLUSTER_ON,
        "corosync.conf": None,
        "nodes": [],
        "guests": [],
    }
    found: Data = {
        "version": 1,
        "segments": [segment("lan", "192.168.1.0/24"), segment("dmz", "192.168.2.0/24", tag=2)],
        "router": {"kind": "none", "endpoint": None},
        "devices": [device("nas", "lan", "192.168.1.10"), device("tv", "lan", "192.168.1.50")],
        "docker": [],
        "tailnet": None,
        "ingress": None,
        "names": {},
        **changes,
    }
    return {**found, "proxmox": {**proxmox, **changes.get("proxmox", {})}}


def ask(data: Data, source: str, target: str, port: str | int = 80) -> Answer:
    """Whether a source reaches a port of a target; `app` is short for the container `service:s/app`."""
    start, end = (
        name if ":" in name or name in ("internet", "tailnet") else f"service:s/{name}"
        for name in (source, target)
    )
    return World(data).ask(start, end, Port.parse(port))


def verdict(data: Data, source: str, target: str, port: str | int = 80) -> str:
    """The same, as a word."""
    return str(ask(data, source, target, port).verdict)
