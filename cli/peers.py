"""Somebody on each segment of the sandbox, for the time of one run: what a machine of the house would see there.

The sandbox makes them, at addresses that the plan leaves free. A segment on which a person
has put a peer already is probed from that one, and it stays.
"""

import contextlib
import ipaddress
import itertools
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.flows import Endpoint
from lab.plan.directory import Directory
from lab.plan.records import LabPlan, VlanPlan
from probe.spaces import CannotEnter


@dataclass(frozen=True)
class Peer:
    """Somebody on a segment."""

    address: str
    """Without its length."""
    namespace: str


@contextlib.contextmanager
def peers(
    plan: LabPlan, segments: Mapping[str, str], there: Mapping[str, Peer]
) -> Iterator[dict[Endpoint, Peer]]:
    """A peer on every segment of the plan that exists in the sandbox.

    Args:
        plan: whose addresses are kept free.
        segments: by the address of a guest's interface, the segment that it is on.
        there: the peers that are there already, by segment.

    Raises:
        CannotEnter: the sandbox could not make one.
    """
    places = {nic.address: nic.vlan for guest in plan.guests for nic in guest.nics if nic.address}
    wanted = {places[address]: segment for address, segment in segments.items() if address in places}
    directory = Directory(plan)
    with contextlib.ExitStack() as stack:
        found = {}
        for vlan in plan.vlans:
            segment = wanted.get(vlan.name)
            if segment is None:
                continue
            peer = there.get(segment) or stack.enter_context(_made(segment, free_address(directory, vlan)))
            found[Endpoint("vlan", vlan.name)] = peer
        yield found


def free_address(directory: Directory, vlan: VlanPlan) -> str:
    """An address of a VLAN that nobody has, with its length: the last one outside what is leased, if there is one.

    Raises:
        CannotEnter: the subnet is full.
    """
    network = ipaddress.IPv4Network(vlan.subnet)
    taken = {vlan.gateway, directory.plan.operator_address}
    # From the end, because people count machines from the beginning.
    candidates = [
        address
        for address in itertools.islice(_from_the_end(network), _LOOKED_AT)
        if str(address) not in taken and directory.owner(str(address)) is None
    ]
    if not candidates:
        raise CannotEnter(
            f"no address of vlan {vlan.name} ({vlan.subnet}) is free, so nobody can be put there to probe from"
        )
    unleased = [address for address in candidates if not _leased(vlan, address)]
    return f"{(unleased or candidates)[0]}/{network.prefixlen}"


_LOOKED_AT = 4096
"""A subnet may have millions of addresses, and no lab has so many machines in one."""


def _from_the_end(network: ipaddress.IPv4Network) -> Iterator[ipaddress.IPv4Address]:
    return (network[place] for place in range(network.num_addresses - 2, 0, -1))


def _leased(vlan: VlanPlan, address: ipaddress.IPv4Address) -> bool:
    if vlan.dhcp is None:
        return False
    first, last = (ipaddress.IPv4Address(end) for end in vlan.dhcp)
    return first <= address <= last


@contextlib.contextmanager
def _made(segment: str, address: str) -> Iterator[Peer]:
    namespace = _sandbox([segment, address]).strip()
    try:
        yield Peer(address.partition("/")[0], namespace)
    finally:
        _sandbox([segment, "--remove"])


def _sandbox(words: Sequence[str]) -> str:
    command = [sys.executable, "-m", "sandbox", "peer", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise CannotEnter(f"python -m sandbox peer {' '.join(words)} did not succeed: {done.stderr.strip()}")
    return done.stdout
