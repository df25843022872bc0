"""Zones: they exist from the start, one per apex that the sandbox was told of, and never change.

A zone's id follows from its name, so that a lab keeps its ids when the state is cleaned.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from sandbox.cloudflare.errors import not_authorised
from sandbox.store import Transaction

COLLECTION = "cloudflare/zones"
ACCOUNT_NAME = "homelab sandbox"
NAME_SERVERS = ("a.ns.cloudflare.com", "b.ns.cloudflare.com")
"""Those of every zone."""


def _identifier(*parts: str) -> str:
    return hashlib.sha256("\0".join(("cloudflare", *parts)).encode()).hexdigest()[:32]


def records_collection(zone: str) -> str:
    """The store collection of the records of a zone.

    Args:
        zone: its id.
    """
    return f"cloudflare/records/{zone}"


def zone_document(name: str) -> dict[str, Any]:
    """The document of an active zone on the free plan."""
    moment = "2026-01-01T00:00:00.000000Z"
    plan = {
        "id": _identifier("plan", "free"),
        "name": "Free Website",
        "price": 0,
        "currency": "USD",
        "frequency": "",
        "is_subscribed": False,
        "can_subscribe": False,
        "legacy_id": "free",
        "legacy_discount": False,
        "externally_managed": False,
    }
    return {
        "id": _identifier("zone", name),
        "name": name,
        "status": "active",
        "paused": False,
        "type": "full",
        "development_mode": 0,
        "name_servers": list(NAME_SERVERS),
        "original_name_servers": None,
        "original_registrar": None,
        "original_dnshost": None,
        "created_on": moment,
        "modified_on": moment,
        "activated_on": moment,
        "meta": {"step": 2, "custom_certificate_quota": 0, "page_rule_quota": 3, "phishing_detected": False},
        "owner": {"id": None, "type": "user", "email": None},
        "account": {"id": _identifier("account"), "name": ACCOUNT_NAME},
        "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        "plan": plan,
        "tenant": {"id": None, "name": None},
        "tenant_unit": {"id": None},
    }


def create_zones(transaction: Transaction, names: tuple[str, ...]) -> None:
    """Make the zones that do not exist yet; existing ones keep their records."""
    for name in names:
        document = zone_document(name.lower())
        if transaction.get(COLLECTION, document["id"]) is None:
            transaction.put(COLLECTION, document["id"], document)


def all_zones(transaction: Transaction) -> list[dict[str, Any]]:
    """All zones, by name."""
    return sorted((zone for _, zone in transaction.list(COLLECTION)), key=lambda zone: str(zone["name"]))


def need_zone(transaction: Transaction, identifier: str) -> dict[str, Any]:
    """The zone, or the refusal that Cloudflare gives for a zone that one may not see (403)."""
    zone: dict[str, Any] | None = transaction.get(COLLECTION, identifier)
    if zone is None:
        raise not_authorised()
    return zone


def select_zones(zones: list[dict[str, Any]], query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those of some zones that a listing asks for, by name, status and account."""
    wanted = query.get("name", "").lower()
    operator, _, text = wanted.partition(":")
    found = []
    for zone in zones:
        name = zone["name"]
        tests = {
            "equal": name == text,
            "contains": text in name,
            "starts_with": name.startswith(text),
            "ends_with": name.endswith(text),
            "not_equal": name != text,
        }
        if wanted and not tests.get(operator, name == wanted):
            continue
        if query.get("account.id", zone["account"]["id"]) != zone["account"]["id"]:
            continue
        if query.get("account.name", zone["account"]["name"]) != zone["account"]["name"]:
            continue
        if query.get("status", zone["status"]) != zone["status"]:
            continue
        found.append(zone)
    return found
