"""A host that runs no guest: what a replay asks of one."""

from __future__ import annotations

from sandbox.proxmox.guests import GuestSpec


class IdleHost:
    """Runs guests by remembering that they run."""

    def __init__(self) -> None:
        self._running: set[int] = set()

    def start(self, guest: GuestSpec) -> None:
        """Remember it."""
        self._running.add(guest.vmid)

    def stop(self, vmid: int) -> None:
        """Forget it."""
        self._running.discard(vmid)

    def destroy(self, vmid: int) -> None:
        """Forget it."""
        self._running.discard(vmid)

    def running(self, vmid: int) -> bool:
        """Whether it was started last."""
        return vmid in self._running

    def wanted(self, vmid: int) -> bool:
        """Whether it was started last."""
        return vmid in self._running
