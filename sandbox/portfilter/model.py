"""What is filtered at the ports of guests, resolved: no names, no groups, no defaults."""

from dataclasses import dataclass
from typing import Literal

from sandbox.portfilter.addresses import Spans
from sandbox.portfilter.services import Service

Action = Literal["ACCEPT", "DROP", "REJECT"]
Direction = Literal["in", "out"]


@dataclass(frozen=True, kw_only=True)
class FilterRule:
    """One rule, as it counts at one port.

    Attributes:
        where: where it is written, such as `rule 2` or `rule 3, group web rule 0`; the API counts from 0.
        direction: into the guest, or out of it.
        action: what becomes of a packet that it takes.
        services: it takes a packet of one of these.
        sources: None is every address.
        targets: None is every address.
    """

    where: str
    direction: Direction
    action: Action
    services: tuple[Service, ...]
    sources: Spans | None = None
    targets: Spans | None = None


@dataclass(frozen=True, kw_only=True)
class GuestFilter:
    """The options and rules of a guest whose firewall is on, at one of its ports.

    Attributes:
        mac: the address that the NIC was given; with `macfilter` the only one that it may send from.
        rules: in order; the first that takes a packet decides.
        policy_in: what becomes of a packet to the guest that no rule takes.
        policy_out: the same from the guest.
        dhcp: whether DHCP passes before any rule.
        ndp: whether neighbour discovery passes before any rule.
        radv: whether the guest may offer itself as an IPv6 router.
        macfilter: whether a wrong source MAC address is dropped.
        own_addresses: the only sources that the NIC may send from; None is every address.
    """

    mac: str
    rules: tuple[FilterRule, ...] = ()
    policy_in: Action = "DROP"
    policy_out: Action = "ACCEPT"
    dhcp: bool = True
    ndp: bool = True
    radv: bool = False
    macfilter: bool = True
    own_addresses: Spans | None = None


@dataclass(frozen=True, kw_only=True)
class PortFilter:
    """What is filtered at a port whose NIC has `firewall=1`.

    Attributes:
        port: the link of the fabric, `tap201i0`.
        segment: the bridge of the fabric that it is on.
        nosmurfs: whether multicast and broadcast sources are dropped, by the option of the guest's node.
        guest: None where the firewall of the guest is off.
    """

    port: str
    segment: str
    nosmurfs: bool
    guest: GuestFilter | None


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the API holds, for all ports.

    Attributes:
        ports: empty where the cluster's firewall is off.
        enabled: whether it is on.
        blacklist: sources that are dropped on the way to every guest whose NIC has `firewall=1`.
        ignored: what has no effect on Proxmox VE either, a sentence each with the reason.
    """

    enabled: bool = False
    ports: tuple[PortFilter, ...] = ()
    blacklist: Spans = ()
    ignored: tuple[str, ...] = ()
