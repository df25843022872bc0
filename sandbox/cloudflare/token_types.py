"""Validation of token bodies with the request types of the official `cloudflare` package.

The package is imported when the first token is written. Its type for creation lacks `status`, which the official
plugin sends (plugin recordings), so both writes are held to the type for a change.
"""

from datetime import datetime
from ipaddress import ip_network
from typing import Any

from sandbox.cloudflare.errors import ApiError
from sandbox.cloudflare.request_types import type_problems

INVALID_TOKEN = 1001
"""The code of refusals of a token's body (cloudflare/cloudflare-docs, pull request 352)."""
_LONGEST_NAME = 120
"""Characters of a name (API description, `iam_name`)."""


def check_token_types(body: dict[str, Any], *, creating: bool) -> None:
    """Refuse a body that the official request types do not describe.

    Args:
        body: the writable fields.
        creating: whether the token is new: its policies then have no ids.

    Raises:
        ApiError: 400 with every problem found.
    """
    from cloudflare.types.user.token_update_params import TokenUpdateParams

    problems = type_problems(TokenUpdateParams, "a token", "", body)
    name = body.get("name")
    if isinstance(name, str) and not 1 <= len(name) <= _LONGEST_NAME:
        problems.append(f"name must have 1 to {_LONGEST_NAME} characters.")
    policies = body.get("policies")
    if isinstance(policies, list):
        for number, policy in enumerate(policies):
            problems += _policy_problems(f"policies.{number}", policy, creating=creating)
    elif "policies" in body:
        problems.append("policies must be a list.")
    if body.get("condition") is not None:
        problems += _condition_problems(body["condition"])
    problems += [
        f"{field} must be a date and a time."
        for field in ("not_before", "expires_on")
        if isinstance(body.get(field), str) and not _is_moment(body[field])
    ]
    if problems:
        raise ApiError(400, [(INVALID_TOKEN, problem) for problem in problems])


def _policy_problems(place: str, policy: Any, *, creating: bool) -> list[str]:
    from cloudflare.types.shared_params.token_policy import PermissionGroup, TokenPolicy

    if creating and isinstance(policy, dict) and "id" in policy:
        return ["Reusing existing policies is not supported by token creation"]
    if isinstance(policy, dict):
        policy = {name: value for name, value in policy.items() if name != "id"}
    problems = type_problems(TokenPolicy, "a policy", f"{place}.", policy)
    if problems:
        return problems
    groups = policy["permission_groups"]
    if not isinstance(groups, list):
        return [f"{place}.permission_groups must be a list."]
    place = f"{place}.permission_groups"
    return [
        problem
        for number, group in enumerate(groups)
        for problem in type_problems(PermissionGroup, "a permission group", f"{place}.{number}.", group)
    ]


def _condition_problems(condition: Any) -> list[str]:
    from cloudflare.types.user.token_update_params import Condition

    problems = type_problems(Condition, "a condition", "condition.", condition)
    wanted = condition.get("request_ip") if isinstance(condition, dict) else None
    if problems or wanted is None:
        return problems
    unknown = [
        f"condition.request_ip.{name} is not a field." for name in wanted if name not in ("in", "not_in")
    ]
    return unknown + [
        f"condition.request_ip.{name} must be a list of networks."
        for name in ("in", "not_in")
        if not _are_networks(wanted.get(name, []))
    ]


def _are_networks(found: Any) -> bool:
    if not isinstance(found, list):
        return False
    try:
        return all(isinstance(one, str) and ip_network(one, strict=False) for one in found)
    except ValueError:
        return False


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
