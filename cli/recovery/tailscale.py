"""Pending creates at Tailscale: the policy file and auth keys.

An auth key is shown once, to the one who makes it. One that the killed engine made is useless, and is
replaced: the engine makes another and revokes it.
"""

from typing import Any

from cli.recovery.asking import JsonApi
from cli.recovery.findings import Finding, absent, incomplete, repeated, text, undecided
from cli.recovery.state import Operation

POLICY = "tailscale:index/acl:Acl"
KEY = "tailscale:index/tailnetKey:TailnetKey"


class Tailnet:
    """The API of a tailnet.

    Args:
        address: such as `https://api.tailscale.com`.
        key: an API key.
    """

    def __init__(self, address: str, key: str) -> None:
        self._api = JsonApi(name="tailscale", address=f"{address}/api/v2", authorization=f"Bearer {key}")

    def find(self, operation: Operation) -> Finding:
        """Look one object up."""
        if operation.type == POLICY:
            # `components.policy_in_force` reads it first: what a killed run wrote has this lab's seal.
            return repeated(operation, "the program asks whose policy is in force before it writes one")
        if operation.type == KEY:
            return self._key(operation)
        return undecided(operation, "`lab recover` does not know this type; look for it in the admin console")

    def _key(self, operation: Operation) -> Finding:
        wanted = text(operation.inputs, "description")
        listed = self._api.get("tailnet/-/keys")["keys"] or []
        new = [self._detail(key) for key in listed if key["id"] not in operation.taken]
        same = [key for key in new if key.get("description") == wanted and not _ended(key)]
        if not same:
            return absent(operation)
        newest = max(same, key=lambda key: str(key.get("created", "")))
        return incomplete(operation, str(newest["id"]), "its secret was lost with the engine")

    def _detail(self, key: dict[str, Any]) -> dict[str, Any]:
        """A list may give nothing but ids."""
        if "description" in key:
            return key
        found: dict[str, Any] = self._api.get(f"tailnet/-/keys/{key['id']}")
        return found


def _ended(key: dict[str, Any]) -> bool:
    return bool(key.get("invalid") or key.get("revoked"))
