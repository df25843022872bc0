"""Passwords, kept salted and stretched, and the tickets that a user gets for one.

A ticket is `PVE:user:TIME::SIGNATURE` as Proxmox VE's, signed with a key of this sandbox's, and good for two hours.
Whoever uses one for anything but reading sends the token against forged requests that came with it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Any, Final

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import ApiError
from sandbox.store import Transaction

LIFETIME: Final = 2 * 60 * 60
_ROUNDS: Final = 20_000
_SECRET: Final = "ticket-key"


def password_record(password: str) -> dict[str, str]:
    """What is kept of a password."""
    salt = secrets.token_hex(16)
    return {"salt": salt, "digest": _stretched(password, salt)}


def _stretched(password: str, salt: str) -> str:
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt.encode(), _ROUNDS).hex()


def _signature(t: Transaction, text: str) -> str:
    key = t.get(directories.COLLECTION, _SECRET)
    if key is None:
        key = secrets.token_hex(32)
        t.put(directories.COLLECTION, _SECRET, key)
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


def user_of_ticket(t: Transaction, ticket: str) -> str:
    """Whose ticket it is. Raises ApiError 401 for one that is forged or too old."""
    text, _, signature = ticket.partition("::")
    made = text.rpartition(":")[2]
    fresh = made.isalnum() and abs(time.time() - int(made, 16)) < LIFETIME if _is_hex(made) else False
    if not hmac.compare_digest(_signature(t, text), signature) or not fresh:
        raise ApiError(401, "invalid PVE ticket")
    return text.removeprefix("PVE:").rpartition(":")[0]


def _is_hex(text: str) -> bool:
    return bool(text) and all(character in "0123456789ABCDEF" for character in text)


def prevention_token(t: Transaction, user: str) -> str:
    """What a user's writes must carry beside the ticket."""
    return _signature(t, f"prevention:{user}")


def _ticket(call: Call) -> Any:
    name = call.values["username"]
    userid = f"{name}@{call.values['realm']}" if "realm" in call.values else name
    directory = directories.load(call.t)
    known = directory["users"].get(userid, {}).get("password")
    # The same work for an unknown user: how long it takes tells nothing.
    digest = _stretched(call.values["password"], known["salt"] if known else "")
    enabled = directories.is_enabled(directory, userid, time.time())
    if known is None or not enabled or not hmac.compare_digest(digest, known["digest"]):
        raise ApiError(401, "authentication failure")
    text = f"PVE:{userid}:{int(time.time()):08X}"
    return {
        "username": userid,
        "ticket": f"{text}::{_signature(call.t, text)}",
        "CSRFPreventionToken": prevention_token(call.t, userid),
        "cap": {},
    }


def routes() -> Routes:
    """The calls of this module."""
    return {("POST", "/access/ticket"): _ticket}
