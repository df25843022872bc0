"""Where every machine is: segments, and the one address book of the lab.

Owns the rule that two machines never have one address, and that a fixed address is
neither the gateway's nor leased by DHCP. Other steps ask this book and decide nothing
about addresses themselves.
"""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from lab.addresses import Claim
from lab.config.machines import GuestConfig, VlanConfig
from lab.names import did_you_mean
from lab.plan.draft import Draft


@dataclass
class Places:
    """The addresses of nodes, devices and guests, each with its owner."""

    owners: dict[IPv4Address, str] = field(default_factory=dict)
    node_vlans: dict[str, str | None] = field(default_factory=dict)
    guests: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """Guest to segment to address; None where it is leased."""
    devices: dict[str, str | None] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    operator: str | None = None

    def all_of(self, name: str) -> tuple[str, ...]:
        """Every fixed address of a guest or device."""
        if name in self.guests:
            return tuple(address for address in self.guests[name].values() if address)
        address = self.devices.get(name)
        return (address,) if address else ()

    def of_machine(self, name: str) -> str | None:
        """The first fixed address of a guest or device."""
        return next(iter(self.all_of(name)), None)


def full_address(text: str, subnet: IPv4Network) -> IPv4Address:
    """An address as declared: whole, or as its last part in a subnet."""
    return subnet.network_address + int(text[1:]) if text.startswith(".") else IPv4Address(text)


def gateway_address(vlan: VlanConfig) -> IPv4Address | None:
    """The router's address in a segment, if anything routes there."""
    return None if vlan.gateway == "none" else full_address(vlan.gateway, vlan.subnet)


def vlan_claims(draft: Draft) -> list[Claim]:
    """The subnets that segments and reservations hold."""
    config = draft.config
    segments = [
        Claim(v.subnet, f"vlan {name}", f"lab.vlans.{name}.subnet") for name, v in config.vlans.items()
    ]
    kept = [
        Claim(r.subnet, f"reservation {name}", f"lab.reserved.{name}") for name, r in config.reserved.items()
    ]
    return segments + kept


def settle_places(draft: Draft) -> Places:
    """Find every machine's address, and refuse what cannot be."""
    places = Places()
    _check_tags(draft)
    _settle_gateways(draft, places)
    _settle_nodes(draft, places)
    _settle_devices(draft, places)
    _settle_guests(draft, places)
    _settle_operator(draft, places)
    _give_addresses(draft, places)
    return places


def known_vlan(draft: Draft, name: str, path: str) -> VlanConfig | None:
    """The segment of that name, or a problem noted."""
    vlan = draft.config.vlans.get(name)
    if vlan is None:
        draft.refuse(path, f'there is no vlan "{name}"', did_you_mean(name, draft.config.vlans))
    return vlan


def _check_tags(draft: Draft) -> None:
    seen: dict[tuple[str | None, int], str] = {}
    for name, vlan in draft.config.vlans.items():
        if vlan.id is None:
            continue
        other = seen.setdefault((vlan.bridge, vlan.id), name)
        if other != name:
            draft.refuse(
                f"vlans.{name}.id",
                f"tag {vlan.id} is also that of vlan {other}",
                "give each vlan its own tag",
            )


def _claim(draft: Draft, places: Places, address: IPv4Address, owner: str, path: str) -> None:
    other = places.owners.setdefault(address, owner)
    if other != owner:
        draft.refuse(
            path, f"{address} of {owner} is also the address of {other}", "give one of them another address"
        )


def _inside(draft: Draft, address: IPv4Address, name: str, vlan: VlanConfig, path: str) -> bool:
    ends = (
        {vlan.subnet.network_address, vlan.subnet.broadcast_address} if vlan.subnet.prefixlen < 31 else set()
    )
    if address in vlan.subnet and address not in ends:
        return True
    draft.refuse(
        path, f"{address} is not an address of vlan {name} ({vlan.subnet})", "write one that is, such as 11"
    )
    return False


def _leased(vlan: VlanConfig, address: IPv4Address) -> bool:
    if vlan.dhcp is None:
        return False
    first, last = (vlan.subnet.network_address + part for part in vlan.dhcp)
    return first <= address <= last


def _routes(draft: Draft, owner: str) -> bool:
    """Whether a machine may have a gateway's address: the lab's router, or a device, which then is the gateway."""
    router = draft.config.router
    if router.kind == "node":
        return owner.startswith("node ")
    return owner == f"guest {router.guest}" or owner.startswith("device ")


def _place(draft: Draft, places: Places, text: str, vlan_name: str, owner: str, path: str) -> str | None:
    vlan = draft.config.vlans[vlan_name]
    address = full_address(text, vlan.subnet)
    if not _inside(draft, address, vlan_name, vlan, path):
        return None
    gateway = f"the gateway of vlan {vlan_name}"
    if _routes(draft, owner) and places.owners.get(address) == gateway:
        places.owners[address] = owner
    if _leased(vlan, address):
        draft.refuse(
            path, f"{address} of {owner} is leased by DHCP in vlan {vlan_name}", "write one outside the range"
        )
    _claim(draft, places, address, owner, path)
    return str(address)


def _settle_gateways(draft: Draft, places: Places) -> None:
    for name, vlan in draft.config.vlans.items():
        gateway = gateway_address(vlan)
        if gateway is not None and _inside(draft, gateway, name, vlan, f"vlans.{name}.gateway"):
            places.owners[gateway] = f"the gateway of vlan {name}"
        if vlan.dhcp is None:
            continue
        first, last = (int(vlan.subnet.network_address) + part for part in vlan.dhcp)
        if last >= int(vlan.subnet.broadcast_address):
            draft.refuse(
                f"vlans.{name}.dhcp",
                f".{vlan.dhcp[0]}-.{vlan.dhcp[1]} is not inside vlan {name} ({vlan.subnet})",
                "write a range inside",
            )
        elif gateway is not None and first <= int(gateway) <= last:
            draft.refuse(
                f"vlans.{name}.dhcp",
                f"it would lease {gateway}, which is the gateway",
                "begin the range behind it",
            )


def _settle_nodes(draft: Draft, places: Places) -> None:
    for name, node in draft.config.nodes.items():
        path = f"nodes.{name}.address"
        relative = node.address.startswith(".")
        vlan = node.vlan or (None if relative else _vlan_of(draft, IPv4Address(node.address)))
        places.node_vlans[name] = vlan
        if vlan is None:
            draft.refuse(path, f"{node.address} is in no vlan", "declare its vlan, or name it with vlan:")
        elif known_vlan(draft, vlan, f"nodes.{name}.vlan"):
            places.nodes[name] = _place(draft, places, node.address, vlan, f"node {name}", path) or ""


def _vlan_of(draft: Draft, address: IPv4Address) -> str | None:
    return next((name for name, vlan in draft.config.vlans.items() if address in vlan.subnet), None)


def _settle_devices(draft: Draft, places: Places) -> None:
    for name, device in draft.config.devices.items():
        vlan = known_vlan(draft, device.vlan, f"devices.{name}.vlan")
        places.devices[name] = None
        if vlan is None or device.address is None:
            continue
        path = f"devices.{name}.address"
        places.devices[name] = _place(draft, places, device.address, device.vlan, f"device {name}", path)


def _settle_guests(draft: Draft, places: Places) -> None:
    for name, guest in draft.config.guests.items():
        places.guests[name] = {}
        for vlan_name, nic in guest.nics.items():
            path = f"guests.{name}.vlans.{vlan_name}" if guest.vlans else f"guests.{name}.address"
            if known_vlan(draft, vlan_name, path.replace(".address", ".vlan")) is None:
                continue
            places.guests[name][vlan_name] = None
            if nic.address is not None and nic.address != "dhcp":
                places.guests[name][vlan_name] = _place(
                    draft, places, nic.address, vlan_name, f"guest {name}", path
                )
            elif nic.address == "dhcp":
                _check_lease(draft, vlan_name, path)
            elif _routes_for(draft, name, guest):
                gateway = gateway_address(draft.config.vlans[vlan_name])
                places.guests[name][vlan_name] = str(gateway) if gateway else None


def _routes_for(draft: Draft, name: str, guest: GuestConfig) -> bool:
    return draft.config.router.kind == "guest" and draft.config.router.guest == name and bool(guest.vlans)


def _check_lease(draft: Draft, vlan_name: str, path: str) -> None:
    if draft.config.vlans[vlan_name].dhcp is None:
        draft.refuse(
            path, f"vlan {vlan_name} leases no addresses", "write an address, or give the vlan a dhcp range"
        )


def _settle_operator(draft: Draft, places: Places) -> None:
    operator = draft.config.operator
    vlan = known_vlan(draft, operator.vlan, "operator.vlan") if operator.vlan else None
    if operator.address is None:
        return
    if vlan is not None and operator.vlan is not None:
        address = full_address(operator.address, vlan.subnet)
        if not _inside(draft, address, operator.vlan, vlan, "operator.address"):
            return
    elif operator.address.startswith("."):
        if operator.vlan is None:
            draft.refuse(
                "operator.address", "it is relative and operator has no vlan", "add vlan, or write it whole"
            )
        return
    else:
        address = IPv4Address(operator.address)
    # The operator may well be a device or guest that is declared too; nobody else is given its address.
    places.owners.setdefault(address, "the operator")
    places.operator = str(address)


def _give_addresses(draft: Draft, places: Places) -> None:
    """An address for every interface that declares none: the recorded one, else the lowest free."""
    recorded = draft.ledger.texts("guest-addresses")
    wanted = {
        f"{name}/{vlan_name}": (name, vlan_name)
        for name, guest in sorted(draft.config.guests.items())
        for vlan_name, nic in sorted(guest.nics.items())
        if nic.address is None and vlan_name in draft.config.vlans and not _routes_for(draft, name, guest)
    }
    for key, (name, vlan_name) in wanted.items():
        if key in recorded and IPv4Address(recorded[key]) in draft.config.vlans[vlan_name].subnet:
            places.guests[name][vlan_name] = recorded[key]
            _check_record(draft, places, key, vlan_name)
    for key, text in recorded.items():
        places.owners.setdefault(IPv4Address(text), f"the record guest-addresses/{key}")
    for key, (name, vlan_name) in wanted.items():
        if places.guests[name][vlan_name] is None:
            _give_address(draft, places, key, vlan_name)


def _check_record(draft: Draft, places: Places, key: str, vlan_name: str) -> None:
    address = IPv4Address(draft.ledger.texts("guest-addresses")[key])
    owner = f"guest {key.partition('/')[0]}"
    other = places.owners.setdefault(address, owner)
    if other != owner or _leased(draft.config.vlans[vlan_name], address):
        problem = f"also the address of {other}" if other != owner else f"leased by DHCP in vlan {vlan_name}"
        draft.refuse(
            f"guests.{owner.removeprefix('guest ')}",
            f"{address}, which was given to {owner} before (ledger), is {problem}",
            f"change the other one, or drop the record: `lab ledger --drop guest-addresses/{key}`",
        )


def _give_address(draft: Draft, places: Places, key: str, vlan_name: str) -> None:
    vlan, name = draft.config.vlans[vlan_name], key.partition("/")[0]
    address = next((a for a in vlan.subnet.hosts() if a not in places.owners and not _leased(vlan, a)), None)
    if address is None:
        draft.refuse(
            f"vlans.{vlan_name}",
            f"{vlan.subnet} has no free address for guest {name}",
            "enlarge the subnet, shorten its dhcp range, or drop guest-addresses records whose owners are gone",
        )
        return
    places.owners[address] = f"guest {name}"
    places.guests[name][vlan_name] = str(address)
    draft.give("guest-addresses", key, str(address))
