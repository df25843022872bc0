"""Pending creates at Cloudflare: DNS records, by zone, type, name and content, and API tokens by name and rights.

The value of a token is shown once, to the one who makes it. One that the killed engine made is useless, and is
replaced: the engine makes another and revokes it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cli.recovery.asking import JsonApi
from cli.recovery.findings import Finding, absent, found, incomplete, text, undecided
from cli.recovery.state import Operation

RECORD = "cloudflare:index/dnsRecord:DnsRecord"
TOKEN = "cloudflare:index/apiToken:ApiToken"
_PAGE = 50
"""The most tokens that one answer has."""


def is_record(record: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether a record of the API is what was to be created; Cloudflare allows no two equal ones."""
    same = (
        str(record.get("type")) == text(inputs, "type")
        and str(record.get("name")).lower() == text(inputs, "name").lower()
    )
    wanted = inputs.get("data")
    if not isinstance(wanted, Mapping):
        return same and str(record.get("content")) == text(inputs, "content")
    data = record.get("data") or {}
    return same and all(_same(data.get(key), value) for key, value in wanted.items() if key != "__defaults")


def _same(one: Any, other: Any) -> bool:
    """The state holds numbers as fractions, and Cloudflare takes some of them as text."""
    try:
        return float(one) == float(other)
    except (TypeError, ValueError):
        return str(one) == str(other)


def is_token(token: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    """Whether a token of the API is what was to be created: its name, and what it may do where."""
    wanted = [
        (
            policy["effect"],
            {group["id"] for group in policy["permissionGroups"]},
            json.loads(policy["resources"]),
        )
        for policy in inputs.get("policies") or ()
    ]
    there = [
        (policy["effect"], {group["id"] for group in policy["permission_groups"]}, policy["resources"])
        for policy in token.get("policies") or ()
    ]
    return str(token.get("name")) == text(inputs, "name") and wanted == there


def _api(address: str, token: str) -> JsonApi:
    return JsonApi(name="cloudflare", address=address, authorization=f"Bearer {token}")


class CloudflareZones:
    """The zones of an account.

    Args:
        address: its API, such as `https://api.cloudflare.com/client/v4`.
        token: an API token that may read the zones' records.
        maker: gives the credential that makes tokens.
    """

    def __init__(self, address: str, token: str, maker: Callable[[], str]) -> None:
        self._address, self._maker = address, maker
        self._api = _api(address, token)

    def find(self, operation: Operation) -> Finding:
        """Look one object up."""
        if operation.type == TOKEN:
            return self._token(operation)
        if operation.type != RECORD:
            return undecided(operation, "`lab recover` does not know this type; look for it in the dashboard")
        inputs = operation.inputs
        query = {"type": text(inputs, "type"), "name": text(inputs, "name"), "per_page": "100"}
        answer = self._api.get(f"zones/{text(inputs, 'zoneId')}/dns_records", query)
        for record in answer["result"] or []:
            if record["id"] not in operation.taken and is_record(record, inputs):
                return found(operation, str(record["id"]))
        return absent(operation)

    def _token(self, operation: Operation) -> Finding:
        same = [
            token
            for token in _tokens(_api(self._address, self._maker()))
            if token["id"] not in operation.taken and is_token(token, operation.inputs)
        ]
        if not same:
            return absent(operation)
        newest = max(same, key=lambda token: str(token.get("issued_on", "")))
        return incomplete(operation, str(newest["id"]), "its value was lost with the engine")


def _tokens(api: JsonApi) -> Iterator[Mapping[str, Any]]:
    page = 1
    while found := api.get("user/tokens", {"page": str(page), "per_page": str(_PAGE)})["result"]:
        yield from found
        page += 1
