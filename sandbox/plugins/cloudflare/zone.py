"""cloudflare:index/getZone:getZone: one zone, by id or by a filter on its name.

With a filter the official plugin asks for the list first and then for the zone itself; exactly one must
match.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.plugins.cloudflare.connection import Api
from sandbox.plugins.properties import block, expected_one_of, names, string
from sandbox.plugins.resource import CallError, Function
from sandbox.plugins.values import Value, Values, text
from sandbox.plugins.values import block as block_of

ONE_OF = "Exactly one of these attributes must be configured: [zone_id,filter]"


def camel(found: Any) -> Value:
    """The API's JSON with camelCase names, as Pulumi shows it."""
    if isinstance(found, dict):
        return {_camel_name(key): camel(item) for key, item in found.items() if item is not None}
    if isinstance(found, list):
        return [camel(item) for item in found]
    return found  # type: ignore[no-any-return]


def _camel_name(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)


def get_zone(api: Api, arguments: Values) -> Values:
    """The zone's properties, with `zoneId` and the filter that was used."""
    zone_id, wanted = text(arguments, "zoneId"), block_of(arguments, "filter")
    if bool(zone_id) == bool(wanted):
        problem = "Invalid Attribute Combination" if zone_id else "Missing Attribute Configuration"
        raise CallError(f"{problem}: {ONE_OF}")
    if wanted:
        zone_id = _find(api, wanted)
    found = camel(api.get(f"/zones/{zone_id}"))
    assert isinstance(found, dict)
    return {**found, "zoneId": zone_id, **({"filter": wanted} if wanted else {})}


def _find(api: Api, wanted: Values) -> str:
    query = {key: text(wanted, key) for key in ("match", "name") if text(wanted, key)}
    zones = api.get("/zones", query)
    if len(zones) != 1:
        listed = ", ".join(sorted(zone["name"] for zone in zones)) or "none"
        raise CallError(
            f"failed to find exactly one zone for the filter {query}: found {listed}. Check the"
            " domain of the lab, and"
            " that the token may read the zone."
        )
    return str(zones[0]["id"])


FUNCTION: Function[Api] = Function(
    token="cloudflare:index/getZone:getZone",
    arguments=(
        string("zoneId"),
        block(
            "filter",
            [string("match", required=True, rules=(expected_one_of("any", "all"),)), string("name")],
            unsupported="account direction order status types",
        ),
    ),
    unsupported=names(""),
    call=get_zone,
)
