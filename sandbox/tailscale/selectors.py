"""Selectors of a policy: what may stand in `src`, `dst`, `target` and lists of approvers.

Owns the question whether a selector is well formed and refers to something that the policy defines. Texts
are those of the hosted control plane, from captures. Users are not checked for existence: the sandbox's
tailnet has no list of users.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from sandbox.tailscale.errors import PolicyError

AUTOGROUPS = frozenset(
    f"autogroup:{name}"
    for name in (
        "member", "tagged", "self", "internet", "danger-all", "admin", "owner", "it-admin", "network-admin",
        "billing-admin", "auditor", "shared", "nonroot",
    )
)  # fmt: skip
PEOPLE = AUTOGROUPS - {"autogroup:tagged", "autogroup:self", "autogroup:internet", "autogroup:danger-all"}
_DOMAIN_USERS = re.compile(r"^user:\*@[\w.-]+$")
_EMAIL = re.compile(r"^[^@\s:]+@[^@\s:]+$")


def quoted(text: Any) -> str:
    """A value in the quotes of an error text."""
    return json.dumps(text, ensure_ascii=False)


def is_prefix(text: str) -> bool:
    """Whether a text is an IP address, a subnet or a range `first-last` of addresses."""
    first, dash, last = text.partition("-")
    try:
        if dash:
            return ip_address(first) <= ip_address(last)  # type: ignore[operator]
        ip_network(text, strict=False)
    except (ValueError, TypeError):
        return False
    return True


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """What a policy defines and its rules may refer to."""

    groups: Mapping[str, Any]
    tags: Mapping[str, Any]
    hosts: Mapping[str, Any]
    ipsets: Mapping[str, Any]

    def check(self, selector: Any) -> None:
        """Refuse a selector that is malformed or refers to nothing.

        Raises:
            PolicyError: with the control plane's words, without the place of the selector.
        """
        if not isinstance(selector, str):
            raise PolicyError(f"{quoted(selector)}: must be a string")
        text = selector.strip()
        kind = text.partition(":")[0]
        if text == "*" or _DOMAIN_USERS.match(text):
            return
        defined = {"tag": self.tags, "group": self.groups, "ipset": self.ipsets}
        if kind in defined and ":" in text:
            if text not in defined[kind]:
                raise PolicyError(f"{kind} not found: {quoted(text)}")
        elif kind == "autogroup":
            if text not in AUTOGROUPS:
                raise PolicyError(f"{quoted(text)} is not a known autogroup")
        elif kind == "svc" and ":" in text:
            return
        elif text not in self.hosts and not _EMAIL.match(text) and not is_prefix(text):
            raise PolicyError(f"{quoted(selector)}: invalid address")

    def are_people(self, selectors: list[str]) -> bool:
        """Whether selectors mean users only, so that `autogroup:self` has a meaning for them."""
        return all(
            selector.startswith("group:") or selector in PEOPLE or "@" in selector for selector in selectors
        )
