"""What of the Proxmox firewall is in force, as `status --format json` shows it."""

from collections.abc import Sequence
from typing import Any

from sandbox.portfilter.limits import NOT_ENFORCED


def report(
    problem: str | None, *, enabled: bool = False, ports: Sequence[str] = (), ignored: Sequence[str] = ()
) -> dict[str, Any]:
    """The document.

    Args:
        problem: why nothing, or not the newest, is in force; None where all is.
        enabled: whether the cluster's firewall is on.
        ports: those whose guests' rules are in force.
        ignored: what has no effect on Proxmox VE either, a sentence each.
    """
    return {
        "enforced": problem is None,
        "problem": problem,
        "enabled": enabled,
        "ports": list(ports),
        "ignored": list(ignored),
        "not_enforced": list(NOT_ENFORCED),
    }
