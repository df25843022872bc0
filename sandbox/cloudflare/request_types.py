"""Validation of record bodies with the request types of the official `cloudflare` package.

The types say which fields a record type has and what their values are; a field that the type does not have
is refused, because the API would drop it silently. The package is imported when the first record is
written, never when the sandbox starts (about 0.3 s).
"""

from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from sandbox.cloudflare.errors import ApiError

INVALID_BODY = 9207


@cache
def _record_classes() -> dict[str, Any]:
    from cloudflare.types.dns import record_create_params as params

    names = [name for name in params.__all__ if name.endswith("Record")]
    return {
        name.removeprefix("DNSRecords").removesuffix("Record").upper(): getattr(params, name)
        for name in names
    }


@cache
def _adapter(kind: str, field: str | None) -> tuple[TypeAdapter[Any], frozenset[str]]:
    declared = _record_classes()[kind]
    if field is not None:
        declared = get_type_hints(declared)[field]
    return TypeAdapter(declared), frozenset(get_type_hints(declared))


def _problems(kind: str, field: str | None, value: Any, *, strict: bool) -> list[tuple[int, str]]:
    adapter, known = _adapter(kind, field)
    prefix = f"{field}." if field else ""
    if not isinstance(value, dict):
        return [(INVALID_BODY, f"Request body is invalid. {field} must be an object.")]
    problems = [
        (INVALID_BODY, f"Request body is invalid. {prefix}{name} is not a field of {kind} records.")
        for name in value
        if name not in known
    ]
    try:
        adapter.validate_python({k: v for k, v in value.items() if k in known}, strict=strict)
    except ValidationError as error:
        seen = []
        for problem in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in problem["loc"][:1])
            if place not in seen:
                seen.append(place)
                text = f"Request body is invalid. {prefix}{place}: {problem['msg']}."
                problems.append((INVALID_BODY, text))
    return problems


def check_types(body: dict[str, Any], zone_id: str) -> None:
    """Refuse a record body that the official request types do not describe.

    Args:
        body: a complete record (for a PATCH: after merging), without computed fields.
        zone_id: the zone of the path, which the types want as a field.

    Raises:
        ApiError: 400 with code 9207 and every problem found.
    """
    kind = body.get("type")
    if not isinstance(kind, str) or kind.upper() not in _record_classes():
        known = ", ".join(sorted(_record_classes()))
        raise ApiError(400, [(9207, f"Request body is invalid. type must be one of {known}.")])
    kind = kind.upper()
    outer = {
        key: value for key, value in body.items() if key not in ("data", "settings") and value is not None
    }
    problems = _problems(kind, None, {**outer, "type": kind, "zone_id": zone_id}, strict=True)
    for field in ("data", "settings"):
        if body.get(field) is None:
            continue
        if field in _adapter(kind, None)[1]:
            problems += _problems(kind, field, body[field], strict=False)
        else:
            problems.append(
                (INVALID_BODY, f"Request body is invalid. {field} is not a field of {kind} records.")
            )
    if problems:
        raise ApiError(400, problems)
