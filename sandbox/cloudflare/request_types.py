"""Validation of bodies with the request types of the official `cloudflare` package.

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
def _adapter(declared: Any) -> tuple[TypeAdapter[Any], frozenset[str]]:
    return TypeAdapter(declared), frozenset(get_type_hints(declared))


@cache
def _declared(kind: str, field: str | None) -> Any:
    declared = _record_classes()[kind]
    return declared if field is None else get_type_hints(declared)[field]


def type_problems(declared: Any, what: str, prefix: str, value: Any, *, strict: bool = True) -> list[str]:
    """What an official request type has against a value: one sentence for each field.

    Args:
        declared: the type.
        what: what a value of it is, such as `A records`.
        prefix: where in the body it is, such as `data.`; empty for the body itself.
        value: the value.
        strict: whether a text is no number.
    """
    adapter, known = _adapter(declared)
    if not isinstance(value, dict):
        return [f"{prefix.removesuffix('.')} must be an object."]
    problems = [f"{prefix}{name} is not a field of {what}." for name in value if name not in known]
    try:
        adapter.validate_python({k: v for k, v in value.items() if k in known}, strict=strict)
    except ValidationError as error:
        seen = []
        for problem in error.errors(include_url=False, include_input=False):
            place = ".".join(str(part) for part in problem["loc"][:1])
            if place not in seen:
                seen.append(place)
                problems.append(f"{prefix}{place}: {problem['msg']}.")
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
    what = f"{kind} records"
    whole = _declared(kind, None)
    problems = type_problems(whole, what, "", {**outer, "type": kind, "zone_id": zone_id})
    for field in ("data", "settings"):
        if body.get(field) is None:
            continue
        if field in _adapter(whole)[1]:
            problems += type_problems(_declared(kind, field), what, f"{field}.", body[field], strict=False)
        else:
            problems.append(f"{field} is not a field of {what}.")
    if problems:
        raise ApiError(400, [(INVALID_BODY, f"Request body is invalid. {problem}") for problem in problems])
