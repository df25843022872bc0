"""Filters, order and pages of a listing, as the query of Cloudflare's API words them."""

from collections.abc import Mapping
from typing import Any

from sandbox.cloudflare.errors import ApiError

Document = dict[str, Any]
_TEXT_FIELDS = ("name", "content", "comment")
_OPERATORS = ("exact", "contains", "startswith", "endswith")
_FLAGS = ("present", "absent")
_OTHERS = (
    "type", "proxied", "match", "order", "direction", "page", "per_page", "search", "tag_match", "account.id",
    "account.name", "status", "include_shadow_metadata",
)  # fmt: skip


def _number(query: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = query.get(name, str(default))
    try:
        value = int(float(text))
    except (ValueError, OverflowError):
        value = low - 1
    if not low <= value <= high:
        raise ApiError(400, [(9103, f"{name} must be a number from {low} to {high}.")])
    return value


def page_of(
    found: list[Document], query: Mapping[str, str], *, size: int, largest: int
) -> tuple[list[Document], Document]:
    """One page of a result, and its `result_info`.

    Args:
        found: everything that was selected.
        query: `page` and `per_page`.
        size: default of `per_page`.
        largest: largest `per_page`.
    """
    page = _number(query, "page", 1, 1, 10**9)
    per_page = _number(query, "per_page", size, 1, largest)
    part = found[(page - 1) * per_page : page * per_page]
    info = {
        "page": page,
        "per_page": per_page,
        "count": len(part),
        "total_count": len(found),
        "total_pages": max(1, -(-len(found) // per_page)),
    }
    return part, info


def _text_matches(value: str, operator: str, wanted: str) -> bool:
    have, want = value.lower(), wanted.lower()
    if operator == "contains":
        return want in have
    if operator == "startswith":
        return have.startswith(want)
    if operator == "endswith":
        return have.endswith(want)
    return have == want


def _tests(record: Document, query: Mapping[str, str]) -> list[bool]:
    tests = []
    for key, wanted in query.items():
        field, _, operator = key.partition(".")
        value = str(record.get(field) or "")
        if field in _TEXT_FIELDS and operator in _FLAGS:
            tests.append(bool(value) == (operator == "present"))
        elif field in _TEXT_FIELDS and operator in ("", *_OPERATORS):
            tests.append(_text_matches(value, operator, wanted))
        elif key == "type":
            tests.append(value == wanted.upper())
        elif key == "proxied":
            tests.append(record["proxied"] == (wanted.lower() == "true"))
        elif key not in _OTHERS:
            raise ApiError(400, [(9103, f"{key} is not a filter that the sandbox knows.")])
    return tests


def select_records(records: list[Document], query: Mapping[str, str]) -> list[Document]:
    """The records that satisfy all filters (any of them with `match=any`), in the order asked for.

    Raises:
        ApiError: 400 for an unknown filter, order or match.
    """
    some = query.get("match", "all")
    if some not in ("all", "any"):
        raise ApiError(400, [(9103, "match must be all or any.")])
    combine = any if some == "any" else all
    found = []
    for record in records:
        tests = _tests(record, query)
        if not tests or combine(tests):
            found.append(record)
    search = query.get("search", "").lower()
    if search:
        found = [r for r in found if search in f"{r['name']} {r['content']} {r['comment'] or ''}".lower()]
    order = query.get("order", "name")
    if order not in ("type", "name", "content", "ttl", "proxied"):
        raise ApiError(400, [(9103, "order must be one of type, name, content, ttl, proxied.")])
    found.sort(key=lambda record: (record[order], record["name"], record["type"], record["content"]))
    return found[::-1] if query.get("direction") == "desc" else found
