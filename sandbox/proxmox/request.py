"""The parameters of an HTTP request: from its query and its body, every value that it gives for a name."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from sandbox.bodies import BodyError, read_json
from sandbox.proxmox.errors import ApiError


def parameters_of(method: str, kind: str, query: str, body: bytes) -> dict[str, list[str]]:
    """Name -> values, in order.

    Args:
        kind: the body's content type.
        query: what follows the question mark, still escaped.

    Raises:
        ApiError: a body that cannot be read.
    """
    text = query
    if method in ("POST", "PUT") and body:
        if kind == "application/json":
            return _of_json(body)
        if kind != "application/x-www-form-urlencoded":
            raise ApiError(415, f"the sandbox reads no body of type {kind}")
        form = body.decode(errors="replace")
        text = f"{query}&{form}" if query else form
    given: dict[str, list[str]] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        given.setdefault(key, []).append(value)
    return given


def _of_json(body: bytes) -> dict[str, list[str]]:
    try:
        found = read_json(body.decode(errors="replace"))
    except BodyError as problem:
        raise ApiError(400, f"the body cannot be read: {problem}") from None
    if not isinstance(found, dict):
        raise ApiError(400, "the body is not a JSON object")

    def text(value: Any) -> str:
        return str(int(value)) if isinstance(value, bool) else str(value)

    return {
        key: [text(item) for item in (value if isinstance(value, list) else [value])]
        for key, value in found.items()
        if value is not None
    }
