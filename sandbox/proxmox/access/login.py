"""Who sends a request: the owner of its API token, or of its ticket."""

from __future__ import annotations

import hmac
import time
from typing import Final
from urllib.parse import unquote

from aiohttp import web

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.directory import Directory
from sandbox.proxmox.access.passwords import prevention_token, user_of_ticket
from sandbox.proxmox.errors import ApiError
from sandbox.store import Transaction

# Whoever makes a call that needs no login.
NOBODY: Final = ""
_COOKIE: Final = "PVEAuthCookie"


def authenticate(t: Transaction, directory: Directory, request: web.Request) -> str:
    """`user@realm!token` or `user@realm`.

    Raises:
        ApiError: status 401, with Proxmox VE's text.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition("=")
    if scheme == "PVEAPIToken":
        return _owner_of_token(directory, token)
    ticket = unquote(request.cookies.get(_COOKIE, ""))
    if not ticket:
        raise ApiError(401, "No ticket")
    user = user_of_ticket(t, ticket)
    if not directories.is_enabled(directory, user, time.time()):
        raise ApiError(401, f"user '{user}' is disabled or expired")
    if request.method != "GET":
        given = request.headers.get("CSRFPreventionToken", "")
        if not hmac.compare_digest(
            given.encode(errors="surrogateescape"), prevention_token(t, user).encode()
        ):
            raise ApiError(401, "Permission denied - invalid csrf token")
    return user


def _owner_of_token(directory: Directory, token: str) -> str:
    who, _, value = token.partition("=")
    user, _, name = who.partition("!")
    if not directories.is_token(directory, user, name, value):
        raise ApiError(401, "invalid token value!")
    expires = directory["users"][user]["tokens"][name]["settings"]["expire"]
    if not directories.is_enabled(directory, user, time.time()) or (expires and expires <= time.time()):
        raise ApiError(401, f"token '{who}' is disabled or expired")
    return who
