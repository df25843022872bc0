"""Where everything of a small plan is: concrete addresses, one by one."""

from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

from lab.flows import Endpoint
from lab.plan.records import GuardPlan, GuestPlan, LabPlan, NetworkPlan, ServicePlan, VlanPlan

PUBLIC = ("1.2.3.4", "9.9.9.9")
"""Somebody on the internet, and somebody there whom rules may know."""


@dataclass(frozen=True)
class Box:
    """A container with a network of its own."""

    endpoint: Endpoint
    host: str
    service: ServicePlan

    @cached_property
    def addresses(self) -> dict[str, str]:
        """Its address in each network."""
        return {a.network: a.address for a in self.service.attachments}


@dataclass
class Atlas:
    """Every place of one plan."""

    plan: LabPlan
    boxes: dict[Endpoint, Box] = field(default_factory=dict)
    networks: dict[str, dict[str, NetworkPlan]] = field(default_factory=dict)
    """The Docker networks of each host by their name."""
    hosts: dict[Endpoint, str] = field(default_factory=dict)
    """The machines that are Docker hosts, with the name of each."""

    def __post_init__(self) -> None:
        plan = self.plan
        for host in plan.docker_hosts:
            self.networks[host.name] = {}
            self.hosts[Endpoint("guest" if host.guest else "device", host.name)] = host.name
        for stack in plan.stacks:
            self._add(stack.host, stack.networks, stack.services)
        for router in plan.subnet_routers:
            self._add(router.host, (router.network,), (router.service,))
        if plan.ingress is not None and plan.ingress.service is not None:
            edge = tuple(network for network in (plan.ingress.front, *plan.ingress.slots) if network)
            self._add(plan.ingress.host, edge, (plan.ingress.service,))

    def _add(self, host: str, networks: tuple[NetworkPlan, ...], services: tuple[ServicePlan, ...]) -> None:
        self.networks[host] |= {network.name: network for network in networks}
        for service in services:
            if not service.host_network:
                self.boxes[service.endpoint] = Box(service.endpoint, host, service)

    @cached_property
    def guards(self) -> dict[str, GuardPlan]:
        """The guard of each host."""
        return {guard.host: guard for guard in self.plan.guards}

    @cached_property
    def vlans(self) -> dict[str, VlanPlan]:
        """The segments by name."""
        return {vlan.name: vlan for vlan in self.plan.vlans}

    @cached_property
    def wires(self) -> dict[str, list[VlanPlan]]:
        """Each segment with all that are one wire: untagged ones that meet on a bridge of a node."""
        groups = {name: {name} for name in self.vlans}
        for names in self._meeting().values():
            merged = set().union(*(groups[name] for name in names))
            groups |= dict.fromkeys(merged, merged)
        return {name: [self.vlans[other] for other in sorted(names)] for name, names in groups.items()}

    def _meeting(self) -> dict[tuple[str, str], set[str]]:
        untagged = {vlan.name for vlan in self.plan.vlans if vlan.tag is None}
        found: dict[tuple[str, str], set[str]] = {}
        for guest in self.plan.guests:
            for nic in guest.nics:
                here = [vlan.name for vlan in self._beside(guest, nic.bridge)] if nic.trunks else [nic.vlan]
                found.setdefault((guest.node, nic.bridge), set()).update(untagged & set(here))
        for node in self.plan.nodes:
            if node.vlan in untagged and (self.vlans[node.vlan].bridge or node.bridge) == node.bridge:
                found.setdefault((node.name, node.bridge), set()).add(node.vlan)
        return found

    @cached_property
    def machine_of(self) -> dict[str, Endpoint]:
        """The machine that each Docker host is."""
        return {name: machine for machine, name in self.hosts.items()}

    @cached_property
    def own(self) -> dict[str, set[str]]:
        """The addresses of each Docker host, those in its Docker networks among them."""
        return {
            name: {n.gateway for n in self.networks[name].values()} | {a for _, a in self.fixed[machine] if a}
            for machine, name in self.hosts.items()
        }

    @cached_property
    def way_out(self) -> dict[Endpoint, NetworkPlan | None]:
        """The network of each container's default route: the first by name with a way out, else the first."""
        found = {}
        for endpoint, box in self.boxes.items():
            networks = [self.networks[box.host][name] for name in sorted(box.addresses)]
            found[endpoint] = next((n for n in networks if not n.internal), networks[0] if networks else None)
        return found

    @cached_property
    def answering(self) -> dict[tuple[Endpoint, int, str], tuple[Endpoint, int, str]]:
        """The ports of Docker hosts at which a container answers, with the port that it is there."""
        return {
            (self.machine_of[box.host], p.external, p.protocol): (box.endpoint, p.internal, p.protocol)
            for box in self.boxes.values()
            if any(not self.networks[box.host][name].internal for name in box.addresses)
            for p in box.service.published
        }

    @cached_property
    def at_bridge(self) -> dict[str, tuple[Box, NetworkPlan]]:
        """Every container by each of its own addresses, with the network of that address."""
        return {
            address: (box, self.networks[box.host][name])
            for box in self.boxes.values()
            for name, address in box.addresses.items()
        }

    @cached_property
    def guests(self) -> dict[str, GuestPlan]:
        """The guests by name."""
        return {guest.name: guest for guest in self.plan.guests}

    @cached_property
    def fixed(self) -> dict[Endpoint, list[tuple[str, str | None]]]:
        """Every machine with its segments and the address that it has there; None where nobody fixed one."""
        plan = self.plan
        found = {Endpoint("guest", guest.name): self._nics(guest) for guest in plan.guests}
        found |= {Endpoint("device", device.name): [(device.vlan, device.address)] for device in plan.devices}
        found |= {
            Endpoint("node", node.name): [(node.vlan, node.address)] for node in plan.nodes if node.vlan
        }
        if plan.operator_vlan:
            found[Endpoint("operator")] = [(plan.operator_vlan, plan.operator_address)]
        return found

    def _nics(self, guest: GuestPlan) -> list[tuple[str, str | None]]:
        tags = {vlan.tag: vlan.name for vlan in self.plan.vlans if vlan.tag is not None}
        places = []
        for nic in guest.nics:
            if not nic.trunks:
                places.append((nic.vlan, nic.address))
                continue
            names = [tags[tag] for tag in nic.trunks] + [
                vlan.name for vlan in self._beside(guest, nic.bridge)
            ]
            places += [(name, self._known(guest, name)) for name in names]
        return places

    def _known(self, guest: GuestPlan, vlan: str) -> str | None:
        """What a guest behind a trunk calls itself on a segment."""
        subnet = IPv4Network(self.vlans[vlan].subnet)
        return next((address for address in guest.addresses if IPv4Address(address) in subnet), None)

    def _beside(self, guest: GuestPlan, bridge: str) -> list[VlanPlan]:
        """The untagged segments of a bridge, whose frames a trunk carries as well."""
        usual = next(node.bridge for node in self.plan.nodes if node.name == guest.node)
        return [vlan for vlan in self.plan.vlans if vlan.tag is None and (vlan.bridge or usual) == bridge]

    def zones(self, guest: str, vlan: str) -> list[VlanPlan]:
        """The segments whose security groups stand where a guest is on a segment."""
        plan = self.guests[guest]
        found = [nic for nic in plan.nics if not nic.trunks and nic.vlan == vlan]
        found += [
            nic for nic in plan.nics if nic.trunks and self.vlans[vlan] in self._beside(plan, nic.bridge)
        ]
        return [self.vlans[nic.vlan] for nic in found]

    def tagged(self, guest: str) -> set[str]:
        """The segments on which a guest tags its frames itself."""
        tags = {tag for nic in self.guests[guest].nics for tag in nic.trunks}
        return {vlan.name for vlan in self.plan.vlans if vlan.tag in tags}

    @cached_property
    def _taken(self) -> set[str]:
        machines = {address for places in self.fixed.values() for _, address in places if address}
        return machines | {vlan.gateway for vlan in self.plan.vlans if vlan.gateway}

    @cached_property
    def free(self) -> dict[str, tuple[str, ...]]:
        """Addresses of each segment at which anybody may be whom nobody fixed: the lowest, the highest, one between."""
        found = {}
        for vlan in self.plan.vlans:
            free = [str(a) for a in IPv4Network(vlan.subnet).hosts() if str(a) not in self._taken]
            found[vlan.name] = tuple(dict.fromkeys((free[0], free[len(free) // 2], free[-1])))
        return found

    @cached_property
    def places(self) -> dict[Endpoint, list[tuple[str, str]]]:
        """Every machine, and somebody on each segment, with every segment and address where they may be."""
        found = {
            machine: [
                (vlan, one) for vlan, address in places for one in ([address] if address else self.free[vlan])
            ]
            for machine, places in self.fixed.items()
        }
        found |= {Endpoint("vlan", name): [(name, one) for one in free] for name, free in self.free.items()}
        return found

    @cached_property
    def at(self) -> dict[tuple[str, str], list[Endpoint]]:
        """Whoever may be at an address of a segment."""
        found: dict[tuple[str, str], list[Endpoint]] = {}
        for machine, places in self.places.items():
            for place in places:
                found.setdefault(place, []).append(machine)
        return found
