"""One request to the simulated engine and its reply, apart from the web framework.

Owns the reading of query and body. A handler is a plain function from `Call` to `Reply`; it runs inside
one store transaction, so a refusal leaves nothing behind.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.docker.simulated.errors import EngineError
from sandbox.docker.simulated.state import Document, EngineState

FALSE_WORDS = ("", "0", "no", "false", "none")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """Status, body and headers of an answer; `document` is sent as JSON, `raw` as it is."""

    status: int = 200
    document: Any = None
    raw: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request with the state that it may read and change."""

    state: EngineState
    match: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean of the query as the engine reads it: everything but 0, no, false, none is true."""
        value = self.query.get(name)
        return default if value is None else value.strip().lower() not in FALSE_WORDS

    def document(self) -> Document:
        """The JSON body as an object; an empty body is an empty object.

        Raises:
            EngineError: 400 when the body is not a JSON object.
        """
        if not self.body.strip():
            return {}
        try:
            found = json.loads(self.body)
        except ValueError as problem:
            raise EngineError(400, f"invalid JSON: {problem}") from None
        if not isinstance(found, dict):
            raise EngineError(400, "invalid JSON: the body must be an object")
        return found

    def filters(self, known: tuple[str, ...]) -> dict[str, list[str]]:
        """The `filters` of a listing: name -> values, in both notations of the API.

        Args:
            known: filter names that this listing understands; any other is refused (400).
        """
        text = self.query.get("filters", "")
        if not text:
            return {}
        try:
            given = json.loads(text)
            filters = {
                name: list(values) if isinstance(values, list | dict) else [str(values)]
                for name, values in given.items()
            }
        except (ValueError, AttributeError):
            raise EngineError(400, f"invalid filters: {text}") from None
        for name in filters:
            if name not in known:
                raise EngineError(400, f"Invalid filter '{name}'")
        return filters


Handler = Callable[[Call], Reply]


@dataclass(frozen=True, kw_only=True)
class Route:
    """A method and path (below the optional version prefix) and who answers it."""

    method: str
    path: str
    handler: Handler


def labels_match(labels: Mapping[str, str] | None, wanted: list[str]) -> bool:
    """Whether labels satisfy every `key` or `key=value` of a label filter."""
    have = labels or {}
    for entry in wanted:
        key, equals, value = entry.partition("=")
        if key not in have or (equals and have[key] != value):
            return False
    return True
