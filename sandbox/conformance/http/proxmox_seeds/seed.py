"""One thing that was there, as a trace of a recorded conversation shows it."""

from collections.abc import Callable
from typing import Any

from sandbox.conformance.http.conversation import Trace
from sandbox.store import Transaction

Names = dict[str, str]
"""What the path of a trace names: `node`, `vmid` and the like; empty where it does not."""

Make = Callable[[Transaction, Names, Trace], None]
Seeds = tuple[tuple[str, Make], ...]
"""What makes the things at a path, by the pattern of the path."""

GUEST = r"nodes/(?P<node>[^/]+)/(?P<kind>qemu|lxc)/(?P<vmid>\d+)"


def without(entry: dict[str, Any], *names: str) -> dict[str, Any]:
    """What was answered, without what Proxmox VE adds when it answers."""
    return {key: value for key, value in entry.items() if key not in names}
