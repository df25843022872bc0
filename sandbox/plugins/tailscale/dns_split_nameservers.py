"""tailscale:index/dnsSplitNameservers:DnsSplitNameservers: the name servers of one domain.

Each domain is changed by a PATCH that names it alone, so that the rest of the tailnet's DNS is somebody else's.
Delete sends an empty list. A domain that is gone stays in the state without servers after a refresh, so that the
next update brings it back; the order of servers does not count.
"""

from __future__ import annotations

from sandbox.plugins.properties import string, string_set
from sandbox.plugins.resource import Dialect, Existing, ResourceType
from sandbox.plugins.tailscale.connection import Api
from sandbox.plugins.values import Values, strings, text

_DOMAIN = (
    "Domain to configure split DNS for. Requests for this domain will be resolved using the provided nameservers."
    " Changing this will force the resource to be recreated."
)


def _state(domain: str, servers: list[str]) -> Values:
    return {"domain": domain, "nameservers": [*servers]}


class SplitCalls:
    """The requests of one domain's name servers."""

    def create(self, client: Api, inputs: Values) -> Existing:
        """PATCH the domain, which is the id."""
        domain, servers = text(inputs, "domain"), sorted(strings(inputs, "nameservers"))
        client.set_split_dns(domain, servers)
        return Existing(id=domain, state=_state(domain, servers))

    def read(self, client: Api, id: str, state: Values) -> Existing | None:
        """GET all domains and look for this one; one that is gone has no servers."""
        return Existing(id=id, state=_state(id, sorted(client.split_dns().get(id, []))))

    def update(self, client: Api, id: str, state: Values, inputs: Values) -> Values:
        """PATCH the domain."""
        servers = sorted(strings(inputs, "nameservers"))
        client.set_split_dns(id, servers)
        return _state(id, servers)

    def delete(self, client: Api, id: str, state: Values) -> None:
        """PATCH the domain with no servers."""
        client.set_split_dns(id, [])


TYPE: ResourceType[Api] = ResourceType(
    token="tailscale:index/dnsSplitNameservers:DnsSplitNameservers",
    dialect=Dialect.FRAMEWORK,
    properties=(
        string("domain", required=True, replace=True, description=_DOMAIN),
        string_set("nameservers", required=True),
    ),
    calls=SplitCalls(),
)
