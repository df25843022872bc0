"""What exists once a lab is up, as plain data and texts: the one input of an evaluator that never sees the plan.

Each part has the form in which the outside world holds it: the lines of a guest's
configuration, the files of the Proxmox firewall, the text that each guard loads, what
the engine's API says of networks and containers, the policy of the tailnet, Traefik's
files. What this lab does not decide is null, so that nobody takes it for empty.
"""

from typing import Any

from lab.plan.directory import INGRESS, OPERATOR, Container, Directory
from lab.plan.records import DockerHostPlan, GuestPlan, LabPlan, NicPlan, NodePlan, VlanPlan
from lab.render.guard import guard_text
from lab.render.proxmox_firewall import cluster_fw, group_name, guest_fw, host_fw, named_segments, owns_switch
from lab.render.tailnet import policy
from lab.render.traefik import dynamic_configuration, static_configuration

ARTEFACTS_VERSION = 1


def artefacts(plan: LabPlan) -> dict[str, Any]:
    """Everything that the lab's packets meet, as values that JSON can hold, with a version of its own shape."""
    directory = Directory(plan)
    return {
        "version": ARTEFACTS_VERSION,
        "segments": [_segment(vlan) for vlan in plan.vlans],
        "router": {
            "kind": plan.router.kind,
            "endpoint": str(plan.router.endpoint) if plan.router.endpoint else None,
        },
        "proxmox": _proxmox(plan),
        "devices": _devices(plan),
        "docker": [_docker_host(directory, host) for host in plan.docker_hosts],
        "tailnet": _tailnet(directory),
        "ingress": _ingress(plan),
        "names": _names(directory),
    }


def _segment(vlan: VlanPlan) -> dict[str, Any]:
    return {
        "name": vlan.name,
        "subnet": vlan.subnet,
        "gateway": vlan.gateway,
        "tag": vlan.tag,
        "bridge": vlan.bridge,
        "masqueraded": vlan.nat,
    }


def _proxmox(plan: LabPlan) -> dict[str, Any]:
    groups = {vlan.name: group_name(plan.environment, vlan.name) for vlan in named_segments(plan)}
    return {
        "switch_known": owns_switch(plan),
        "cluster.fw": cluster_fw(plan),
        "corosync.conf": _corosync(plan),
        "nodes": [_node(node) for node in plan.nodes],
        "guests": [
            {
                "endpoint": f"guest:{guest.name}",
                "node": guest.node,
                "vmid": guest.vm_id,
                "kind": "vm" if guest.kind == "vm" else "ct",
                "config": _guest_config(guest),
                # What a guest behind a trunk calls itself is in no file of its node.
                "addresses": list(guest.addresses) if any(nic.trunks for nic in guest.nics) else [],
                "firewall": guest_fw(guest, groups) if guest.managed else None,
            }
            for guest in plan.guests
        ],
    }


def _node(node: NodePlan) -> dict[str, Any]:
    return {
        "endpoint": f"node:{node.name}",
        "name": node.name,
        "address": node.address,
        "segment": node.vlan,
        "bridge": node.bridge,
        "vlan_aware": node.creates_bridge,
        "host.fw": host_fw(node) if node.managed else None,
    }


def _corosync(plan: LabPlan) -> str | None:
    """The node list as `pvecm` writes it; a node that is alone has none."""
    if len(plan.nodes) < 2:
        return None
    lines = ["nodelist {"]
    for number, node in enumerate(plan.nodes, start=1):
        lines += ["  node {", f"    name: {node.name}", f"    nodeid: {number}"]
        lines += [f"    ring0_addr: {node.address}", "  }"]
    return "\n".join([*lines, "}", ""])


def _guest_config(guest: GuestPlan) -> dict[str, str]:
    """The lines about interfaces: a VM's addresses are arguments of cloud-init, an LXC's are its interface's."""
    lines: dict[str, str] = {}
    for number, nic in enumerate(guest.nics):
        tags = [f"tag={nic.tag}"] if nic.tag is not None else []
        trunks = [f"trunks={';'.join(map(str, nic.trunks))}"] if nic.trunks else []
        if guest.kind == "vm":
            parts = [f"virtio={nic.mac}", f"bridge={nic.bridge}", "firewall=1", *tags, *trunks]
            lines[f"ipconfig{number}"] = ",".join(_address(nic))
        else:
            parts = [f"name=eth{number}", f"bridge={nic.bridge}", "firewall=1", f"hwaddr={nic.mac}"]
            parts += [*_address(nic), *tags, "type=veth"]
        lines[f"net{number}"] = ",".join(parts)
    return dict(sorted(lines.items()))


def _address(nic: NicPlan) -> list[str]:
    gateway = [f"gw={nic.gateway}"] if nic.gateway else []
    return [*gateway, f"ip={nic.address}/{nic.prefix}" if nic.address else "ip=dhcp"]


def _devices(plan: LabPlan) -> list[dict[str, Any]]:
    """What is on a segment and is none of ours, the operator's machine among it."""
    found = [
        {"endpoint": f"device:{device.name}", "segment": device.vlan, "address": device.address}
        for device in plan.devices
    ]
    if plan.operator_vlan:
        found.append(
            {"endpoint": str(OPERATOR), "segment": plan.operator_vlan, "address": plan.operator_address}
        )
    return found


def _docker_host(directory: Directory, host: DockerHostPlan) -> dict[str, Any]:
    guard = next((guard for guard in directory.plan.guards if guard.host == host.name), None)
    return {
        "machine": f"{'guest' if host.guest else 'device'}:{host.name}",
        "engine": {
            "version": host.engine.version,
            "userland_proxy": host.engine.userland_proxy,
            "bridge_netfilter": host.engine.bridge_netfilter,
            "firewall": host.engine.firewall,
        },
        "guard": guard_text(guard) if guard else None,
        "networks": [
            {
                "name": name,
                "interface": network.interface,
                "subnet": network.subnet,
                "gateway": network.gateway,
                "internal": network.internal,
            }
            for (owner, name), network in sorted(directory.networks.items())
            if owner == host.name
        ],
        "containers": [
            _container(container)
            for container in directory.containers.values()
            if container.host == host.name
        ],
    }


def _container(container: Container) -> dict[str, Any]:
    service = container.service
    return {
        "endpoint": str(service.endpoint),
        "host_network": service.host_network,
        "addresses": {part.network: part.address for part in service.attachments},
        "ports": [
            {
                "address": port.address,
                "external": port.external,
                "internal": port.internal,
                "protocol": port.protocol,
            }
            for port in service.published
        ],
    }


def _tailnet(directory: Directory) -> dict[str, Any] | None:
    plan = directory.plan
    if plan.tailnet is None:
        return None
    advertised = {str(router.service.endpoint): router.advertises for router in plan.subnet_routers}
    advertised |= {f"guest:{guest.name}": guest.advertises for guest in plan.guests if guest.advertises}
    advertised |= {f"node:{node.name}": node.advertises for node in plan.nodes if node.advertises}
    return {
        "policy": policy(plan.tailnet) if plan.tailnet.managed else None,
        "advertised": {router: list(routes) for router, routes in advertised.items()},
    }


def _ingress(plan: LabPlan) -> dict[str, Any] | None:
    ingress = plan.ingress
    if ingress is None or ingress.service is None:
        return None
    return {
        "endpoint": str(INGRESS),
        "static": static_configuration(ingress, plan.shown_certificate),
        "dynamic": dynamic_configuration(ingress, plan.shown_certificate),
    }


def _names(directory: Directory) -> dict[str, str]:
    """Endpoints that are another one's machine: an ingress that is only observed has no container here."""
    ingress = directory.plan.ingress
    if ingress is None or INGRESS in directory.containers:
        return {}
    guests = {guest.name for guest in directory.plan.guests}
    return {str(INGRESS): f"{'guest' if ingress.host in guests else 'device'}:{ingress.host}"}
