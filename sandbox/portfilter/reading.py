"""From the state of the Proxmox API to what is filtered at each port.

The order of things and the defaults are Proxmox VE's own: where its documentation and its compiler disagree
(option `dhcp`), the compiler counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.errors import SandboxError
from sandbox.fabric.segments import port_name, segment_name
from sandbox.portfilter.addresses import Spans, link_local, merged, network_span
from sandbox.portfilter.model import FilterRule, Filters, GuestFilter, PortFilter
from sandbox.portfilter.names import Names, UnknownNameError, read_names
from sandbox.portfilter.services import ServiceError, services_of
from sandbox.proxmox import firewall, groups, records
from sandbox.proxmox.guests import Kind
from sandbox.store import Transaction

COLLECTIONS = (firewall.COLLECTION, groups.COLLECTION, records.COLLECTION)
"""Where the state is that this reads."""
_BLACKLIST = "blacklist"

Document = Mapping[str, Any]
_Placed = tuple[str | None, FilterRule]
"""A rule and the NIC that it is limited to."""


def read_filters(t: Transaction) -> Filters:
    """What is filtered, from what the API holds now."""
    cluster = firewall.scope_of(t, "cluster")
    if not cluster["options"].get("enable"):
        return Filters()
    ignored: list[str] = []
    names = read_names(cluster, "dc", None, ignored)
    reader = _Reader(t, names, ignored)
    ports = tuple(port for record in records.every(t) for port in reader.ports(record))
    return Filters(
        enabled=True, ports=ports, blacklist=names.sets.get(_BLACKLIST, ()), ignored=tuple(ignored)
    )


class _Reader:
    def __init__(self, t: Transaction, cluster: Names, ignored: list[str]) -> None:
        self._t = t
        self._cluster = cluster
        self._ignored = ignored
        self._groups = {name.lower(): group["rules"] for name, group in t.list(groups.COLLECTION)}

    def ports(self, record: records.Record) -> Iterator[PortFilter]:
        """The ports of a guest that are filtered."""
        spec = records.spec(record)
        node = firewall.scope_of(self._t, f"node/{spec.node}")["options"]
        guest = self._guest(spec.vmid)
        devices = records.numbered(record["config"], "net")
        for index, ((number, text), nic) in enumerate(zip(devices, spec.nics, strict=True)):
            if records.pairs(text).get("firewall") == "1":
                yield PortFilter(
                    port=port_name(spec, index),
                    segment=segment_name(nic.bridge, nic.tag),
                    nosmurfs=bool(node.get("nosmurfs", 1)),
                    guest=guest.at(spec.kind, f"net{number}", text) if guest else None,
                )

    def _guest(self, vmid: int) -> "_Guest | None":
        """The firewall of a guest; None where it is off."""
        document = firewall.scope_of(self._t, f"guest/{vmid}")
        if not document["options"].get("enable"):
            return None
        names = read_names(document, "guest", self._cluster, self._ignored)
        rules = list(self._rules(f"guest {vmid}", document["rules"], names))
        return _Guest(document["options"], names, rules)

    def _rules(self, where: str, rules: Sequence[Document], names: Names) -> Iterator[_Placed]:
        """The rules that count, groups expanded in place."""
        for number, rule in enumerate(rules):
            here = f"{where} rule {number}"
            if not rule.get("enable"):
                continue
            if rule["type"] != "group":
                yield from ((rule.get("iface"), one) for one in self._rule(here, rule, names))
            elif (included := self._groups.get(rule["action"].lower())) is None:
                self._ignore(here, f"there is no security group {rule['action']}")
            else:
                # A group speaks of the cluster's names only, and its rules are for each NIC.
                inner = self._rules(f"{here}, group {rule['action']}", included, self._cluster)
                yield from ((rule.get("iface"), one) for _, one in inner)

    def _rule(self, where: str, rule: Document, names: Names) -> Iterator[FilterRule]:
        """The rule; nothing where Proxmox VE skips it."""
        if rule["type"] == "forward":
            self._ignore(where, "rules of type forward count only with `nftables: 1` on the node")
            return
        try:
            ends = {end: names.addresses(rule[end]) for end in ("source", "dest") if end in rule}
            services = services_of(rule)
        except UnknownNameError as error:
            self._ignore(where, f"{error} does not exist")
            return
        except ServiceError as error:
            # The API takes no such rule; this one is older than its check.
            raise SandboxError(
                f"{where} cannot be enforced: {error}; delete the sandbox's state with `python -m sandbox clean`"
            ) from None
        yield FilterRule(
            where=where,
            direction="in" if rule["type"] == "in" else "out",
            action=rule["action"],
            services=services,
            sources=ends.get("source"),
            targets=ends.get("dest"),
        )

    def _ignore(self, where: str, why: str) -> None:
        self._ignored.append(f"{where} is skipped: {why}")


@dataclass(frozen=True)
class _Guest:
    """The firewall of a guest that is on: options, names and rules."""

    options: Document
    names: Names
    rules: Sequence[_Placed]

    def at(self, kind: Kind, nic: str, device: str) -> GuestFilter:
        """What of it counts at a NIC."""
        options = self.options
        return GuestFilter(
            mac=records.mac_of(device).lower(),
            rules=tuple(rule for only, rule in self.rules if only in (None, nic)),
            policy_in=options.get("policy_in", "DROP"),
            policy_out=options.get("policy_out", "ACCEPT"),
            dhcp=bool(options.get("dhcp", 1)),
            ndp=bool(options.get("ndp", 1)),
            radv=bool(options.get("radv", 0)),
            macfilter=bool(options.get("macfilter", 1)),
            own_addresses=self._own_addresses(kind, nic, device),
        )

    def _own_addresses(self, kind: Kind, nic: str, device: str) -> Spans | None:
        """The only sources that a NIC may send from, where it has a set of its own or option `ipfilter` is on.

        Beside the set they are the NIC's link-local address, and the addresses that a container is given.
        """
        own = self.names.sets.get(f"ipfilter-{nic}")
        if own is None and not self.options.get("ipfilter"):
            return None
        values = records.pairs(device)
        given = [values.get(key, "") for key in ("ip", "ip6")] if kind == "lxc" else []
        fixed = [network_span(text.partition("/")[0]) for text in given if "/" in text]
        return merged([*(own or ()), link_local(records.mac_of(device)), *fixed])
