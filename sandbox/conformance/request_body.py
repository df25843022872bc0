"""An HTTP request as recordings write it: query and form as objects, JSON parsed, archives listed."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a plugin asked; `headers` are those that recordings keep."""

    method: str
    path: str
    query: dict[str, Any]
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def fields(text: str) -> dict[str, Any]:
    """A query or form as an object; repeated keys as a list."""
    found = parse_qs(text, keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def request_of(method: str, target: str, content: bytes, headers: Any) -> Request:
    """The request in the form of recordings."""
    parts = urlsplit(target)
    kept = {name: headers[name] for name in ("Accept", "Content-Type", "If-Match") if headers.get(name)}
    body = _body(content, headers.get("Content-Type") or "")
    return Request(method=method, path=parts.path, query=fields(parts.query), body=body, headers=kept)


def _body(content: bytes, kind: str) -> Any:
    if not content:
        return None
    if content[257:262] == b"ustar" or "x-tar" in kind:
        return {"tar": _files(content)}
    text = content.decode(errors="replace")
    if "form-urlencoded" in kind:
        return fields(text)
    if "hujson" in kind:
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _files(content: bytes) -> list[dict[str, Any]]:
    found = []
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive.getmembers():
            file = archive.extractfile(member)
            text = file.read().decode(errors="replace") if file else ""
            found.append(
                {"name": member.name, "mode": oct(member.mode), "size": member.size, "content": text}
            )
    return found
