"""The calls on users, their passwords and their API tokens. Source: PVE/API2/User.pm of pve-access-control."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from sandbox.proxmox.access import directory as directories
from sandbox.proxmox.access.directory import Directory
from sandbox.proxmox.access.passwords import password_record
from sandbox.proxmox.call import Call, Routes
from sandbox.proxmox.errors import bad_parameters, failed

_HERE = "/access/users"
_ONE = f"{_HERE}/{{userid}}"
_TOKEN = f"{_ONE}/token/{{tokenid}}"
_SETTINGS = ("enable", "expire", "firstname", "lastname", "email", "comment", "keys")
_TOKEN_SETTINGS = ("comment", "expire", "privsep")
_SEEING = ("User.Modify", "Sys.Audit")


def _given(call: Call, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: call.values[name] for name in names if name in call.values}


def _kept(settings: dict[str, Any]) -> dict[str, Any]:
    # What is empty is not written to the file, so it does not come back.
    return {name: value for name, value in settings.items() if value != ""}


def _groups(call: Call, directory: Directory) -> list[str]:
    wanted = directories.names(call.values.get("groups", ""))
    for name in wanted:
        if name not in directory["groups"]:
            raise failed(f"update user failed: no such group '{name}'")
    return wanted


def _list(call: Call) -> Any:
    everybody = call.caller.has("/access/groups", _SEEING, any_of=True)
    return [
        {"userid": userid, **user["settings"]} | (_groups_and_tokens(user) if call.values.get("full") else {})
        for userid, user in sorted(call.caller.directory["users"].items())
        if (everybody or userid == call.caller.who or _sees_a_group(call, user))
        and call.values.get("enabled") in (None, user["settings"]["enable"])
    ]


def _groups_and_tokens(user: dict[str, Any]) -> dict[str, Any]:
    tokens = [{"tokenid": name, **one["settings"]} for name, one in sorted(user["tokens"].items())]
    return {"groups": ",".join(user["groups"]), "tokens": tokens}


def _sees_a_group(call: Call, user: dict[str, Any]) -> bool:
    return any(call.caller.has(f"/access/groups/{name}", _SEEING, any_of=True) for name in user["groups"])


def _create(call: Call) -> None:
    directory, userid = call.caller.directory, call.values["userid"]
    if userid in directory["users"]:
        raise failed(f"create user failed: user '{userid}' already exists")
    user = directories.new_user(**_kept(_given(call, _SETTINGS)))
    user["groups"] = _groups(call, directory)
    if "password" in call.values:
        user["password"] = password_record(call.values["password"])
    directory["users"][userid] = user
    directories.save(call.t, directory)


def _get(call: Call) -> Any:
    user = directories.user(call.caller.directory, call.values["userid"])
    tokens = {name: token["settings"] for name, token in user["tokens"].items()}
    return user["settings"] | {"groups": user["groups"]} | ({"tokens": tokens} if tokens else {})


def _change(call: Call) -> None:
    directory = call.caller.directory
    user = directories.user(directory, call.values["userid"])
    user["settings"] = _kept(user["settings"] | _given(call, _SETTINGS))
    if "groups" in call.values:
        before = user["groups"] if call.values.get("append") else []
        user["groups"] = list(dict.fromkeys([*before, *_groups(call, directory)]))
    directories.save(call.t, directory)


def _delete(call: Call) -> None:
    directory, userid = call.caller.directory, call.values["userid"]
    directories.user(directory, userid)
    del directory["users"][userid]
    directories.drop_entries(directory, "user", userid)
    directory["acl"] = [one for one in directory["acl"] if not one["ugid"].startswith(f"{userid}!")]
    directories.save(call.t, directory)


def _password(call: Call) -> None:
    directory = call.caller.directory
    directories.user(directory, call.values["userid"])["password"] = password_record(call.values["password"])
    directories.save(call.t, directory)


def _tokens(call: Call) -> Any:
    user = directories.user(call.caller.directory, call.values["userid"])
    return [{"tokenid": name, **token["settings"]} for name, token in sorted(user["tokens"].items())]


def _get_token(call: Call) -> Any:
    return directories.token(call.caller.directory, call.values["userid"], call.values["tokenid"])["settings"]


def _create_token(call: Call) -> Any:
    directory, userid, name = call.caller.directory, call.values["userid"], call.values["tokenid"]
    user = directories.user(directory, userid)
    if name in user["tokens"]:
        raise bad_parameters({"tokenid": "Token already exists."})
    value = str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))
    settings = {"expire": 0, "privsep": 1} | _kept(_given(call, _TOKEN_SETTINGS))
    user["tokens"][name] = {"settings": settings, "digest": directories.digest_of(value)}
    directories.save(call.t, directory)
    return {"full-tokenid": f"{userid}!{name}", "value": value, "info": settings}


def _change_token(call: Call) -> Any:
    directory = call.caller.directory
    token = directories.token(directory, call.values["userid"], call.values["tokenid"])
    settings = _kept(token["settings"] | _given(call, _TOKEN_SETTINGS))
    for name in directories.names(call.values.get("delete", "")):
        settings.pop(name, None)
    token["settings"] = {"expire": 0, "privsep": 1} | settings
    directories.save(call.t, directory)
    return token["settings"]


def _delete_token(call: Call) -> None:
    directory, userid, name = call.caller.directory, call.values["userid"], call.values["tokenid"]
    directories.token(directory, userid, name)
    del directory["users"][userid]["tokens"][name]
    directories.drop_entries(directory, "token", f"{userid}!{name}")
    directories.save(call.t, directory)


def routes() -> Routes:
    """The calls of this module."""
    return {
        ("GET", _HERE): _list,
        ("POST", _HERE): _create,
        ("GET", _ONE): _get,
        ("PUT", _ONE): _change,
        ("DELETE", _ONE): _delete,
        ("PUT", "/access/password"): _password,
        ("GET", f"{_ONE}/token"): _tokens,
        ("GET", _TOKEN): _get_token,
        ("POST", _TOKEN): _create_token,
        ("PUT", _TOKEN): _change_token,
        ("DELETE", _TOKEN): _delete_token,
    }
