"""The tailnet's policy file: who owns the tag, which routes are approved, who may use them.

Grants only: `acls` say the same in an older form. Each grant carries its own test, so
that the service that enforces the policy also refuses one that does not do what it says.
"""

from typing import Any

from lab.plan.records import GrantPlan, TailnetPlan
from lab.render.emit import json_text


def policy(tailnet: TailnetPlan) -> str:
    """The policy as JSON text (https://tailscale.com/kb/1337/policy-syntax)."""
    document: dict[str, Any] = {
        "groups": {f"group:{name}": list(users) for name, users in tailnet.groups.items()},
        "tagOwners": {tailnet.tag: ["autogroup:admin"]},
        "autoApprovers": {"routes": {route: [tailnet.tag] for route in tailnet.routes}},
        "grants": [
            {"src": list(grant.sources), "dst": [grant.destination], "ip": list(grant.ports)}
            for grant in tailnet.grants
        ],
        "tests": [test for grant in tailnet.grants for test in _tests(tailnet, grant)],
    }
    return json_text(document)


def _tests(tailnet: TailnetPlan, grant: GrantPlan) -> list[dict[str, Any]]:
    """One test for each group of a grant: its first user reaches the port, the first one of a range."""
    users = [tailnet.groups.get(source.removeprefix("group:"), ()) for source in grant.sources]
    address = grant.destination.partition("/")[0]
    ports = [port.removeprefix("tcp:") for port in grant.ports if port.startswith("tcp:")]
    accepted = [f"{address}:{port.partition('-')[0]}" for port in ports]
    return [{"src": members[0], "accept": accepted} for members in users if members and accepted]
