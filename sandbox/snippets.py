"""Files that a person places on a node and a guest's configuration names: cloud-init data.

A node's snippets lie in `.sandbox/nodes/<node>/<storage>/snippets/`. As on Proxmox VE they are read at every
start of the guest, and nothing in the API can put one there.
"""

import logging
import re
from pathlib import Path

from sandbox.boot import Boot, plan_boot
from sandbox.checkout import Checkout
from sandbox.cloudinit import read_cloud_config
from sandbox.errors import SandboxError
from sandbox.proxmox.guests import GuestSpec

_LOG = logging.getLogger(__name__)
LARGEST = 2**20
"""Bytes that Proxmox VE reads of a snippet (`read_cloudinit_snippets_file`)."""
_VOLUME = re.compile(r"(?P<storage>[A-Za-z][A-Za-z0-9._-]*):snippets/(?P<name>[^/]+)")
_NODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*")


class Snippets:
    """The snippets of all nodes of a checkout.

    Args:
        checkout: in whose folder they lie.
    """

    def __init__(self, checkout: Checkout) -> None:
        self._checkout = checkout

    def boot(self, guest: GuestSpec) -> Boot:
        """What a start of the guest does, by the cloud-init file that its configuration names.

        Raises:
            SandboxError: Proxmox VE's own words where there is no such file; else what is wrong in it.
        """
        if guest.bootstrap is None:
            return plan_boot(None)
        path = self._path(guest.node, guest.bootstrap)
        if not path.is_file():
            # The answer is Proxmox VE's, which does not say where the file would have to be.
            _LOG.error("guest %s: its node %s has no file %s; place it there", guest.name, guest.node, path)
            raise SandboxError(f"volume '{guest.bootstrap}' does not exist")
        if path.stat().st_size > LARGEST:
            raise SandboxError(
                f"{path} has more than {LARGEST} bytes, the most that a node reads; shorten it"
            )
        boot = plan_boot(read_cloud_config(path.read_text(errors="replace"), str(path)))
        for note in boot.notes:
            _LOG.info("guest %s: %s", guest.name, note)
        return boot

    def _path(self, node: str, volume: str) -> Path:
        found = _VOLUME.fullmatch(volume)
        if found is None or found["name"] in (".", "..") or not _NODE.fullmatch(node):
            raise SandboxError(f"{volume} is not in the snippets directory")
        return self._checkout.snippets_dir(node, found["storage"]) / found["name"]
