"""What a guest is to the machine that runs it: the contract between the API and the network fabric.

The API decides when a guest starts and stops; a `GuestHost` makes it so (a network namespace with the
guest's NICs, a Docker Engine where its bootstrap asks for one). Nothing here knows how.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["qemu", "lxc"]


class GuestError(Exception):
    """A guest cannot be started, stopped or destroyed; the text becomes the exit status of the task."""


@dataclass(frozen=True, kw_only=True)
class NicSpec:
    """One network device: its bridge, VLAN tag (None: untagged), MAC and static IPv4 settings."""

    bridge: str
    tag: int | None
    mac: str
    address: str | None
    gateway: str | None


@dataclass(frozen=True, kw_only=True)
class GuestSpec:
    """A guest as its configuration describes it, NICs in the order of their numbers.

    `bootstrap` is the volume id of the cloud-init vendor data, such as `local:snippets/homelab-docker.yaml`;
    `name_servers` are addresses, none where the configuration names none.
    """

    kind: Kind
    vmid: int
    name: str
    node: str
    nics: tuple[NicSpec, ...]
    bootstrap: str | None
    name_servers: tuple[str, ...] = ()


class GuestHost(Protocol):
    """Runs guests. Every method may block; none is called twice at once for one guest."""

    def start(self, guest: GuestSpec) -> None:
        """Start it. Raises GuestError, whose text becomes the task's exit status."""

    def stop(self, vmid: int) -> None:
        """Stop it; one that is not running is fine."""

    def destroy(self, vmid: int) -> None:
        """Remove everything that it left, disks included."""

    def running(self, vmid: int) -> bool:
        """Whether it runs now; must answer at once."""

    def wanted(self, vmid: int) -> bool:
        """Whether it was last told to start rather than to stop, also by a daemon that was killed since."""
