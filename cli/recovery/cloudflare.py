"""Pending creates at Cloudflare: DNS records, by zone, type, name and content."""

from collections.abc import Mapping
from typing import Any

from cli.recovery.asking import JsonApi
from cli.recovery.findings import Finding, absent, found, text, undecided
from cli.recovery.state import Operation

RECORD = "cloudflare:index/dnsRecord:DnsRecord"


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


class CloudflareZones:
    """The zones of an account.

    Args:
        address: its API, such as `https://api.cloudflare.com/client/v4`.
        token: an API token that may read the zones' records.
    """

    def __init__(self, address: str, token: str) -> None:
        self._api = JsonApi(name="cloudflare", address=address, authorization=f"Bearer {token}")

    def find(self, operation: Operation) -> Finding:
        """Look one record up."""
        if operation.type != RECORD:
            return undecided(operation, "`lab recover` does not know this type; look for it in the dashboard")
        inputs = operation.inputs
        query = {"type": text(inputs, "type"), "name": text(inputs, "name"), "per_page": "100"}
        answer = self._api.get(f"zones/{text(inputs, 'zoneId')}/dns_records", query)
        for record in answer["result"] or []:
            if record["id"] not in operation.taken and is_record(record, inputs):
                return found(operation, str(record["id"]))
        return absent(operation)
