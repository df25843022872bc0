"""The tailnet policy file: reading it and checking it as the hosted control plane does.

Accepts HuJSON text. Checks sections, names, references, ports and the form of tests; the first mistake is
the answer. Not checked: whether users and domains belong to the tailnet (the sandbox has no users).
"""

from typing import Any

from sandbox.tailscale.definitions import check_definitions
from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.hujson import HuJsonError, parse
from sandbox.tailscale.policy_tests import check_tests
from sandbox.tailscale.rules import check_rules
from sandbox.tailscale.selectors import quoted
from sandbox.tailscale.ssh import check_ssh

SECTIONS = (
    "acls", "grants", "groups", "hosts", "ipsets", "tagOwners", "autoApprovers", "ssh", "nodeAttrs",
    "postures", "defaultSrcPosture", "tests", "sshTests", "derpMap", "disableIPv4", "oneCGNATRoute",
    "randomizeClientPort",
)  # fmt: skip

# What a new tailnet starts with: everybody may reach everything.
DEFAULT_POLICY = """// The sandbox's default policy: all devices may reach each other.
{
\t"grants": [
\t\t{"src": ["*"], "dst": ["*"], "ip": ["*"]},
\t],
\t"ssh": [
\t\t{
\t\t\t"action": "check",
\t\t\t"src":    ["autogroup:member"],
\t\t\t"dst":    ["autogroup:self"],
\t\t\t"users":  ["autogroup:nonroot", "root"],
\t\t},
\t],
}
"""


def read_policy(text: str) -> dict[str, Any]:
    """The policy that a HuJSON text describes; a section `ACLs` is read as `acls`.

    Raises:
        PolicyError: not HuJSON, not an object, or an unknown section.
    """
    try:
        found = parse(text)
    except HuJsonError as problem:
        raise PolicyError(f"hujson: {problem}") from None
    if not isinstance(found, dict):
        raise PolicyError("hujson: the policy file must be an object")
    by_lower = {name.lower(): name for name in SECTIONS}
    policy: dict[str, Any] = {}
    for name, value in found.items():
        if name.lower() not in by_lower:
            raise PolicyError(f"json: unknown field {quoted(name)}")
        policy[by_lower[name.lower()]] = value
    return policy


def check_policy(text: str) -> dict[str, Any]:
    """Read and check a policy file.

    Returns:
        The policy, sections by their canonical names.

    Raises:
        PolicyError: the first mistake, in the control plane's words.
    """
    policy = read_policy(text)
    names = check_definitions(policy)
    check_rules(policy, names)
    check_ssh(policy, names)
    check_tests(policy, names)
    return policy
