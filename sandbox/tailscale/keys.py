"""`/keys`: auth keys with which devices join the tailnet.

The key itself is answered once, at creation; the store keeps its hash. Tags must be defined in the policy
file. Only auth keys are made here: OAuth clients and federated identities are refused by name.
"""

import hashlib
import re
import secrets
import string
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.tailscale.acl import current_policy
from sandbox.tailscale.errors import ApiError
from sandbox.tailscale.request import (
    Call,
    Document,
    Reply,
    Route,
    boolean,
    object_field,
    refuse_unknown,
    string_list,
    text_field,
)

COLLECTION = "tailscale/keys"
DEFAULT_EXPIRY = LONGEST_EXPIRY = 90 * 86400
_USER = "uSANDBOXCNTRL"
_ALPHABET = string.ascii_letters + string.digits
_DESCRIPTION = re.compile(r"[a-zA-Z0-9 -]{0,50}")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse_undefined_tags(call: Call, tags: list[str]) -> None:
    """Refuse (400) tags that the policy file does not define.

    Args:
        call: the request.
        tags: the tags that a key or device shall have.
    """
    owners: dict[str, Any] = current_policy(call.transaction).get("tagOwners") or {}
    wrong = [tag for tag in tags if tag not in owners]
    if wrong:
        raise ApiError(400, f"requested tags [{' '.join(wrong)}] are invalid or not permitted")


def _expiry(body: Document) -> int:
    value = body.get("expirySeconds") or DEFAULT_EXPIRY
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LONGEST_EXPIRY:
        raise ApiError(400, f"expirySeconds must be a number from 1 to {LONGEST_EXPIRY}")
    return value


def _description(body: Document) -> str:
    value = text_field(body, "description")
    if not _DESCRIPTION.fullmatch(value):
        raise ApiError(
            400, "description must have at most 50 characters: letters, digits, hyphens and spaces"
        )
    return value


def _create(call: Call) -> Reply:
    body = call.document()
    kind = text_field(body, "keyType", "auth")
    if kind != "auth":
        raise ApiError(400, f"the sandbox makes auth keys only, not keys of type {kind!r}")
    refuse_unknown(body, ("keyType", "description", "capabilities", "expirySeconds", "userId"))
    capabilities = object_field(body, "capabilities")
    if capabilities.get("devices") is None:
        raise ApiError(400, "capabilities.devices is required")
    asked = object_field(object_field(capabilities, "devices"), "create")
    refuse_unknown(asked, ("reusable", "ephemeral", "preauthorized", "tags"))
    tags = string_list(asked, "tags")
    refuse_undefined_tags(call, tags)
    create: Document = {name: boolean(asked, name) for name in ("reusable", "ephemeral", "preauthorized")}
    now, seconds = datetime.now(UTC), _expiry(body)
    identifier = f"k{_random(10)}CNTRL"
    secret = f"tskey-auth-{identifier}-{_random(32)}"
    document: Document = {
        "id": identifier,
        "keyType": "auth",
        "description": _description(body),
        "created": _stamp(now),
        "expires": _stamp(now + timedelta(seconds=seconds)),
        "expirySeconds": seconds,
        "capabilities": {"devices": {"create": {**create, "tags": tags}}},
        "userId": text_field(body, "userId", _USER),
    }
    stored = document | {"hash": hashlib.sha256(secret.encode()).hexdigest()}
    call.transaction.put(COLLECTION, identifier, stored)
    return Reply(document=document | {"key": secret})


def _shown(stored: Document) -> Document:
    shown = {name: value for name, value in stored.items() if name != "hash"}
    if stored["expires"] <= _stamp(datetime.now(UTC)):
        shown["invalid"] = True
    return shown


def _need(call: Call) -> Document:
    found: Document | None = call.transaction.get(COLLECTION, call.match["key"])
    if found is None:
        raise ApiError(404, "key not found")
    return found


def _list(call: Call) -> Reply:
    shown = [_shown(stored) for _, stored in call.transaction.list(COLLECTION)]
    return Reply(document={"keys": [key for key in shown if not key.get("invalid")]})


def _get(call: Call) -> Reply:
    return Reply(document=_shown(_need(call)))


def _update(call: Call) -> Reply:
    _need(call)
    # The API description lets only OAuth clients and federated identities be updated.
    raise ApiError(400, "an auth key cannot be updated: create another one and delete this one")


def _delete(call: Call) -> Reply:
    call.transaction.delete(COLLECTION, _need(call)["id"])
    return Reply()


def routes() -> list[Route]:
    """The routes of this subject."""
    base = "/tailnet/{tailnet}/keys"
    return [
        ("GET", base, _list),
        ("POST", base, _create),
        ("GET", f"{base}/{{key}}", _get),
        ("PUT", f"{base}/{{key}}", _update),
        ("DELETE", f"{base}/{{key}}", _delete),
    ]
