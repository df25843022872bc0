"""The sections of a policy that define names or belong to devices, not to rules.

`groups`, `tagOwners`, `hosts`, `ipsets`, `autoApprovers`, `nodeAttrs`: forms of names, members, and
references between them.
"""

import re
from ipaddress import IPv4Network, ip_network
from typing import Any

from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.rules import check_fields, strings
from sandbox.tailscale.selectors import Definitions, is_prefix, quoted

_TAG = re.compile(r"^tag:[a-zA-Z][a-zA-Z0-9-]*$")
_HOST = re.compile(r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$")
_CGNAT = IPv4Network("100.64.0.0/10")
# Addresses inside the tailnet's range that no pool may use (service, and Chromebook networks).
_RESERVED = tuple(ip_network(text) for text in ("100.100.0.0/24", "100.100.100.0/24", "100.115.92.0/23"))


def section(policy: dict[str, Any], name: str) -> dict[str, Any]:
    """A section that is an object; missing and null count as empty."""
    found = policy.get(name) or {}
    if not isinstance(found, dict):
        raise PolicyError(f"{name} must be an object")
    return found


def _members(container: dict[str, Any], name: str, place: str) -> list[str]:
    try:
        return strings(container, name)
    except PolicyError:
        raise PolicyError(f"{place}[{quoted(name)}]: must be a list of strings") from None


def _check_groups(groups: dict[str, Any]) -> None:
    for name in sorted(groups, reverse=True):
        if not name.startswith("group:") or name == "group:":
            raise PolicyError(f"groups[{quoted(name)}]: group names must start with 'group:'")
        for member in _members(groups, name, "groups"):
            if member.startswith("group:"):
                raise PolicyError(
                    f"groups[{quoted(name)}]: {quoted(member)}: group members cannot be recursive"
                )
            if "@" not in member:
                raise PolicyError(f"groups[{quoted(name)}]: {quoted(member)}: group members must be users")


def _check_tag_owners(names: Definitions) -> None:
    for tag in names.tags:
        place = f"tagOwners[{quoted(tag)}]"
        if not tag.startswith("tag:"):
            raise PolicyError(f"{place}: tag names must start with 'tag:'")
        if not re.match(r"^tag:[a-zA-Z]", tag):
            raise PolicyError(f"{place}: tag names must start with a letter, after 'tag:'")
        if not _TAG.match(tag):
            raise PolicyError(f"{place}: tag names can only contain numbers, letters, or dashes")
        for owner in _members(dict(names.tags), tag, "tagOwners"):
            _check_owner(owner, names, place)


def _check_owner(owner: str, names: Definitions, place: str) -> None:
    if owner == "*" or is_prefix(owner) or owner in names.hosts:
        raise PolicyError(f"{place}: {quoted(owner)}: must be a user, a group, an autogroup or a tag")
    try:
        names.check(owner)
    except PolicyError as problem:
        raise PolicyError(f"{place}: {problem.message}") from None


def _check_hosts(hosts: dict[str, Any]) -> None:
    for name, address in hosts.items():
        if not _HOST.match(name):
            raise PolicyError(f"hosts[{quoted(name)}]: invalid host name")
        if not isinstance(address, str) or not is_prefix(address):
            raise PolicyError(f"hosts[{quoted(name)}]: {quoted(address)}: invalid address")


def _check_approvers(policy: dict[str, Any], names: Definitions) -> None:
    approvers = check_fields(
        section(policy, "autoApprovers"), ("routes", "exitNode", "services"), "autoApprovers"
    )
    routes = section(approvers, "routes")
    for route in routes:
        try:
            ip_network(route)
        except ValueError:
            raise PolicyError(f"autoApprovers.routes[{quoted(route)}]: invalid prefix") from None
    lists = [(f"routes[{quoted(r)}]", _members(routes, r, "autoApprovers.routes")) for r in routes]
    lists.append(("exitNode", strings(approvers, "exitNode")))
    services = section(approvers, "services")
    lists += [(f"services[{quoted(s)}]", _members(services, s, "autoApprovers.services")) for s in services]
    for place, members in lists:
        for member in members:
            _check_owner(member, names, f"autoApprovers.{place}")


def _check_pool(text: str) -> None:
    try:
        pool = ip_network(text)
    except ValueError:
        raise PolicyError(f"IPPool({text}): invalid prefix") from None
    if not isinstance(pool, IPv4Network) or not pool.subnet_of(_CGNAT):
        raise PolicyError(f"IPPool({text}): must be within {_CGNAT}")
    if any(pool.overlaps(reserved) for reserved in _RESERVED):
        raise PolicyError(f"IPPool({text}): network within reserved range")


def _check_node_attributes(policy: dict[str, Any], names: Definitions) -> None:
    entries = policy.get("nodeAttrs") or []
    if not isinstance(entries, list):
        raise PolicyError("nodeAttrs must be a list")
    for given in entries:
        entry = check_fields(given, ("target", "attr", "app", "ipPool"), "nodeAttrs")
        for target in strings(entry, "target"):
            names.check(target)
        strings(entry, "attr")
        for pool in strings(entry, "ipPool"):
            _check_pool(pool)


def check_definitions(policy: dict[str, Any]) -> Definitions:
    """Check the defining sections and give what rules may refer to.

    Raises:
        PolicyError: the first mistake.
    """
    names = Definitions(
        groups=section(policy, "groups"),
        tags=section(policy, "tagOwners"),
        hosts=section(policy, "hosts"),
        ipsets=section(policy, "ipsets"),
    )
    _check_groups(dict(names.groups))
    _check_hosts(dict(names.hosts))
    _check_tag_owners(names)
    _check_approvers(policy, names)
    _check_node_attributes(policy, names)
    return names
