"""The Proxmox firewall as files, the way Proxmox VE writes them from what the components create through its API.

Nothing uploads these texts. They show what is in force once a lab is up (below `/etc/pve/firewall`
and in the node's `host.fw`), for a person to read and for an evaluator that knows nothing of the
plan. Every option that the provider sends although nobody set it is here too, because it counts.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from lab.names import join
from lab.plan.records import GuestPlan, LabPlan, NodePlan, RulePlan, VlanPlan

_LONGEST_GROUP_NAME = 18
"""Proxmox VE's limit (API description, `POST /cluster/firewall/groups`); other names may have 64."""
_MANAGEMENT = "management"
"""The name is Proxmox': its members keep access to every node."""
_CLUSTER_OPTIONS = {
    # What an unset `ebtables` becomes on the wire (recordings, `cluster/firewallLegacy`, `1-life/enabled`).
    "ebtables": "0",
    "enable": "1",
    "log_ratelimit": "enable=1,burst=5,rate=1/second",
    "policy_forward": "ACCEPT",
    "policy_in": "DROP",
    "policy_out": "ACCEPT",
}
_NODE_OPTIONS = {
    # What the provider sends for `enabled` alone (recordings, `node/firewall`, `1-life/enabled`).
    "enable": "1",
    "log_level_forward": "nolog",
    "log_level_in": "nolog",
    "log_level_out": "nolog",
    "ndp": "1",
    "nf_conntrack_max": "262144",
    "nf_conntrack_tcp_timeout_established": "432000",
    "nftables": "0",
    "nosmurfs": "1",
    "smurf_log_level": "nolog",
    "tcp_flags_log_level": "nolog",
}


def group_name(environment: str, vlan: str) -> str:
    """The security group of a segment: its name, or the beginning of it and four digits of its digest."""
    name = join(environment, "vlan", vlan)
    if len(name) <= _LONGEST_GROUP_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:4]
    return f"{name[: _LONGEST_GROUP_NAME - 5].rstrip('-')}-{digest}"


def owns_switch(plan: LabPlan) -> bool:
    """Whether this lab decides if the cluster's firewall is on."""
    return "cluster-firewall" in plan.owns and any(node.managed for node in plan.nodes)


def named_segments(plan: LabPlan) -> tuple[VlanPlan, ...]:
    """The segments that the cluster's firewall has names for."""
    if not any(node.managed for node in plan.nodes):
        return ()
    return tuple(vlan for vlan in plan.vlans if vlan.managed)


def cluster_fw(plan: LabPlan) -> str:
    """`cluster.fw`: the switch where it is this lab's, and the names and groups of its segments."""
    segments = named_segments(plan)
    parts: list[str] = []
    if owns_switch(plan):
        parts.append(_options(_CLUSTER_OPTIONS))
    if segments:
        lines = [_commented(f"{_shared(plan, vlan)} {vlan.subnet}", vlan.purpose) for vlan in segments]
        parts.append(_section("ALIASES", lines))
    sets = {_shared(plan, vlan): ([vlan.subnet], vlan.purpose) for vlan in segments}
    if owns_switch(plan):
        sets[_MANAGEMENT] = (sorted(set(management(plan))), "who may reach the nodes")
    for name, (members, purpose) in sorted(sets.items()):
        parts.append(_section(f"IPSET {name}", members, comment=purpose))
    for vlan in segments:
        about = f"what segment {vlan.name} accepts from elsewhere"
        name = group_name(plan.environment, vlan.name)
        parts.append(_section(f"group {name}", map(_rule, vlan.rules), comment=about))
    return "\n".join(parts)


def management(plan: LabPlan) -> tuple[str, ...]:
    """The set `management` as this lab writes it: the operator's address, else its segment, and the nodes."""
    segment = tuple(vlan.subnet for vlan in plan.vlans if vlan.name == plan.operator_vlan)
    operator = (plan.operator_address,) if plan.operator_address else segment
    return (*operator, *(node.address for node in plan.nodes))


def host_fw(node: NodePlan) -> str:
    """`host.fw` of a node whose settings are this lab's: on, with the rules that flows and routes to it need."""
    rules = [_section("RULES", map(_rule, node.rules))] if node.rules else []
    return "\n".join([_options(_NODE_OPTIONS), *rules])


def guest_fw(guest: GuestPlan, groups: Mapping[str, str]) -> str:
    """`<vmid>.fw` of a guest.

    Args:
        guest: the guest.
        groups: the security groups of segments, by segment.
    """
    options = {
        "dhcp": str(int(any(nic.address is None for nic in guest.nics))),
        "enable": "1",
        "ipfilter": "0",
        "log_level_in": "nolog",
        "log_level_out": "nolog",
        "macfilter": "1",
        "ndp": "1",
        "policy_in": "DROP",
        "policy_out": "ACCEPT",
        "radv": "0",
    }
    lines = [*map(_rule, guest.rules), *_groups(guest, groups)]
    return "\n".join([_options(options), *([_section("RULES", lines)] if lines else [])])


def _groups(guest: GuestPlan, groups: Mapping[str, str]) -> Iterator[str]:
    for number, nic in enumerate(guest.nics):
        if nic.vlan in groups:
            yield _commented(f"GROUP {groups[nic.vlan]} -i net{number}", f"segment {nic.vlan}")


def _shared(plan: LabPlan, vlan: VlanPlan) -> str:
    return join(plan.environment, "vlan", vlan.name)


def _rule(rule: RulePlan) -> str:
    words = ["IN ACCEPT"]
    words += [f"-source {rule.source}"] if rule.source else []
    words += [f"-p {rule.protocol}"] if rule.protocol else []
    words += [f"-dport {rule.port}"] if rule.port else []
    return _commented(" ".join(words), rule.comment)


def _options(options: Mapping[str, str]) -> str:
    return _section("OPTIONS", [f"{name}: {value}" for name, value in options.items()])


def _section(header: str, lines: Iterable[str], *, comment: str = "") -> str:
    return "\n".join([_commented(f"[{header}]", comment), "", *lines, ""])


def _commented(line: str, comment: str) -> str:
    """A line with its comment, which ends with the line."""
    return f"{line} # {' '.join(comment.split())}" if comment else line
