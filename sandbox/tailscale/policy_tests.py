"""The sections `tests` and `sshTests` of a policy: their form, and then their outcome.

A test that is malformed, names something undefined, or finds the policy doing something else than it wants
refuses the policy, with the control plane's words. Not evaluated are conditions on a device's posture;
`has_unevaluated_tests` lets the server say so in every answer about such a policy.
"""

from typing import Any

from sandbox.tailscale import policy_outcomes
from sandbox.tailscale.errors import PolicyError
from sandbox.tailscale.rules import check_fields, check_ports, check_protocol, split_destination, strings
from sandbox.tailscale.selectors import Definitions

FAILED = "test(s) failed"
_TEST_FIELDS = ("src", "accept", "deny", "proto", "srcPostureAttrs", "user", "allow")
_SSH_FIELDS = ("src", "dst", "accept", "deny", "check", "srcPostureAttrs")
_PORTLESS = ("icmp", "ipv6-icmp")
_NOT_TESTABLE = ("autogroup:internet", "autogroup:danger-all", "*")


def _test_problems(test: dict[str, Any], names: Definitions) -> list[str]:
    problems = []
    source = test.get("src") or test.get("user")
    accepted, denied = strings(test, "accept") or strings(test, "allow"), strings(test, "deny")
    if not isinstance(source, str) or not source:
        problems.append("src must be specified")
    else:
        problems += _reference_problems(source, names)
    if not accepted and not denied:
        problems.append("accept or deny must be specified")
    for target in accepted + denied:
        try:
            selector, ports = split_destination(target)
            if not (ports == "0" and str(test.get("proto")).lower() in _PORTLESS):
                check_ports(ports)
            names.check(selector)
        except PolicyError as problem:
            problems.append(problem.message)
    try:
        check_protocol(test.get("proto"))
    except PolicyError as problem:
        problems.append(problem.message)
    return problems


def _reference_problems(selector: str, names: Definitions) -> list[str]:
    try:
        names.check(selector)
    except PolicyError as problem:
        return [problem.message]
    return []


def _ssh_problems(test: dict[str, Any], names: Definitions) -> list[str]:
    problems = []
    source = test.get("src")
    if not isinstance(source, str) or not source:
        problems.append("src must be specified")
    else:
        problems += _reference_problems(source, names)
    users = strings(test, "accept") + strings(test, "deny") + strings(test, "check")
    if not users:
        problems.append("accept, deny or check must be specified")
    if "" in users:
        problems.append('user "" is not valid')
    for target in strings(test, "dst"):
        problems += _reference_problems(target, names)
    return problems


def check_tests(policy: dict[str, Any], names: Definitions) -> None:
    """Check the form and the outcome of all tests.

    Raises:
        PolicyError: `test(s) failed` with the mistakes of each test as data.
    """
    failed = []
    for section, fields in (("tests", _TEST_FIELDS), ("sshTests", _SSH_FIELDS)):
        tests = policy.get(section) or []
        if not isinstance(tests, list):
            raise PolicyError(f"{section} must be a list")
        for given in tests:
            test = check_fields(given, fields, section)
            if section == "sshTests":
                for target in strings(test, "dst"):
                    if target in _NOT_TESTABLE:
                        raise PolicyError(f'SSH tests dst contains disallowed element "{target}"')
                problems = _ssh_problems(test, names) or policy_outcomes.ssh_problems(policy, names, test)
            else:
                problems = _test_problems(test, names) or policy_outcomes.test_problems(policy, names, test)
            if problems:
                failed.append({"user": str(test.get("src") or ""), "errors": problems})
    if failed:
        raise PolicyError(FAILED, failed)


def has_unevaluated_tests(policy: dict[str, Any]) -> bool:
    """Whether a policy has tests, and conditions on a device's posture beside them."""
    tests = [*(policy.get("tests") or []), *(policy.get("sshTests") or [])]
    rules = [rule for section in ("acls", "grants", "ssh") for rule in policy.get(section) or []]
    return bool(tests) and any(
        part.get("srcPosture") or part.get("srcPostureAttrs") for part in tests + rules
    )
