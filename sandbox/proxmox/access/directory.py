"""The access configuration, one document as Proxmox VE has one file `user.cfg`: users, groups, roles, ACL and pools.

`users` by user id hold their settings, their `groups` and `tokens`; `acl` is a list of entries, each a role of a user,
group or token at a path. `root@pam` is always there. Who may do what follows in `permissions`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any, Final

from sandbox.proxmox.access.roles import PREDEFINED
from sandbox.proxmox.errors import ApiError, failed
from sandbox.store import Transaction

COLLECTION: Final = "pve/access"
ROOT: Final = "root@pam"
_KEY: Final = "config"

Directory = dict[str, Any]


def load(t: Transaction) -> Directory:
    """The configuration; a fresh one where nothing was written yet."""
    found: Directory | None = t.get(COLLECTION, _KEY)
    return found or {"users": {ROOT: new_user()}, "groups": {}, "roles": {}, "acl": [], "pools": {}}


def save(t: Transaction, directory: Directory) -> None:
    """Write it."""
    t.put(COLLECTION, _KEY, directory)


def new_user(**settings: Any) -> dict[str, Any]:
    """A user without groups and tokens."""
    return {"settings": {"enable": 1, "expire": 0} | settings, "groups": [], "tokens": {}}


def digest_of(secret: str) -> str:
    """What is kept of a token's value; it is random, so that it needs no salt."""
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def admit(t: Transaction, token: str) -> None:
    """Give a token, `user@realm!name=value`, and its user every right. The sandbox's own gets its rights so."""
    full, _, value = token.partition("=")
    user, _, name = full.partition("!")
    directory = load(t)
    known = directory["users"].setdefault(user, new_user())
    known["tokens"][name] = {"settings": {"privsep": 0, "expire": 0}, "digest": digest_of(value)}
    entry = {"path": "/", "type": "user", "ugid": user, "roleid": "Administrator", "propagate": 1}
    if user != ROOT and entry not in directory["acl"]:
        directory["acl"].append(entry)
    save(t, directory)


def missing_user(userid: str) -> ApiError:
    """What a call on a user answers when there is no such user."""
    return failed(f"no such user ('{userid}')")


def user(directory: Directory, userid: str) -> dict[str, Any]:
    """A user. Raises ApiError where there is none."""
    found: dict[str, Any] | None = directory["users"].get(userid)
    if found is None:
        raise missing_user(userid)
    return found


def token(directory: Directory, userid: str, name: str) -> dict[str, Any]:
    """A token of a user. Raises ApiError where there is none."""
    found: dict[str, Any] | None = user(directory, userid)["tokens"].get(name)
    if found is None:
        raise failed(f"no such token '{name}' for user '{userid}'")
    return found


def is_token(directory: Directory, userid: str, name: str, value: str) -> bool:
    """Whether this is the value of a token that exists."""
    found = directory["users"].get(userid, {}).get("tokens", {}).get(name)
    return found is not None and hmac.compare_digest(found["digest"], digest_of(value))


def is_enabled(directory: Directory, userid: str, now: float) -> bool:
    """Whether a user exists, is enabled, and has not expired."""
    found = directory["users"].get(userid)
    if found is None or not found["settings"]["enable"]:
        return False
    expires = found["settings"]["expire"]
    return not expires or expires > now


def members(directory: Directory, group: str) -> list[str]:
    """The users of a group, sorted."""
    return sorted(name for name, one in directory["users"].items() if group in one["groups"])


def drop_entries(directory: Directory, kind: str, name: str) -> None:
    """Remove the ACL entries of a user, group or token that is gone."""
    directory["acl"] = [one for one in directory["acl"] if (one["type"], one["ugid"]) != (kind, name)]


def privileges_of_role(directory: Directory, role: str) -> frozenset[str]:
    """What a role grants; nothing where the role is gone."""
    return PREDEFINED.get(role) or frozenset(directory["roles"].get(role, ()))


def names(text: str) -> list[str]:
    """The entries of a list as Proxmox VE reads one."""
    return [name for name in re.split(r"[,;\s\0]+", text) if name]
