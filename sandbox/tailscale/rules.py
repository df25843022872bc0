"""The sections `acls` and `grants`: fields, selectors, protocols and ports of access rules.

A refusal names the first mistake, as the hosted control plane does; its texts come from captures.
"""

from typing import Any

from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.selectors import Definitions, quoted

SELF = "autogroup:self"
_ACL_FIELDS = ("action", "src", "dst", "proto", "srcPosture", "users", "ports")
_GRANT_FIELDS = ("src", "dst", "ip", "app", "via", "srcPosture")
_EVERYTHING = ("0.0.0.0/0", "::/0")
_PROTOCOLS = (
    "igmp", "ipv4", "ip-in-ip", "tcp", "egp", "igp", "udp", "gre", "esp", "ah", "sctp", "icmp", "ipv6-icmp",
)  # fmt: skip
# Capabilities of Tailscale's own domain that a grant may give (seen accepted, or in its documentation).
_OWN_CAPABILITIES = tuple(
    f"tailscale.com/cap/{name}"
    for name in (
        "drive",
        "kubernetes",
        "relay",
        "webui",
        "golink",
        "tsidp",
        "file-sharing",
        "secrets",
        "ingress",
    )
)


def check_fields(rule: Any, known: tuple[str, ...], section: str) -> dict[str, Any]:
    """A rule as an object whose fields are all known."""
    if not isinstance(rule, dict):
        raise PolicyError(f"{section}: {quoted(rule)} must be an object")
    for field in rule:
        if field not in known:
            raise PolicyError(f"json: unknown field {quoted(field)}")
    return rule


def strings(rule: dict[str, Any], field: str) -> list[str]:
    """A field that is a list of strings; missing and null count as empty."""
    found = rule.get(field)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise PolicyError(f"{field} must be a list of strings")
    return [entry.strip() for entry in found]


def check_protocol(proto: Any) -> None:
    """Refuse a protocol that is neither a known name nor a number from 1 to 255."""
    text = str(proto or "")
    known = text.lower() in _PROTOCOLS or (text.isdigit() and 1 <= int(text) <= 255)
    if text and not known:
        raise PolicyError(f"proto={quoted(proto)} is not a known protocol")


def check_ports(ports: str) -> None:
    """Refuse what is not `*`, or a list of ports and ranges from 1 to 65535."""
    if ports == "*":
        return
    for part in ports.split(","):
        first, dash, last = part.strip().partition("-")
        place = f"port range {quoted(part.strip())}: "
        if not first.isdigit():
            raise PolicyError(f"{place}invalid first integer")
        if dash and not last.isdigit():
            raise PolicyError(f"{place}invalid last integer")
        if int(first) == 0:
            raise PolicyError(f"{place}first port must be >0, or use '*' for wildcard")
        if int(last or first) > 65535 or int(last or first) < int(first):
            raise PolicyError(f"{place}ports must go up, and to 65535 at most")


def split_destination(text: str) -> tuple[str, str]:
    """`selector:ports` at its last colon; refused when there is none."""
    selector, colon, ports = text.rpartition(":")
    if not colon or not selector or not ports:
        raise PolicyError(
            f"dst={quoted(text)}: a port is missing; write selector:port, or selector:* for all"
        )
    return selector, ports


def _check_sources(sources: list[str], names: Definitions) -> None:
    for source in sources:
        if source == SELF:
            raise PolicyError(f"{quoted(source)} not valid on the src side of a rule")
        try:
            names.check(source)
        except PolicyError as problem:
            raise PolicyError(f"src={problem.message}") from None


def _check_self(sources: list[str], names: Definitions) -> None:
    if not names.are_people(sources):
        raise PolicyError("autogroup:self can only be used with users, groups, or supported autogroups")


def _check_acl(given: Any, names: Definitions) -> None:
    rule = check_fields(given, _ACL_FIELDS, "acls")
    action = rule.get("action")
    if action != "accept":
        raise PolicyError(f"{quoted(action)} is not a valid action")
    sources = strings(rule, "src") or strings(rule, "users")
    targets = strings(rule, "dst") or strings(rule, "ports")
    check_protocol(rule.get("proto"))
    _check_sources(sources, names)
    for target in targets:
        selector, ports = split_destination(target)
        try:
            names.check(selector)
            check_ports(ports)
        except PolicyError as problem:
            place = target if problem.message.startswith("port range") else selector
            raise PolicyError(f"dst={quoted(place)}: {problem.message}") from None
        if selector == SELF and sources != ["*"]:
            _check_self(sources, names)


def _check_ip(entry: str) -> None:
    proto, colon, ports = entry.rpartition(":")
    if colon:
        check_protocol(proto)
    check_ports(ports)


def _check_app(app: Any, targets: list[str]) -> None:
    if not isinstance(app, dict):
        raise PolicyError("app must be an object")
    for capability in app:
        domain = capability.partition("/")[0]
        if domain == "tailscale.com" and capability not in _OWN_CAPABILITIES:
            raise PolicyError("capability name must not be in the tailscale.com domain")
        if "/" not in capability:
            raise PolicyError(f"capability name {quoted(capability)} must be of the form domain/name")
    if app and "autogroup:internet" in targets:
        raise PolicyError("cannot use app grants with autogroup:internet")


def _check_grant(given: Any, names: Definitions) -> None:
    rule = check_fields(given, _GRANT_FIELDS, "grants")
    sources, targets, ip = strings(rule, "src"), strings(rule, "dst"), strings(rule, "ip")
    if not ip and not rule.get("app"):
        raise PolicyError("ip and app can not both be empty")
    _check_sources(sources, names)
    for target in targets:
        if target == "autogroup:danger-all":
            raise PolicyError("cannot use autogroup:danger-all as a dst")
        if target in _EVERYTHING:
            raise PolicyError(
                f'dst {quoted(target)}: to allow all IP addresses, use "*" or "autogroup:internet"'
            )
        try:
            names.check(target)
        except PolicyError as problem:
            raise PolicyError(f"dst={problem.message}") from None
        if target == SELF:
            _check_self(sources, names)
    for entry in ip:
        _check_ip(entry)
    _check_app(rule.get("app") or {}, targets)
    for via in strings(rule, "via"):
        if via not in names.tags:
            raise PolicyError(f"tag {quoted(via)} not found")


def check_rules(policy: dict[str, Any], names: Definitions) -> None:
    """Check all rules of `acls` and `grants`.

    Raises:
        PolicyError: the first mistake.
    """
    for section, check in (("acls", _check_acl), ("grants", _check_grant)):
        rules = policy.get(section) or []
        if not isinstance(rules, list):
            raise PolicyError(f"{section} must be a list")
        for rule in rules:
            check(rule, names)
