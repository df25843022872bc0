"""The requests that VMs and containers have in common; `kind` is the API's: `qemu` or `lxc`."""

from __future__ import annotations

from typing import Any

from sandbox.plugins.proxmoxve.connection import ApiFailure, Client, path
from sandbox.plugins.values import Values, integer

_CREATE_SECONDS = 1800


def make(client: Client, kind: str, node: str, vmid: int, inputs: Values, settings: dict[str, Any]) -> None:
    """Make a guest and wait for it; one that has its VM id already is adopted, as officially."""
    try:
        upid = client.post(path("nodes", node, kind), {"vmid": vmid, "template": 0, **settings})
    except ApiFailure as error:
        if error.exists:
            return
        raise
    client.wait(upid, integer(inputs, "timeoutCreate") or _CREATE_SECONDS)


def status(client: Client, kind: str, node: str, vmid: int) -> str:
    """Whether a guest is `running` or `stopped`."""
    return str(client.get(path("nodes", node, kind, vmid, "status", "current"))["status"])


def start(
    client: Client, kind: str, node: str, vmid: int, seconds: int, body: dict[str, Any] | None = None
) -> None:
    """Start a guest and wait for it; one that runs by now is fine."""
    try:
        client.wait(client.post(path("nodes", node, kind, vmid, "status", "start"), body or {}), seconds)
    except ApiFailure as error:
        if "already running" not in error.reason:
            raise
