"""The tailnet's policy file: who owns each tag, which routes are approved, who may use them, who gets a shell.

Grants only: `acls` say the same in an older form. The policy carries tests of all that
it permits and of what lies beside it, so that the service refuses one that does not do
what the plan says. Its first line says whose it is and seals the rest
(`lab.render.policy_seal`).
"""

from collections.abc import Iterator
from typing import Any

from lab.plan.records import TailnetPlan
from lab.render.emit import json_text
from lab.render.policy_seal import sealed
from lab.render.tailnet_tests import SSH_PORT, ssh_tests, tests


def policy(tailnet: TailnetPlan) -> str:
    """The policy as HuJSON text (https://tailscale.com/kb/1337/policy-syntax)."""
    return sealed(json_text(_document(tailnet)), tailnet.environment)


def _document(tailnet: TailnetPlan) -> dict[str, Any]:
    document = {
        "groups": {f"group:{name}": list(users) for name, users in tailnet.groups.items()},
        "tagOwners": {tag: ["autogroup:admin"] for tag in tailnet.tags},
        "autoApprovers": {"routes": {route: [tag] for route, tag in tailnet.routes.items()}},
        "grants": list(_grants(tailnet)),
        "tests": tests(tailnet),
    }
    if tailnet.ssh:
        document["ssh"] = [
            {"action": rule.action, "src": [*rule.sources], "dst": [*rule.tags], "users": [*rule.users]}
            for rule in tailnet.ssh
        ]
        document["sshTests"] = ssh_tests(tailnet)
    return document


def _grants(tailnet: TailnetPlan) -> Iterator[dict[str, Any]]:
    for grant in tailnet.grants:
        yield {"src": list(grant.sources), "dst": [grant.destination], "ip": list(grant.ports)}
    for rule in tailnet.ssh:
        # A shell needs the network as well as the rule (https://tailscale.com/kb/1193/tailscale-ssh).
        yield {"src": list(rule.sources), "dst": list(rule.tags), "ip": [f"tcp:{SSH_PORT}"]}
