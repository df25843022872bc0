"""Proxmox firewall rules from plan records.

A rule of a record accepts; what no rule accepts is dropped by the policy of its guest.
Empty matchers are left out, because the provider sends them as empty strings.
"""

from typing import Any

from lab.plan.records import RulePlan


def accept(rule: RulePlan) -> dict[str, Any]:
    """The arguments of one rule, the same for guests and for security groups."""
    matchers = {
        "source": rule.source,
        "dport": rule.port,
        "proto": rule.protocol,
        "comment": rule.comment,
    }
    return {"type": "in", "action": "ACCEPT", **{key: value for key, value in matchers.items() if value}}
