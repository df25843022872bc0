"""Reading recorded conversations: gzipped JSON Lines, one case a line, as the recordings' README describes."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.conformance.errors import ConformanceError

PROVIDER = "pulumi:providers:"
KINDS = frozenset(
    {
        "check", "diff", "create", "read", "update", "delete", "invoke", "world", "check_config",
        "diff_config", "configure", "handshake", "get_plugin_info",
    }
)  # fmt: skip
# What a request of each kind cannot be made without.
_NEEDED = {
    "check": ("news", "olds"),
    "diff": ("id", "olds", "news"),
    "create": ("properties", "preview"),
    "read": ("id", "properties", "inputs"),
    "update": ("id", "olds", "news", "preview"),
    "delete": ("id", "properties"),
    "invoke": ("token", "args"),
    "configure": ("args",),
    "check_config": ("news",),
    "diff_config": ("olds", "news"),
}

Step = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One recorded conversation.

    Attributes:
        id: `<type token>/<group>/<label>`.
        note: what the outside looked like before, or "".
        died: whether the plugin crashed in the last step.
        file: the name of the file that holds it.
    """

    id: str
    package: str
    type: str
    note: str
    died: bool
    steps: tuple[Step, ...]
    file: str

    @property
    def of_provider(self) -> bool:
        """Whether it is about the provider's configuration, so that it needs a plugin of its own."""
        return self.type.startswith(PROVIDER)


def read_cases(files: Iterable[Path]) -> list[Case]:
    """All cases of the files, in order.

    Raises:
        ConformanceError: a file is missing, not JSON Lines (gzipped or plain), or a case is not of the format.
    """
    return [case for file in files for case in _cases_of(file)]


def read_text(file: Path) -> str:
    """The text of a file that may be gzipped.

    Raises:
        ConformanceError: it cannot be read.
    """
    try:
        content = file.read_bytes()
        return (gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content).decode()
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise ConformanceError(
            f"{file}: cannot be read: {error}. Give a recording as JSON Lines, gzipped or plain, whole."
        ) from None


def _cases_of(file: Path) -> list[Case]:
    cases = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        if line.strip():
            cases.append(_case(line, f"{file}, line {number}", file.name))
    if not cases:
        raise ConformanceError(f"{file}: holds no case. Give a file with one recorded case a line.")
    return cases


def _case(line: str, place: str, file: str) -> Case:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        raise ConformanceError(
            f"{place}: is not JSON ({error}). One whole case is expected on each line: record the file anew."
        ) from None
    if not isinstance(found, dict):
        raise ConformanceError(f"{place}: must be an object with id, package, type and steps.")
    for name in ("id", "package", "type"):
        if not isinstance(found.get(name), str):
            raise ConformanceError(f"{place}: the case has no text `{name}`, which every recorded case has.")
    steps = found.get("steps")
    if not isinstance(steps, list) or not steps:
        raise ConformanceError(f"{place}: case {found['id']} has no list `steps`.")
    for index, step in enumerate(steps):
        _refuse_step(step, f"{place}, case {found['id']}, step {index}")
    return Case(
        id=found["id"],
        package=found["package"],
        type=found["type"],
        note=found.get("note") or "",
        died=bool(found.get("plugin_died")),
        steps=tuple(steps),
        file=file,
    )


def _refuse_step(step: Any, place: str) -> None:
    kind = step.get("kind") if isinstance(step, dict) else None
    if kind not in KINDS:
        raise ConformanceError(f"{place}: has the kind {kind!r}; known are {', '.join(sorted(KINDS))}.")
    needed = (*_NEEDED.get(kind, ()), *(() if kind == "world" else ("result",)))
    missing = [name for name in needed if name not in step]
    if missing:
        raise ConformanceError(f"{place}: a step of kind {kind} needs {', '.join(missing)} as well.")
    for request in step.get("http") or []:
        if not isinstance(request, dict) or not {"method", "path", "status"} <= request.keys():
            raise ConformanceError(f"{place}: an entry of `http` needs method, path and status.")
