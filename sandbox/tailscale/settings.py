"""`/settings`: the tailnet-wide switches. A PATCH changes the fields that it names; null leaves one alone."""

from sandbox.tailscale.errors import ApiError
from sandbox.tailscale.request import Call, Document, Reply, Route, boolean, refuse_unknown

_COLLECTION, _KEY = "tailscale/tailnet", "settings"
_DEFAULTS: Document = {
    "aclsExternallyManagedOn": False,
    "aclsExternalLink": "",
    "devicesApprovalOn": False,
    "devicesAutoUpdatesOn": False,
    "devicesKeyDurationDays": 180,
    "usersApprovalOn": False,
    "usersRoleAllowedToJoinExternalTailnets": "none",
    "networkFlowLoggingOn": False,
    "regionalRoutingOn": False,
    "postureIdentityCollectionOn": False,
    "httpsEnabled": False,
}


def _read(call: Call) -> Document:
    return _DEFAULTS | (call.transaction.get(_COLLECTION, _KEY) or {})


def _check(name: str, body: Document) -> None:
    value = body[name]
    if isinstance(_DEFAULTS[name], bool):
        boolean(body, name)
    elif name == "devicesKeyDurationDays":
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= 180:
            raise ApiError(400, f"{name} must be a number from 1 to 180")
    elif name == "usersRoleAllowedToJoinExternalTailnets":
        if value not in ("none", "admin", "member"):
            raise ApiError(400, f"{name} must be one of none, admin, member")
    elif not isinstance(value, str):
        raise ApiError(400, f"{name} must be a string")


def _get(call: Call) -> Reply:
    return Reply(document=_read(call))


def _edit(call: Call) -> Reply:
    body = call.document()
    refuse_unknown(body, tuple(_DEFAULTS))
    given = {name: value for name, value in body.items() if value is not None}
    for name in given:
        _check(name, given)
    settings = _read(call) | given
    call.transaction.put(_COLLECTION, _KEY, settings)
    return Reply(document=settings)


def routes() -> list[Route]:
    """The routes of this subject."""
    base = "/tailnet/{tailnet}/settings"
    return [("GET", base, _get), ("PATCH", base, _edit)]
