"""The predefined roles are the official ones."""

import json

from sandbox.proxmox.access.roles import ALL, PREDEFINED
from tests.support.shared import shared_path


def test_the_predefined_roles_are_the_official_ones() -> None:
    """Every role has exactly the privileges that Proxmox VE gives it."""
    official = json.loads(shared_path("schemas/pve-roles-9.1.json").read_text())["roles"]
    assert {name: sorted(privileges) for name, privileges in PREDEFINED.items()} == official
    assert len(PREDEFINED) == 17
    assert len(ALL) == 47
