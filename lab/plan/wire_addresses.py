"""A subnet for every wire, and an address for every container on it.

Docker gives addresses out by itself in the order in which containers start; here each
is decided and recorded, so that rules may name it. Refuses a network that is full, and
one whose free addresses all belong to records of containers that are gone.
"""

from ipaddress import IPv4Network

from lab.addresses import address_number, address_text, capacity, gateway_of, host_numbers, prefix_for
from lab.names import interface_name
from lab.plan.draft import Demand, Draft
from lab.plan.places import vlan_claims
from lab.plan.records import AttachmentPlan, NetworkPlan
from lab.plan.wires import TRAEFIK, Wire, Wiring


def number_wires(draft: Draft, wiring: Wiring) -> Wiring:
    """Give every wire its subnet and every member its address."""
    _give_addresses(draft, wiring, _give_subnets(draft, wiring))
    return wiring


def _give_subnets(draft: Draft, wiring: Wiring) -> dict[str, IPv4Network]:
    demands = [
        Demand(
            key=wire.key,
            owner=wire.owner,
            path=wire.path,
            pool=wire.pool,
            prefix=wire.prefix or prefix_for(len(wire.members)),
            fixed_prefix=wire.prefix is not None and wire.pool == "docker" and wire.purpose == "private",
            subnet=wire.subnet,
        )
        for wire in wiring.wires.values()
    ]
    subnets = draft.networks(demands, vlan_claims(draft))
    for key, subnet in subnets.items():
        wire = wiring.wires[key]
        wiring.networks[key] = NetworkPlan(
            name=wire.name,
            subnet=str(subnet),
            gateway=str(gateway_of(subnet)),
            interface=interface_name(draft.environment, wire.host, wire.name),
            purpose=wire.purpose,
            internal=wire.internal,
        )
    return subnets


def _give_addresses(draft: Draft, wiring: Wiring, subnets: dict[str, IPv4Network]) -> None:
    recorded = _by_network(draft.ledger.texts("addresses"))
    for key in sorted(subnets):
        wire, subnet = wiring.wires[key], subnets[key]
        if len(wire.members) > capacity(subnet):
            draft.refuse(
                wire.path,
                f"{subnet} of {wire.owner} is full: "
                f"it holds {capacity(subnet)} containers and needs {len(wire.members)}",
                f"write size: {prefix_for(len(wire.members))} (which replaces the network and its containers), "
                "or a larger subnet",
            )
            continue
        given = _addresses_in(draft, wire, subnet, recorded.get(key, {}))
        for member, aliases in wire.members.items():
            if member in given:
                attachment = AttachmentPlan(
                    network=wire.name, address=given[member], aliases=tuple(dict.fromkeys(aliases))
                )
                wiring.attachments.setdefault(member, []).append(attachment)


def _by_network(records: dict[str, str]) -> dict[str, dict[str, str]]:
    grouped: dict[str, dict[str, str]] = {}
    for key, address in records.items():
        host, _, rest = key.partition("/")
        network, _, member = rest.partition("/")
        grouped.setdefault(f"{host}/{network}", {})[member] = address
    return grouped


def _addresses_in(draft: Draft, wire: Wire, subnet: IPv4Network, recorded: dict[str, str]) -> dict[str, str]:
    usable = host_numbers(subnet)
    kept = {member: address_number(address) for member, address in recorded.items()}
    kept = {member: number for member, number in kept.items() if number in usable}
    taken = set(kept.values())
    free = (number for number in usable if number not in taken)
    given: dict[str, str] = {}
    for member in sorted(wire.members, key=lambda m: (m != TRAEFIK, m)):
        number = kept.get(member) or next(free, None)
        if number is None:
            gone = sorted(f"addresses/{wire.key}/{m}" for m in kept if m not in wire.members)
            draft.refuse(
                wire.path,
                f"{subnet} of {wire.owner} has no address left for {member}: "
                "records of containers that are gone hold them",
                f"drop one that you do not want back: `lab ledger --drop {gone[0]}`",
            )
            continue
        given[member] = address_text(number)
        if member not in kept:
            draft.give("addresses", f"{wire.key}/{member}", given[member])
    return given
