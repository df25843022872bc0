"""The calls on API tokens: minting, changing and revoking them, and the list of what they may be given."""

from typing import Any

from sandbox.cloudflare import zones as zone_store
from sandbox.cloudflare.call import Call, Result
from sandbox.cloudflare.errors import missing_token
from sandbox.cloudflare.listing import page_of
from sandbox.cloudflare.rights import GROUPS
from sandbox.cloudflare.tokens import COLLECTION, Token, build, digest_of, new_value, put


def verify_token(call: Call) -> Result:
    """That the token of the request is good."""
    message = {"code": 10000, "message": "This API Token is valid and active", "type": None}
    return {"id": call.bearer.id, "status": "active", **call.bearer.ends}, {"messages": [message]}


def list_permission_groups(call: Call) -> Result:
    """What a policy may give, by name and scope."""
    found = [
        group.shown()
        for group in GROUPS.values()
        if call.query.get("name", group.name) == group.name
        and call.query.get("scope", group.scope) == group.scope
    ]
    return found, {}


def list_tokens(call: Call) -> Result:
    """The minted tokens, oldest first unless asked otherwise; no values."""
    found = [kept["token"] for _, kept in call.transaction.list(COLLECTION)]
    found.sort(key=lambda token: (token["issued_on"], token["id"]))
    if call.query.get("direction") == "desc":
        found.reverse()
    part, info = page_of(found, call.query, size=20, largest=50)
    return part, {"result_info": info}


def _kept(call: Call) -> dict[str, Any]:
    kept: dict[str, Any] | None = call.transaction.get(COLLECTION, call.match["token"])
    if kept is None:
        raise missing_token()
    return kept


def get_token(call: Call) -> Result:
    """A token without its value."""
    return _kept(call)["token"], {}


def create_token(call: Call) -> Result:
    """A new token, and the only time that its value is shown."""
    token, value = _built(call, None), new_value()
    put(call.transaction, token, digest_of(value))
    return token | {"value": value}, {}


def replace_token(call: Call) -> Result:
    """A token with other rights; its value stays."""
    kept = _kept(call)
    token = _built(call, kept["token"])
    put(call.transaction, token, kept["digest"])
    return token, {}


def delete_token(call: Call) -> Result:
    """Revoke a token: from now on nothing is opened by it."""
    token = _kept(call)["token"]
    call.transaction.delete(COLLECTION, token["id"])
    return {"id": token["id"]}, {}


def _built(call: Call, previous: Token | None) -> Token:
    zones = frozenset(zone["id"] for zone in zone_store.all_zones(call.transaction))
    return build(call.body(), zones, previous)
