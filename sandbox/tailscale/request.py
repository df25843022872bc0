"""One request to the API and its reply, apart from the web framework, and small checks of bodies."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.bodies import BodyError, read_json
from sandbox.store import Transaction
from sandbox.tailscale.errors import ApiError

Document = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Body and headers of an answer with status 200; `text` replaces the JSON document."""

    document: Any = None
    text: str | None = None
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request inside its store transaction; header names are lower case."""

    transaction: Transaction
    match: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    text: str

    def document(self) -> Document:
        """The JSON object of the body; refused (400) when it is none."""
        found = read_json(self.text)
        if not isinstance(found, dict):
            raise BodyError("it is not an object")
        return found


Handler = Callable[[Call], Reply]
Route = tuple[str, str, Handler]


def refuse_unknown(body: Document, known: tuple[str, ...]) -> None:
    """Refuse (400) a field that the request does not have; it would be lost silently."""
    for name in body:
        if name not in known:
            raise ApiError(400, f"json: unknown field {json.dumps(name)}")


def object_field(body: Document, name: str) -> Document:
    """An object in a field; null and missing give an empty one, anything else is refused (400)."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ApiError(400, f"{name} must be an object")
    return value


def text_field(body: Document, name: str, default: str = "") -> str:
    """A text field; null, empty and missing give the default, anything else is refused (400)."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, str):
        raise ApiError(400, f"{name} must be a string")
    return value or default


def boolean(body: Document, name: str, default: bool = False) -> bool:
    """A boolean field; null and missing give the default, anything else is refused (400)."""
    value = body.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise ApiError(400, f"{name} must be true or false")
    return value


def string_list(body: Document, name: str) -> list[str]:
    """A list of strings; null and missing give an empty one, anything else is refused (400)."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise ApiError(400, f"{name} must be a list of strings")
    return value
