"""cloudflare:index/getDnsRecords:getDnsRecords: the records of a zone, page by page.

The official plugin asks for pages until one is empty, or until it has `maxItems`, 1,000 when not given
(cloudflare/terraform-provider-cloudflare, `list_data_source.go`).
"""

from __future__ import annotations

import json
from typing import Any

from sandbox.plugins.cloudflare.connection import Api
from sandbox.plugins.cloudflare.zone import camel
from sandbox.plugins.properties import names, number, string
from sandbox.plugins.resource import Function
from sandbox.plugins.values import Value, Values, integer, text

_MOST = 1000
_FILTERS = """comment content direction includeShadowMetadata match name order proxied search shadowedByName
    shadowingName tag tagMatch type"""
_DEFAULTS: Values = {"direction": "asc", "match": "all", "order": "type", "proxied": False, "tagMatch": "all"}


def get_dns_records(api: Api, arguments: Values) -> Values:
    """Every record of the zone as `results`, beside the arguments and the defaults of the filters."""
    zone_id = text(arguments, "zoneId")
    most = integer(arguments, "maxItems") if "maxItems" in arguments else _MOST
    found: list[dict[str, Any]] = []
    page = 1
    while records := api.get(f"/zones/{zone_id}/dns_records", {"page": str(page)} if page > 1 else None):
        found += records
        if len(found) >= most:
            break
        page += 1
    return {**_DEFAULTS, **arguments, "results": [_shown(record) for record in found[:most]]}


def _shown(record: dict[str, Any]) -> Value:
    """A record as Pulumi shows it: `meta`, which has no shape of its own, is JSON in a text."""
    return camel({**record, "meta": json.dumps(record.get("meta") or {})})


FUNCTION: Function[Api] = Function(
    token="cloudflare:index/getDnsRecords:getDnsRecords",
    arguments=(string("zoneId"), number("maxItems")),
    unsupported=names(_FILTERS),
    call=get_dns_records,
)
