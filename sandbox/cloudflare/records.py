"""DNS records of a zone: building one from a request, and the rules between records.

Every record passes the official request types first, then the rules of its content, then those between
records: CNAME, A and AAAA of one name exclude each other's kind, NS excludes CNAME, identical ones are
refused. As at Cloudflare, TXT, MX and CAA may stand beside a CNAME.
"""

import secrets
from datetime import UTC, datetime
from typing import Any

from sandbox.cloudflare.contents import (
    PROXIABLE,
    WITH_DATA,
    content_problems,
    data_content,
    data_problems,
    txt_strings,
)
from sandbox.cloudflare.errors import ApiError
from sandbox.cloudflare.names import qualified
from sandbox.cloudflare.request_types import check_types

Record = dict[str, Any]
WRITABLE = ("name", "type", "content", "data", "ttl", "proxied", "priority", "comment", "tags", "settings")
AUTOMATIC = 1
_ADDRESS_TYPES = ("A", "AAAA", "CNAME")
_LONGEST_COMMENT = 500


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _rule_problems(kind: str, body: Record) -> list[tuple[int, str]]:
    problems: list[tuple[int, str]] = []
    if kind in WITH_DATA:
        problems += data_problems(kind, body.get("data"))
    else:
        problems += content_problems(kind, body.get("content") or "")
    ttl, proxied = body["ttl"], bool(body.get("proxied"))
    if ttl != AUTOMATIC and not 60 <= ttl <= 86400:
        problems.append((9021, "Invalid TTL. Must be between 60 and 86400 seconds, or 1 for Automatic."))
    elif proxied and ttl != AUTOMATIC:
        problems.append((9021, "Invalid TTL. Must be 1 (Automatic) when the record is proxied."))
    if proxied and kind not in PROXIABLE:
        problems.append((9004, "This record type cannot be proxied."))
    priority = body.get("priority")
    if kind in ("MX", "URI") and priority is None:
        problems.append((9100, "priority is a required field."))
    elif priority is not None and not 0 <= priority <= 65535:
        problems.append((9100, "priority must be a number from 0 to 65535."))
    if len(body.get("comment") or "") > _LONGEST_COMMENT:
        problems.append((9209, f"comment must have at most {_LONGEST_COMMENT} characters."))
    return problems


def build(body: Record, zone: Record, zones: tuple[str, ...], previous: Record | None = None) -> Record:
    """The record that a request describes, as the API shows it.

    Args:
        body: the writable fields.
        zone: the zone's document.
        zones: apexes of all zones, for names that plainly belong to another.
        previous: the record that is changed; its id and creation time stay.

    Raises:
        ApiError: 400 with every problem that this one record has.
    """
    check_types(body, zone["id"])
    kind = body["type"].upper()
    name = qualified(body["name"], zone["name"], zones)
    if problems := _rule_problems(kind, body):
        raise ApiError(400, problems)
    now, comment = _now(), body.get("comment")
    record: Record = {
        "id": previous["id"] if previous else secrets.token_hex(16),
        "name": name,
        "type": kind,
        "content": data_content(kind, body["data"]) if kind in WITH_DATA else body["content"],
        "proxiable": kind in PROXIABLE,
        "proxied": bool(body.get("proxied")),
        "ttl": int(body["ttl"]),
        "settings": body.get("settings") or ({"flatten_cname": False} if kind == "CNAME" else {}),
        "meta": {},
        "comment": comment,
        "tags": body.get("tags") or [],
        "created_on": previous["created_on"] if previous else now,
        "modified_on": now,
    }
    if kind in WITH_DATA:
        record["data"] = body["data"]
    if body.get("priority") is not None:
        record["priority"] = body["priority"]
    for field in ("comment", "tags"):
        if record[field]:
            kept = previous if previous and previous[field] == record[field] else {}
            record[f"{field}_modified_on"] = kept.get(f"{field}_modified_on", now)
    return record


def comparable(record: Record) -> str:
    """A record's content in the form in which two contents are compared."""
    content = str(record["content"])
    if record["type"] == "TXT":
        return "".join(txt_strings(content) or [content])
    # The root itself has nothing but its dot.
    return content.lower().removesuffix(".") or content


def refuse_conflict(record: Record, others: list[Record]) -> None:
    """Refuse (400) a record that cannot stand beside the others of its name.

    Args:
        record: the new or changed record.
        others: all other records of the zone.
    """
    same_name = [other for other in others if other["name"] == record["name"] and other["id"] != record["id"]]
    kind = record["type"]
    for other in same_name:
        if other["type"] == kind and comparable(other) == comparable(record):
            raise ApiError(400, [(81058, "An identical record already exists.")])
    kinds = {other["type"] for other in same_name}
    if (kind == "CNAME" and kinds & set(_ADDRESS_TYPES)) or (kind in _ADDRESS_TYPES and "CNAME" in kinds):
        raise ApiError(400, [(81053, "An A, AAAA, or CNAME record with that host already exists.")])
    if kind == "CNAME" and "NS" in kinds:
        raise ApiError(400, [(81056, "An NS record with that host already exists.")])
    if kind == "NS" and "CNAME" in kinds:
        raise ApiError(400, [(81053, "An A, AAAA, or CNAME record with that host already exists.")])
