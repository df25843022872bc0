"""API tokens: building one from a request, and who comes with which.

The value of a token is in the answer to its creation and nowhere else: the store has its digest. Times and
addresses outside which a token is not good are kept to, as its rights are.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from sandbox.cloudflare.errors import ApiError
from sandbox.cloudflare.rights import GROUPS, Bearer, Policy, zone_resource
from sandbox.cloudflare.token_types import INVALID_TOKEN, check_token_types
from sandbox.store import Transaction

COLLECTION = "cloudflare/tokens"
Token = dict[str, Any]
_VALUE_BYTES = 30
"""40 characters, the least that the API description allows."""


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def new_value() -> str:
    """The value of a new token."""
    return secrets.token_urlsafe(_VALUE_BYTES)


def build(body: Token, zones: frozenset[str], previous: Token | None = None) -> Token:
    """The token that a request describes, as the API shows it.

    Args:
        body: the writable fields.
        zones: ids of the account's zones.
        previous: the token that is changed; its id, its time of issue and the ids of its policies stay.

    Raises:
        ApiError: 400 with every problem that it has.
    """
    check_token_types(body, creating=previous is None)
    problems = [problem for policy in body["policies"] for problem in _problems(policy, zones)]
    if problems:
        raise ApiError(400, [(INVALID_TOKEN, problem) for problem in dict.fromkeys(problems)])
    now = _now()
    kept = [policy["id"] for policy in previous["policies"]] if previous else []
    ids = kept + [secrets.token_hex(16) for _ in body["policies"][len(kept) :]]
    token: Token = {
        "id": previous["id"] if previous else secrets.token_hex(16),
        "name": body["name"],
        "status": body.get("status", "active"),
        "issued_on": previous["issued_on"] if previous else now,
        "modified_on": now,
        "policies": [_policy(id, policy) for id, policy in zip(ids, body["policies"], strict=False)],
    }
    return token | {
        name: body[name] for name in ("condition", "not_before", "expires_on") if body.get(name) is not None
    }


def _problems(policy: Token, zones: frozenset[str]) -> list[str]:
    known = ", ".join(group.name for group in GROUPS.values())
    problems = [
        f"Permission group not found: the sandbox has {known}"
        for group in policy["permission_groups"]
        if group["id"] not in GROUPS
    ]
    there = {zone_resource(zone) for zone in (*zones, "*")}
    for resource, access in policy["resources"].items():
        if resource not in there:
            problems.append(f"Resource not found: {resource} is no zone of this account")
        elif access != "*":
            problems.append(f"Access to {resource} must be *")
    return problems


def _policy(identifier: str, policy: Token) -> Token:
    """A policy with its groups as the API gives them back: by id, with their names."""
    groups = sorted({group["id"] for group in policy["permission_groups"]})
    return {
        "id": identifier,
        "effect": policy["effect"],
        "resources": policy["resources"],
        "permission_groups": [{"id": group, "name": GROUPS[group].name} for group in groups],
    }


def put(transaction: Transaction, token: Token, digest: str) -> None:
    """Write a token with the digest of its value."""
    transaction.put(COLLECTION, token["id"], {"digest": digest, "token": token})


def digest_of(value: str) -> str:
    """What is kept of a value; it is random and long, so that one round is enough."""
    return hashlib.sha256(value.encode(errors="surrogateescape")).hexdigest()


def bearer_of(transaction: Transaction, value: str, *, now: datetime, address: str) -> Bearer | None:
    """Who comes with a value; None where no token has it, or one that is not good now and from there."""
    digest = digest_of(value)
    for _, kept in transaction.list(COLLECTION):
        if hmac.compare_digest(kept["digest"], digest):
            return _bearer(kept["token"]) if _is_good(kept["token"], now, address) else None
    return None


def _bearer(token: Token) -> Bearer:
    policies = tuple(
        Policy(
            allows=policy["effect"] == "allow",
            groups=frozenset(group["name"] for group in policy["permission_groups"]),
            resources=frozenset(policy["resources"]),
        )
        for policy in token["policies"]
    )
    ends: dict[str, str] = {name: token[name] for name in ("not_before", "expires_on") if name in token}
    return Bearer(id=token["id"], policies=policies, ends=ends)


def _is_good(token: Token, now: datetime, address: str) -> bool:
    begun = "not_before" not in token or moment(token["not_before"]) <= now
    ended = "expires_on" in token and moment(token["expires_on"]) <= now
    return bool(token["status"] == "active" and begun and not ended and _is_from(token, address))


def moment(text: str) -> datetime:
    """A time as the API writes it; one without a zone is UTC."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_from(token: Token, address: str) -> bool:
    wanted: Mapping[str, list[str]] = (token.get("condition") or {}).get("request_ip") or {}
    inside = _is_in(address, wanted["in"]) if wanted.get("in") else True
    return inside and not _is_in(address, wanted.get("not_in") or [])


def _is_in(address: str, networks: list[str]) -> bool:
    return any(ip_address(address) in ip_network(network, strict=False) for network in networks)
