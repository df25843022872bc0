"""cloudflare:index/dnsRecord:DnsRecord.

A change of `type` or `zoneId` replaces, the new record first; everything else is a PUT. An existing record is
not
adopted. A short name is kept and not reported as a change against the full name that the API gives back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sandbox.plugins.cloudflare.connection import Api, Missing
from sandbox.plugins.properties import block, boolean, names, number, one_of, string, string_list
from sandbox.plugins.resource import CallError, Dialect, Existing, ResourceType
from sandbox.plugins.values import UNKNOWN, Value, Values, flag, integer, text
from sandbox.plugins.values import block as block_of

RECORD_TYPES = (
    *("A", "AAAA", "CNAME", "MX", "NS", "OPENPGPKEY", "PTR", "TXT", "CAA", "CERT", "DNSKEY", "DS", "HTTPS"),
    *("LOC", "NAPTR", "SMIMEA", "SRV", "SSHFP", "SVCB", "TLSA", "URI"),
)
TTL_TEXT = (
    "Time To Live (TTL) of the DNS record in seconds. Setting to 1 means 'automatic'. Value must be"
    " between 60 and"
    " 86400, with the minimum reduced to 30 for Enterprise zones."
)
TYPE_TEXT = "Record type. Available values: " + ", ".join(f'"{name}"' for name in RECORD_TYPES) + "."
PROXIED_TTL = (
    "ttl must be set to 1 when `proxied` is true: When a DNS record is marked as `proxied` the TTL"
    " must be 1 as"
    " Cloudflare will control the TTL internally."
)
AUTOMATIC = 1  # the ttl of proxied records
# Upstream takes `data.flags` as a number or a text; both pass a plugin-framework text unchanged.
OTHER_DATA = """algorithm altitude certificate digest digestType fingerprint keyTag latDegrees latDirection
latMinutes
    latSeconds longDegrees longDirection longMinutes longSeconds matchingType order port precisionHorz
    precisionVert
    preference priority protocol publicKey regex replacement selector service size target type usage weight"""

PROPERTIES = (
    string("zoneId", required=True, replace=True, description="Identifier of the zone."),
    string(
        "name", required=True, description="Complete DNS record name, including the zone name, in Punycode."
    ),
    string("type", required=True, replace=True, rules=(one_of(*RECORD_TYPES),), description=TYPE_TEXT),
    number("ttl", required=True, description=TTL_TEXT),
    string("content", computed=True),
    block("data", [string("flags"), string("tag"), string("value")], unsupported=OTHER_DATA),
    boolean("proxied", planned_default=False),
    string("comment"),
    string("commentModifiedOn", output=True),
    string("createdOn", output=True),
    string("modifiedOn", output=True),
    string("meta", output=True),
    boolean("proxiable", output=True),
    block("settings", [], output=True),
    string_list("tags", output=True),
    string("tagsModifiedOn", output=True),
)


def check(name: str, inputs: Values) -> Iterator[str]:
    """Content and data exclude each other."""
    if inputs.get("content") is not None and inputs.get("data") is not None:
        for one, other in (("data", "content"), ("content", "data")):
            sentence = f'Attribute "{other}" cannot be specified when "{one}" is specified'
            yield f"Invalid Attribute Combination. {sentence}. Examine values at '{name}.{one}'."


def also_changed(state: Values, inputs: Values, changed: frozenset[str]) -> frozenset[str]:
    """Drop a name that only differs in its form; add the dates that an update touches."""
    if "name" in changed and _same_name(text(state, "name"), inputs.get("name")):
        changed -= {"name"}
    if not changed:
        return changed
    comment = {"commentModifiedOn"} if "comment" in changed else set()
    return changed | {"modifiedOn"} | comment


def _same_name(full: str, given: Value) -> bool:
    """Whether a name of the program means the API's full name: `@`, a short name, or with a final dot."""
    if not isinstance(given, str):
        return False
    name = given.removesuffix(".")
    return given == "@" or full == name or full.startswith(f"{name}.")


def plan(planned: Values, state: Values | None) -> Values:
    """Without a comment there is no date of its change; tags and settings are the API's own business."""
    if planned.get("comment") is None and planned.get("commentModifiedOn") is UNKNOWN and state is None:
        del planned["commentModifiedOn"]
    return planned


def _body(inputs: Values) -> dict[str, Any]:
    proxied = flag(inputs, "proxied")
    if proxied and integer(inputs, "ttl") != AUTOMATIC:
        raise CallError(PROXIED_TTL)
    body: dict[str, Any] = {name: inputs[name] for name in ("name", "type", "ttl")}
    body["proxied"] = proxied
    for name in ("content", "data", "comment"):
        if inputs.get(name) is not None:
            body[name] = inputs[name]
    return body


SETTINGS = {"flattenCname": "flatten_cname", "ipv4Only": "ipv4_only", "ipv6Only": "ipv6_only"}


def _settings(found: dict[str, Any]) -> Values:
    """The settings of a record that has any; those that the API leaves out are off."""
    return {name: found.get(key, False) for name, key in SETTINGS.items()} if found else {}


def _kept(state: Values) -> dict[str, Any]:
    """What an update sends again of a record that has settings, or it would be reset."""
    settings = block_of(state, "settings")
    if not settings:
        return {}
    return {
        "settings": {key: settings.get(name, False) for name, key in SETTINGS.items()},
        "tags": state.get("tags") or [],
    }


def _existing(zone_id: str, found: dict[str, Any], asked: Values) -> Existing:
    """The outputs; after create and update name and content stay as asked."""
    state: Values = {
        "zoneId": zone_id,
        "name": found.get("name"),
        "type": found.get("type"),
        "ttl": found.get("ttl"),
        "content": found.get("content"),
        "data": asked.get("data") or found.get("data"),
        "proxied": found.get("proxied", False),
        "comment": found.get("comment"),
        "commentModifiedOn": found.get("comment_modified_on"),
        "createdOn": found.get("created_on"),
        "modifiedOn": found.get("modified_on"),
        "meta": json.dumps(found.get("meta") or {}),
        "proxiable": found.get("proxiable"),
        "settings": _settings(found.get("settings") or {}),
        "tags": found.get("tags") or [],
        "tagsModifiedOn": found.get("tags_modified_on"),
        **{name: asked[name] for name in ("name", "content") if asked.get(name) is not None},
    }
    return Existing(id=found["id"], state={name: value for name, value in state.items() if value is not None})


class RecordCalls:
    """The requests of a DNS record."""

    def create(self, client: Api, inputs: Values) -> Existing:
        """POST the record."""
        zone_id = text(inputs, "zoneId")
        return _existing(zone_id, client.post(f"/zones/{zone_id}/dns_records", _body(inputs)), inputs)

    def read(self, client: Api, id: str, state: Values) -> Existing | None:
        """GET the record; an import gives `<zone id>/<record id>`."""
        zone_id, record_id = text(state, "zoneId"), id
        if not zone_id:
            zone_id, slash, record_id = id.partition("/")
            if not slash:
                expected = '"<zone_id>/<dns_record_id>"'
                raise CallError(f'invalid ID: expected urlencoded segments {expected}, got "{id}"')
        try:
            found = client.get(f"/zones/{zone_id}/dns_records/{record_id}")
        except Missing:
            return None
        return _existing(zone_id, found, {"data": state.get("data")})

    def update(self, client: Api, id: str, state: Values, inputs: Values) -> Values:
        """PUT the whole record."""
        zone_id = text(inputs, "zoneId")
        return _existing(
            zone_id, client.put(f"/zones/{zone_id}/dns_records/{id}", _body(inputs) | _kept(state)), inputs
        ).state

    def delete(self, client: Api, id: str, state: Values) -> None:
        """DELETE the record; one that is gone is an error, officially too."""
        client.delete(f"/zones/{text(state, 'zoneId')}/dns_records/{id}")


TYPE: ResourceType[Api] = ResourceType(
    token="cloudflare:index/dnsRecord:DnsRecord",
    dialect=Dialect.FRAMEWORK,
    properties=PROPERTIES,
    unsupported=names("includeShadowMetadata priority privateRouting settings tags"),
    calls=RecordCalls(),
    check=check,
    diff=also_changed,
    plan=plan,
)
