"""What the bearer of a token may do: permission groups, each on the resources that a policy names.

Names, ids and scopes of the groups are those of Cloudflare's list (`/user/tokens/permission_groups`); which of them
opens a call is what its API description says (`x-api-token-group`). A `deny` is stronger than any `allow`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

ZONE = "com.cloudflare.api.account.zone"
"""The scope of groups that work on zones, and how the name of a zone as a resource begins."""
USER = "com.cloudflare.api.user"
"""What groups work on that concern the owner of a token."""

ZONE_READ, DNS_READ, DNS_WRITE = "Zone Read", "DNS Read", "DNS Write"
TOKENS_READ, TOKENS_WRITE = "API Tokens Read", "API Tokens Write"


@dataclass(frozen=True, kw_only=True)
class PermissionGroup:
    """A right that a policy may give."""

    id: str
    name: str
    category: str
    scope: str = ZONE

    def shown(self) -> dict[str, Any]:
        """As the list shows it."""
        return {"id": self.id, "name": self.name, "scopes": [self.scope], "category": self.category}


GROUPS: Mapping[str, PermissionGroup] = {
    group.id: group
    for group in (
        PermissionGroup(id="4755a26eedb94da69e1066d98aa820be", name=DNS_WRITE, category="dns_and_zones"),
        PermissionGroup(id="82e64a83756745bbbb1c9c2701bf816b", name=DNS_READ, category="dns_and_zones"),
        PermissionGroup(id="c8fed203ed3043cba015a93ad1616f1f", name=ZONE_READ, category="dns_and_zones"),
    )
}
"""The groups that a minted token may have here, by their ids: those on what the sandbox plays."""


def zone_resource(identifier: str) -> str:
    """The name of a zone as a resource.

    Args:
        identifier: its id, or `*` for every zone of the account.
    """
    return f"{ZONE}.{identifier}"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Rights on resources, given or taken."""

    allows: bool
    groups: frozenset[str]
    """Names of permission groups."""
    resources: frozenset[str]

    def covers(self, wanted: frozenset[str], resource: str) -> bool:
        """Whether it speaks of any of these groups on this resource."""
        every = f"{resource.rpartition('.')[0]}.*"
        return bool(self.groups & wanted) and bool(self.resources & {resource, every})


@dataclass(frozen=True, kw_only=True)
class Bearer:
    """Whoever sends a request.

    Attributes:
        id: of the token.
        policies: what it may do.
        ends: what `/user/tokens/verify` says about the time in which it is good.
    """

    id: str
    policies: tuple[Policy, ...]
    ends: Mapping[str, str]

    def may(self, wanted: frozenset[str], resource: str) -> bool:
        """Whether any of these groups is given on a resource, and not taken."""
        spoken = [policy.allows for policy in self.policies if policy.covers(wanted, resource)]
        return bool(spoken) and all(spoken)


def _all_of(groups: Iterable[str], resource: str) -> Policy:
    return Policy(allows=True, groups=frozenset(groups), resources=frozenset({resource}))


OF_THE_LAB = _all_of((ZONE_READ, DNS_WRITE), zone_resource("*"))
"""What the lab's own token may do: every zone that the sandbox was told of is the lab's."""
OF_THE_MAKER = _all_of((TOKENS_WRITE,), USER)
"""What the credential may do that makes tokens: that, and nothing else."""
