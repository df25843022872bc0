"""cloudflare:index/getApiTokenPermissionGroupsList:getApiTokenPermissionGroupsList: what a token may be given.

Of each group the official plugin shows its id, name and scopes (plugin recordings).
"""

from __future__ import annotations

from sandbox.plugins.cloudflare.connection import Api
from sandbox.plugins.properties import names, string
from sandbox.plugins.resource import Function
from sandbox.plugins.values import Values, text

_SHOWN = ("id", "name", "scopes")


def get_permission_groups(api: Api, arguments: Values) -> Values:
    """The groups as `results`, beside the arguments."""
    query = {key: text(arguments, key) for key in ("name", "scope") if text(arguments, key)}
    found = api.get("/user/tokens/permission_groups", query or None)
    return {**arguments, "results": [{key: group[key] for key in _SHOWN} for group in found]}


FUNCTION: Function[Api] = Function(
    token="cloudflare:index/getApiTokenPermissionGroupsList:getApiTokenPermissionGroupsList",
    arguments=(string("name"), string("scope")),
    unsupported=names("maxItems"),
    call=get_permission_groups,
)
