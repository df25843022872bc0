"""`/acl` and `/acl/validate`: the policy file of the tailnet.

The text is kept as it was sent, comments included. A policy that does not pass the checks is never
stored. `If-Match` protects against overwriting: an ETag of an earlier answer, or `ts-default` for "only if
nobody changed it yet". An empty body brings the default policy back, as the official provider does when it
resets.
"""

import base64
import hashlib
import json
from typing import Any

from sandbox.store import Transaction
from sandbox.tailscale.errors import ApiError, PolicyError
from sandbox.tailscale.hujson import HuJsonError, parse
from sandbox.tailscale.policy import DEFAULT_POLICY, check_policy
from sandbox.tailscale.policy_tests import has_unevaluated_tests
from sandbox.tailscale.request import Call, Reply, Route

_COLLECTION, _KEY = "tailscale/tailnet", "policy"
NOT_EVALUATED = "X-Homelab-Not-Evaluated"


def policy_text(transaction: Transaction) -> str:
    """The policy file as it is now."""
    found = transaction.get(_COLLECTION, _KEY)
    return str(found["text"]) if found else DEFAULT_POLICY


def current_policy(transaction: Transaction) -> dict[str, Any]:
    """The policy as it is now, read."""
    return check_policy(policy_text(transaction))


def _etag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()}"'


def _answer(call: Call, text: str) -> Reply:
    headers = {"ETag": _etag(text)}
    policy = check_policy(text)
    if has_unevaluated_tests(policy):
        headers[NOT_EVALUATED] = "posture conditions of tests and sshTests"
    accept = call.headers.get("accept", "")
    if "application/json" in accept and "hujson" not in accept:
        return Reply(document=parse(text), headers=headers)
    return Reply(text=text, content_type="application/hujson", headers=headers)


def _get(call: Call) -> Reply:
    text = policy_text(call.transaction)
    if call.query.get("details") in ("1", "true"):
        encoded = base64.b64encode(text.encode()).decode()
        document = {"acl": encoded, "warnings": [], "errors": []}
        return Reply(document=document, headers={"ETag": _etag(text)})
    return _answer(call, text)


def _check_precondition(call: Call) -> None:
    wanted = call.headers.get("if-match", "").strip().removeprefix("W/").strip('"')
    if not wanted:
        return
    if wanted == "ts-default":
        matches = call.transaction.get(_COLLECTION, _KEY) is None
    else:
        matches = f'"{wanted}"' == _etag(policy_text(call.transaction))
    if not matches:
        raise ApiError(412, "precondition failed, invalid old hash")


def _set(call: Call) -> Reply:
    _check_precondition(call)
    if not call.text.strip():
        call.transaction.delete(_COLLECTION, _KEY)
        return _answer(call, DEFAULT_POLICY)
    check_policy(call.text)
    call.transaction.put(_COLLECTION, _KEY, {"text": call.text})
    return _answer(call, call.text)


def _validate(call: Call) -> Reply:
    try:
        given = parse(call.text)
    except HuJsonError as problem:
        raise ApiError(400, f"hujson: {problem}") from None
    try:
        if isinstance(given, list):
            # A list holds tests for the policy that is in force.
            policy = check_policy(json.dumps(current_policy(call.transaction) | {"tests": given}))
        else:
            policy = check_policy(call.text)
    except PolicyError as problem:
        detail = {"data": problem.data} if problem.data else {}
        return Reply(document={"message": problem.message, **detail})
    unevaluated = has_unevaluated_tests(policy)
    headers = {NOT_EVALUATED: "posture conditions of tests and sshTests"} if unevaluated else {}
    return Reply(document={}, headers=headers)


def routes() -> list[Route]:
    """The routes of this subject."""
    base = "/tailnet/{tailnet}/acl"
    return [("GET", base, _get), ("POST", base, _set), ("POST", f"{base}/validate", _validate)]
